/*
 * What others wrote (case ids, messages of programs, names of controls, a server's replies) is printed without characters
 * that move the cursor, rewrite what stands above, or reorder what is read.
 */

/** One line, every control and format character shown as a dot. */
export const visible = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '·');

/** The same, keeping line breaks of our own. */
export const visibleLines = (text: string): string => text.split('\n').map(visible).join('\n');
