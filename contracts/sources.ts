import { z } from 'zod';

/**
 * Where a grader reads a text from, with an optional JSON pointer: `answer`, `answer/guess`, `expected/trigger`,
 * `input/target`, `replies` (every text the target sent for this case), `last-reply`, `secret/password`,
 * `submission` (every text of a submission of answers or prompts, for all cases together). Names that reach a prototype
 * are refused, as `parseBoundedJson` refuses them: no data holds them.
 */
export const Source = z
  .string()
  .regex(
    /^(answer|expected|input|replies|last-reply|secret|submission)(\/(?!(__proto__|constructor|prototype)(\/|$))[^/]+)*$/,
    'answer, expected, input, replies, last-reply, secret or submission, then an optional /pointer without names of a prototype',
  );
export type Source = z.infer<typeof Source>;

/** Named text normalisations, applied in the given order to both sides. */
export const Normalisation = z.enum(['trim', 'lower', 'nfkc', 'collapse-space', 'alphanumeric']);
export type Normalisation = z.infer<typeof Normalisation>;
