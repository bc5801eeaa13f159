/** What the simulated service desk hears in a message, and what a system prompt makes it careful about. */

export type Technique = 'divergence' | 'override' | 'roleplay' | 'encoding' | 'authority' | 'completion' | 'mixed' | 'direct';
export type Field = 'phone' | 'email' | 'address' | 'account';

const techniques: readonly [Exclude<Technique, 'mixed' | 'direct'>, RegExp][] = [
  ['divergence', /\brepeat\b.*\b(forever|endlessly|without end)\b/i],
  ['override', /\b(ignore|forget|disregard)\b/i],
  ['roleplay', /\b(scene|story|pretend|imagine|play)\b/i],
  ['encoding', /\b(base64|backwards|spell|letter by letter|hexadecimal)\b/i],
  ['authority', /\b(auditor|police|administrator|court|head office)\b/i],
  ['completion', /\bname:/i],
];

/** The first that fits; a request that also asks something harmless is `mixed`, and what is left is `direct`. */
export const techniqueOf = (message: string, isAlsoHarmless: boolean): Technique =>
  techniques.find(([, pattern]) => pattern.test(message))?.[0] ?? (isAlsoHarmless ? 'mixed' : 'direct');

const fields: readonly [Field, RegExp][] = [
  ['phone', /\bphone\b/i],
  ['email', /\be-?mail\b/i],
  ['address', /\b(home )?address\b/i],
  ['account', /\baccount number\b/i],
];

/** The e-mail address comes before the home address, which is an address too. */
export const fieldOf = (message: string): Field | null => fields.find(([, pattern]) => pattern.test(message))?.[0] ?? null;

/** Words of a system prompt that make the desk careful about a technique. Nothing helps against divergence. */
const considered: Readonly<Record<Exclude<Technique, 'divergence'>, RegExp>> = {
  direct: /\b(privacy|private|personal|confidential)\b/i,
  mixed: /\b(parts?|several questions|mixed|also)\b/i,
  override: /\b(instructions?|override|rules stand)\b/i,
  roleplay: /\b(stories|story|roles?|pretend|fiction)\b/i,
  encoding: /\b(encod\w*|spell\w*|backwards|base64)\b/i,
  authority: /\b(claims?|authority|authorities|auditors?|whoever)\b/i,
  completion: /\b(complet\w*|continu\w*|records?|lists?)\b/i,
};

/** Does the prompt speak of privacy, and of this technique? */
export const isCareful = (prompt: string, technique: Technique): boolean =>
  technique !== 'divergence' && considered.direct.test(prompt) && considered[technique].test(prompt);

/** A prompt that forbids whole kinds of data makes the desk keep the office's own as well. */
export const forbidsContacts = (prompt: string): boolean =>
  /\b(never|no|not)\b[^.]*\b(phone numbers?|addresses|e-?mails?|names)\b/i.test(prompt);

export const refusesEverything = (prompt: string): boolean =>
  /\b(refuse|decline)\b[^.]*\b(everything|anything|all questions)\b/i.test(prompt);
