import { z } from 'zod';
import { Json } from './json.ts';
import { Language, Profile } from './sandbox.ts';

export const SubmissionKind = z.enum(['answers', 'prompts', 'defence', 'program', 'image', 'report']);
export type SubmissionKind = z.infer<typeof SubmissionKind>;

/** Answers are keyed by the key of a case, never by order: reordering must not change a score. */
const CaseKey = z.string().min(1).max(4096);

/**
 * What is stored, hashed and judged. Its content hash is the SHA-256 of its canonical JSON.
 * Loose uploads (a bare map of answers, a `.py` file) become one of these in `readSubmissionFile`.
 */
export const SubmissionDocument = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('answers'), answers: z.record(CaseKey, Json) }),
  z.strictObject({
    kind: z.literal('prompts'),
    /** One attack text per case, or the messages of one conversation in order. */
    prompts: z.record(CaseKey, z.union([z.string(), z.array(z.string()).min(1).max(100)])),
  }),
  z.strictObject({ kind: z.literal('defence'), systemPrompt: z.string() }),
  z.strictObject({
    kind: z.literal('program'),
    language: Language,
    /** Asked for by the participant; the rubric's first fitting profile when absent. */
    profile: Profile.optional(),
    source: z.string().min(1),
  }),
]);
export type SubmissionDocument = z.infer<typeof SubmissionDocument>;
