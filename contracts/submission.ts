import { z } from 'zod';
import { Json } from './json.ts';
import { ImageReference, Language, Profile } from './sandbox.ts';

export const SubmissionKind = z.enum(['answers', 'prompts', 'defence', 'program', 'image', 'report']);
export type SubmissionKind = z.infer<typeof SubmissionKind>;

/** Answers are keyed by the key of a case, never by order: reordering must not change a score. */
const CaseKey = z.string().min(1).max(4096);

/** The largest archive a rubric may accept: the most that a form of programs allows. */
export const maxArchiveBytes = 4_194_304;

/** Bytes of a zip or tar as text. Nothing but length, first bytes and alphabet is ever looked at on this side. */
const Archive = z
  .string()
  .min(4)
  .max(Math.ceil(maxArchiveBytes / 3) * 4, `an archive of more than ${maxArchiveBytes} bytes is not accepted`)
  .refine((text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text), 'expected the archive in base64');

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
  z
    .strictObject({
      kind: z.literal('program'),
      language: Language,
      /** Asked for by the participant; the rubric's first fitting profile when absent. */
      profile: Profile.optional(),
      /** A program of one file. */
      source: z.string().min(1).optional(),
      /** A program of several: a zip, tar or tar.gz in base64 with main.py or main.mjs at its top or in its only folder. */
      archive: Archive.optional(),
    })
    .refine(({ source, archive }) => (source === undefined) !== (archive === undefined), 'a program has either a source or an archive'),
  z.strictObject({ kind: z.literal('image'), image: ImageReference }),
  /** Prose about a finding, with what supports it. A person decides; a judge's opinion is advice. */
  z.strictObject({
    kind: z.literal('report'),
    title: z.string().trim().min(8).max(200),
    /** Markdown. */
    body: z.string().trim().min(1).max(200_000),
    evidence: z
      .array(z.strictObject({ title: z.string().trim().min(1).max(200), text: z.string().min(1).max(200_000) }))
      .max(20)
      .default([]),
  }),
]);
export type SubmissionDocument = z.infer<typeof SubmissionDocument>;
