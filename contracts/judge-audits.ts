import { z } from 'zod';
import { Id, Slug } from './ids.ts';
import { Case } from './rubric.ts';

/** What a person says of one grade of a judge, or of the award as a whole where no grade is named. */
export const CreateJudgeAudit = z
  .strictObject({
    grade: z.strictObject({ criterion: Slug, caseId: Case.shape.id, trial: z.number().int().min(0).max(100) }).optional(),
    /** Should it have passed? */
    passed: z.boolean(),
    reason: z.string().trim().min(1).max(2_000),
  })
  .meta({ id: 'CreateJudgeAudit' });
export type CreateJudgeAudit = z.infer<typeof CreateJudgeAudit>;

export const JudgeAuditView = z
  .object({
    id: Id,
    grade: z.object({ criterion: Slug, caseId: z.string(), trial: z.number().int(), score: z.number() }).nullable(),
    target: z.string().nullable(),
    judgePassed: z.boolean(),
    humanPassed: z.boolean(),
    by: z.string(),
    reason: z.string(),
    at: z.string().meta({ format: 'date-time' }),
  })
  .meta({ id: 'JudgeAudit' });
export type JudgeAuditView = z.infer<typeof JudgeAuditView>;

/** A grade of a judge counts as a pass from here on, as in its calibration. */
export const judgePassFrom = 0.5;

/** The reason of a `pass` that a person has to confirm. */
export const judgeAwardCode = 'judge_award_needs_human';
