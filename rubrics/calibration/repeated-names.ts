import type { Json } from '../../contracts/json.ts';

/** Does a JSON text give one member twice? `JSON.parse` keeps the last, another reader the first: two people see two rows. */
export const repeatsName = (text: string, value: Json): boolean => namesIn(text) !== namesOf(value);

/** Names that a well-formed JSON text writes, told by the colon behind a string; linear, whatever the strings hold. */
function namesIn(text: string): number {
  let names = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '"') continue;
    for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === '\\') i++;
    let next = i + 1;
    while (next < text.length && ' \t\r\n'.includes(text[next] ?? '')) next++;
    if (text[next] === ':') names++;
  }
  return names;
}

function namesOf(value: Json): number {
  if (value === null || typeof value !== 'object') return 0;
  const inner = Object.values(value).reduce<number>((sum, part) => sum + namesOf(part), 0);
  return Array.isArray(value) ? inner : inner + Object.keys(value).length;
}
