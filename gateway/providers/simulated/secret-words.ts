/** Forms of a secret: what a keeper can be talked into, and what a filter on its replies may look for. */

export const reversed = (text: string): string => Array.from(text).reverse().join('');
export const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
export const hex = (text: string): string => Buffer.from(text, 'utf8').toString('hex');
export const spelled = (text: string): string => Array.from(text).join(' - ');
export const codes = (text: string): string =>
  Array.from(text)
    .map((character) => character.codePointAt(0))
    .join(' ');

export const rot13 = (text: string): string =>
  text.replace(/[a-z]/gi, (letter) => {
    const base = letter <= 'Z' ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
  });

/** Case folded, letters and digits only: `A - b.C` and `abc` become equal. */
const squeezed = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');

export const tellsVerbatim = (reply: string, secret: string): boolean => reply.includes(secret);

/** Also in other case, with anything put between the characters, and backwards. */
export function tellsLoosely(reply: string, secret: string): boolean {
  const heard = squeezed(reply);
  const known = squeezed(secret);
  return heard.includes(known) || heard.includes(reversed(known));
}

/** Also in the encodings a keeper of this kind can produce. */
export function tellsEncoded(reply: string, secret: string): boolean {
  const heard = squeezed(reply);
  const forms = [base64(secret), hex(secret), rot13(secret), codes(secret)].map(squeezed);
  return tellsLoosely(reply, secret) || forms.some((form) => heard.includes(form));
}
