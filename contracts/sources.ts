import { z } from 'zod';

/**
 * Where a grader reads a text from, with an optional JSON pointer: `answer`, `answer/guess`, `expected/trigger`,
 * `input/target`, `replies` (every text the target sent for this case), `last-reply`, `secret/password`.
 */
export const Source = z
  .string()
  .regex(
    /^(answer|expected|input|replies|last-reply|secret)(\/[^/]+)*$/,
    'answer, expected, input, replies, last-reply or secret, then an optional /pointer',
  );
export type Source = z.infer<typeof Source>;

/** Named text normalisations, applied in the given order to both sides. */
export const Normalisation = z.enum(['trim', 'lower', 'nfkc', 'collapse-space', 'alphanumeric']);
export type Normalisation = z.infer<typeof Normalisation>;
