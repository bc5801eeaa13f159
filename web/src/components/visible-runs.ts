export type VisibleRun = { kind: 'text'; text: string } | { kind: 'code-point'; label: string; title: string; at: number };

/**
 * Characters that print nothing or change how their neighbours print: C0 and C1 controls except tab and line feed, soft
 * hyphen, zero-width and bidirectional marks (the "Trojan Source" set), invisible operators, the byte-order mark,
 * variation selectors outside emoji use, and the tag block that can carry a whole hidden message.
 */
const hidden: readonly (readonly [first: number, last: number])[] = [
  [0x0000, 0x0008],
  [0x000b, 0x001f],
  [0x007f, 0x009f],
  [0x00ad, 0x00ad],
  [0x034f, 0x034f],
  [0x061c, 0x061c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff9, 0xfffb],
  [0xe0000, 0xe0fff],
];
/** Made from numbers: written out, the pattern would hold the very characters it looks for. */
const hiddenPattern = new RegExp(
  `[${hidden.map(([first, last]) => `\\u{${first.toString(16)}}-\\u{${last.toString(16)}}`).join('')}]`,
  'gu',
);

const names: Readonly<Record<string, string>> = {
  '\u0000': 'NULL',
  '\u0008': 'BACKSPACE',
  '\u000D': 'CARRIAGE RETURN',
  '\u001B': 'ESCAPE',
  '\u00AD': 'SOFT HYPHEN',
  '\u061C': 'ARABIC LETTER MARK',
  '\u200B': 'ZERO WIDTH SPACE',
  '\u200C': 'ZERO WIDTH NON-JOINER',
  '\u200D': 'ZERO WIDTH JOINER',
  '\u200E': 'LEFT-TO-RIGHT MARK',
  '\u200F': 'RIGHT-TO-LEFT MARK',
  '\u202A': 'LEFT-TO-RIGHT EMBEDDING',
  '\u202B': 'RIGHT-TO-LEFT EMBEDDING',
  '\u202C': 'POP DIRECTIONAL FORMATTING',
  '\u202D': 'LEFT-TO-RIGHT OVERRIDE',
  '\u202E': 'RIGHT-TO-LEFT OVERRIDE',
  '\u2066': 'LEFT-TO-RIGHT ISOLATE',
  '\u2067': 'RIGHT-TO-LEFT ISOLATE',
  '\u2068': 'FIRST STRONG ISOLATE',
  '\u2069': 'POP DIRECTIONAL ISOLATE',
  '\uFEFF': 'BYTE ORDER MARK',
};

/** Cuts a text into what can be shown as it is and the characters that must be named instead. A CR before LF is dropped. */
export function splitVisible(raw: string): VisibleRun[] {
  const text = raw.replaceAll('\r\n', '\n');
  const runs: VisibleRun[] = [];
  let end = 0;
  for (const match of text.matchAll(hiddenPattern)) {
    if (match.index > end) runs.push({ kind: 'text', text: text.slice(end, match.index) });
    const character = match[0];
    const label = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
    const name = names[character];
    runs.push({ kind: 'code-point', label, title: name ? `${label} ${name}` : `${label}, an invisible character`, at: match.index });
    end = match.index + character.length;
  }
  if (end < text.length) runs.push({ kind: 'text', text: text.slice(end) });
  return runs;
}
