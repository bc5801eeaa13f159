import type { Command } from 'commander';
import type { Config } from '../contracts/config.ts';
import type { CalibrationRequest } from '../rubrics/calibration/calibrate.ts';
import type { JudgeOptions } from './calibrate-judge.ts';
import { exitCodes, InputError } from './exit-codes.ts';

interface CalibrateOptions {
  grader?: string;
  rubric?: string;
  criterion?: string;
  judge?: string;
  heldOut?: boolean;
  judgeCache?: string;
  maxCost: string;
  adversarial?: string;
  targetField?: string;
  out?: string;
  data: string;
  text: string;
  prompt?: string;
  label: string;
  positive: string[];
  by?: string;
  raters?: string;
  invert?: boolean;
  withheld?: string;
  threshold: string;
  audit?: string;
  seed?: string;
  json?: boolean;
}

const append = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

/** `collective calibrate`: how far a grader can be believed, measured on labels of people. */
export function describeCalibrate(command: Command, config: Config): void {
  command
    .option(
      '--grader <name-or-file>',
      'refusal:<preset>, field:<name> for recorded verdicts, or a YAML or JSON file with one grader, or with a judged one: { grader, judges }',
    )
    .option('--rubric <folder>', 'instead of --grader: the judged grader of a rubric’s --criterion')
    .option('--criterion <name>', 'criterion of --rubric')
    .requiredOption('--data <file>', '.jsonl, or .csv with a header')
    .requiredOption('--text <field>', 'field with the text that is graded; rows where it is null are left out')
    .option('--prompt <field>', 'field with what was asked')
    .requiredOption('--label <field>', 'field with the human label')
    .requiredOption('--positive <value>', 'label that means yes; may be given several times', append)
    .option('--adversarial <field>', 'field that says yes for answers made to fool the grader; counted apart as well')
    .option('--target-field <field>', 'field with the model that gave the answer: what the grader is calibrated for')
    .option('--by <field>', 'print every group of this field as well')
    .option('--raters <fields>', 'fields with the labels of single raters, divided by commas: how well people agree')
    .option('--invert', 'the grader’s no means yes: a refusal grader against labels that say "jailbroken"')
    .option('--withheld <field>', 'verdict of rows whose text is null, recorded before it was withheld: true or false, never inverted')
    .option('--threshold <x>', 'score from which on the grader says yes', '0.5')
    .option('--audit <n>', 'estimate the share of yes from n labels and all grades (PPI++)')
    .option('--seed <s>', 'what the audited rows are drawn from', '0')
    .option('--judge <name>', 'of a grader with several judges, the one that is asked; the first when absent')
    .option('--held-out', 'ask the held-out judges instead of those that grade')
    .option('--judge-cache <folder>', 'keep the judges’ replies there: what was paid for is not asked again')
    .option('--max-cost <usd>', 'most that the judges may cost', '10')
    .option('--out <file>', 'write the report that a rubric names under "calibrations"')
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', '\nExit code: 0 measured (whether or not the floor for money holds), 1 error of this machine, 2 bad input.')
    .action(async (options: CalibrateOptions) => {
      const { calibrate } = await import('../rubrics/calibration/calibrate.ts');
      const { CalibrationProblem } = await import('../rubrics/calibration/problem.ts');
      const { calibrationText } = await import('./calibration-text.ts');
      try {
        const request = requestOf(options);
        const judged = await judgeOptionsOf(options);
        if (judged === null) {
          const result = await calibrate(request);
          process.stdout.write(options.json === true ? `${JSON.stringify(result, null, 2)}\n` : calibrationText(result));
        } else {
          const { calibrateJudge } = await import('./calibrate-judge.ts');
          const { judgedText } = await import('./judged-text.ts');
          const { result, report } = await calibrateJudge(request, judged, config);
          const text =
            options.json === true ? `${JSON.stringify({ ...result, report }, null, 2)}\n` : calibrationText(result) + judgedText(report);
          process.stdout.write(text);
        }
      } catch (error) {
        throw error instanceof CalibrationProblem ? new InputError(error.message) : error;
      }
      process.exitCode = exitCodes.judged;
    });
}

/** How judges are asked; null for a grader that asks none. */
async function judgeOptionsOf(options: CalibrateOptions): Promise<JudgeOptions | null> {
  const from = await judgedSource(options);
  const { judge, heldOut = false, judgeCache, out } = options;
  if (from === null) {
    const given = Object.entries({ '--judge': judge, '--judge-cache': judgeCache, '--out': out, '--held-out': heldOut || undefined });
    const first = given.find(([, value]) => value !== undefined);
    if (first !== undefined) throw new InputError(`${first[0]} is for graders that ask judges, and "${options.grader}" asks none`);
    return null;
  }
  return { from, heldOut, judge, judgeCache, out, maxCostMicros: microsOf(options.maxCost), quiet: options.json === true };
}

async function judgedSource({ grader, rubric, criterion }: CalibrateOptions): Promise<JudgeOptions['from'] | null> {
  if ((grader === undefined) === (rubric === undefined)) throw new InputError('give --grader, or --rubric with --criterion');
  if ((rubric === undefined) !== (criterion === undefined)) throw new InputError('--rubric and --criterion go together');
  if (rubric !== undefined && criterion !== undefined) return { rubric, criterion };
  const { graderFile, isGraderFile } = await import('../rubrics/calibration/row-grader.ts');
  if (grader === undefined || !isGraderFile(grader)) return null;
  const { isJudgedFile } = await import('../rubrics/calibration/judged-grader.ts');
  return isJudgedFile(await graderFile(grader)) ? { file: grader } : null;
}

function microsOf(text: string): number {
  const dollars = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(dollars)) throw new InputError(`--max-cost takes an amount in USD, not "${text}"`);
  return Math.round(dollars * 1e6);
}

function requestOf(options: CalibrateOptions): CalibrationRequest {
  const { data, text, prompt, label, positive, by, raters = '', seed = '0' } = options;
  const grader = options.grader ?? `${options.criterion} of ${options.rubric}`;
  const threshold = Number(options.threshold);
  if (options.threshold.trim() === '' || !(threshold >= 0 && threshold <= 1))
    throw new InputError(`--threshold takes a number from 0 to 1, not "${options.threshold}"`);
  const names = raters.split(',').filter((name) => name !== '');
  if (options.raters !== undefined && names.length < 2) throw new InputError('--raters takes at least two fields, divided by commas');
  if (new Set(names).size < names.length) throw new InputError('--raters names a field twice');
  const common = { grader, data, text, label, positive, raters: names, invert: options.invert === true, threshold };
  return {
    ...common,
    ...(prompt === undefined ? {} : { prompt }),
    ...(by === undefined ? {} : { by }),
    ...(options.adversarial === undefined ? {} : { adversarial: options.adversarial }),
    ...(options.targetField === undefined ? {} : { target: options.targetField }),
    ...(options.withheld === undefined ? {} : { withheld: options.withheld }),
    ...(options.audit === undefined ? {} : { audit: { n: auditSize(options.audit), seed } }),
  };
}

function auditSize(text: string): number {
  const n = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (n < 2) throw new InputError(`--audit takes a whole number from 2 on, not "${text}"`);
  return n;
}
