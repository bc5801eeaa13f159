import { z } from 'zod';
import { Json } from './json.ts';
import { Language, Profile } from './sandbox.ts';

/** What a grader program may be shown of a case. */
export const ProgramSight = z.enum(['answer', 'input', 'expected', 'replies', 'transcript', 'secrets']);
export type ProgramSight = z.infer<typeof ProgramSight>;

/**
 * The sponsor's own grader: code that runs in a fresh sandbox of its own, without models, never where submitted code
 * ran. It answers by frame with a `ProgramGrade`; whatever else it does is an `error`, never a fail.
 */
export const program = z.strictObject({
  kind: z.literal('program'),
  /** A file of the rubric's folder below `graders/`. */
  path: z
    .string()
    .max(200)
    .regex(/^graders\/[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/, 'a file below graders/'),
  language: Language,
  /** Where it runs; `js` is the helper API only. */
  profile: Profile.exclude(['image']),
  sees: z.array(ProgramSight).min(1).default(['answer', 'input', 'expected']),
  wallMs: z.number().int().min(100).max(60_000).default(5_000),
  memoryBytes: z.number().int().min(16_777_216).max(1_073_741_824).default(134_217_728),
});
export type ProgramGraderSpec = z.infer<typeof program>;

/** The one answer of a grader program that counts. Strict: a misspelled `score` must not become somebody's pass or fail. */
export const ProgramGrade = z.strictObject({
  score: z.number().min(0).max(1),
  /** Small facts a reviewer needs; shown to participants on public cases. */
  evidence: z.record(z.string(), Json).optional(),
  /** Why a person must decide; the score is then a proposal that counts nowhere. */
  review: z.string().min(1).max(1_000).optional(),
});
export type ProgramGrade = z.infer<typeof ProgramGrade>;

/** Which profiles run which language. */
export const profilesOfLanguage: Readonly<Record<Language, readonly Profile[]>> = { javascript: ['js', 'node'], python: ['python'] };

/** Most bytes of a grader program's file. */
export const maxGraderBytes = 262_144;
