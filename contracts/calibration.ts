import { z } from 'zod';
import { Sha256, Slug } from './ids.ts';
import { ProviderName, Usage } from './target.ts';

/** Grader against human: counts of rows on which both gave a yes or no. */
export const ConfusionCounts = z.strictObject({
  tp: z.number().int().nonnegative(),
  fp: z.number().int().nonnegative(),
  fn: z.number().int().nonnegative(),
  tn: z.number().int().nonnegative(),
});
export type ConfusionCounts = z.infer<typeof ConfusionCounts>;

/** Rows with a human label on which the grader gave no verdict, by that label. They are neither yes nor no. */
export const UndecidedCounts = z.strictObject({ positive: z.number().int().nonnegative(), negative: z.number().int().nonnegative() });
export type UndecidedCounts = z.infer<typeof UndecidedCounts>;

interface Counts {
  decided: ConfusionCounts;
  undecided: UndecidedCounts;
}
const countsOf = ({ decided, undecided }: Counts): number[] => [
  ...[decided.tp, decided.fp, decided.fn, decided.tn],
  ...[undecided.positive, undecided.negative],
];
const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

/** What was counted on one set of rows; those made to fool the judge are in the first two and once more apart. */
export const CalibrationCell = z
  .strictObject({
    decided: ConfusionCounts,
    undecided: UndecidedCounts,
    adversarial: z.strictObject({ decided: ConfusionCounts, undecided: UndecidedCounts }),
  })
  .refine(({ adversarial, ...all }) => countsOf(adversarial).every((count, i) => count <= (countsOf(all)[i] ?? 0)), {
    path: ['adversarial'],
    message: 'counts more rows than there are',
  });
export type CalibrationCell = z.infer<typeof CalibrationCell>;

/** A judge as it was asked. */
export const CalibratedJudge = z.strictObject({
  name: Slug,
  provider: ProviderName,
  model: z.string().min(1).max(200),
  /** SHA-256 over everything of the judge that decides its replies; see `judgeIdentity`. */
  identity: Sha256,
  /** What the provider says it ran: more than one is drift within the run. */
  returnedModels: z.array(z.string().min(1).max(300)).min(1).max(20),
});
export type CalibratedJudge = z.infer<typeof CalibratedJudge>;

const name = z.string().min(1).max(300);

/**
 * What `collective calibrate --out` writes: how one judge, or one jury, did against labels of people. It is a claim of
 * whoever ran the command and says enough to be run again: the file by its hash, the question by its hash, the judges
 * by model and settings. A report that contradicts itself is refused: no run of the command writes one.
 */
export const CalibrationReport = z
  .strictObject({
    format: z.literal(1),
    tool: z.strictObject({ version: z.string().max(100) }),
    at: z.iso.datetime(),
    /** The rubric's criterion; null for a grader that stood in a file of its own. */
    criterion: Slug.nullable(),
    grader: z.strictObject({
      kind: z.enum(['judge', 'jury']),
      /** SHA-256 over the criterion's whole grader, its lists of judges left out; see `graderIdentity`. */
      identity: Sha256,
      /** SHA-256 over every word a judge is told but the texts, with the version of the protocol. */
      promptHash: Sha256,
      threshold: z.number().min(0).max(1),
      inverted: z.boolean(),
    }),
    /** The judges that were asked: one for a judge, the panel for a jury. */
    judges: z.array(CalibratedJudge).min(1).max(9),
    data: z.strictObject({
      file: name,
      sha256: Sha256,
      rows: z.number().int().nonnegative(),
      withoutText: z.number().int().nonnegative(),
      unlabelled: z.number().int().nonnegative(),
      /** Labelled rows that say what an earlier one says; they are in none of the counts. */
      copies: z.number().int().nonnegative(),
    }),
    fields: z.strictObject({
      text: name,
      prompt: name.nullable(),
      label: name,
      positive: z.array(name).min(1).max(50),
      adversarial: name.nullable(),
      target: name.nullable(),
    }),
    total: CalibrationCell,
    /** By the model that gave the answers; empty where `--target-field` was not given. */
    targets: z.array(z.strictObject({ target: name, cell: CalibrationCell })).max(200),
    /** Why the first row without a verdict has none. */
    undecidedBecause: z.string().max(2000).nullable(),
    usage: Usage,
  })
  .superRefine(({ data, total, targets, fields }, check) => {
    if (sumOf(countsOf(total)) + data.unlabelled + data.withoutText + data.copies !== data.rows)
      check.addIssue({ code: 'custom', path: ['data', 'rows'], message: 'is not the sum of the rows that were counted and left out' });
    if (new Set(targets.map(({ target }) => target)).size < targets.length)
      check.addIssue({ code: 'custom', path: ['targets'], message: 'names a target twice' });
    const split = targets.map(({ cell }) => [...countsOf(cell), ...countsOf(cell.adversarial)]);
    const whole = [...countsOf(total), ...countsOf(total.adversarial)];
    if ((fields.target !== null || targets.length > 0) && whole.some((count, i) => count !== sumOf(split.map((one) => one[i] ?? 0))))
      check.addIssue({ code: 'custom', path: ['targets'], message: 'do not add up to the total' });
  });
export type CalibrationReport = z.infer<typeof CalibrationReport>;

/** Larger files are no reports. */
export const maxReportBytes = 1_048_576;
