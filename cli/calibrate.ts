import type { Command } from 'commander';
import type { CalibrationRequest } from '../rubrics/calibration/calibrate.ts';
import { exitCodes, InputError } from './exit-codes.ts';

interface CalibrateOptions {
  grader: string;
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
export function describeCalibrate(command: Command): void {
  command
    .requiredOption(
      '--grader <name-or-file>',
      'refusal:<preset>, field:<name> for recorded verdicts, or a YAML or JSON file with one grader',
    )
    .requiredOption('--data <file>', '.jsonl, or .csv with a header')
    .requiredOption('--text <field>', 'field with the text that is graded; rows where it is null are left out')
    .option('--prompt <field>', 'field with what was asked')
    .requiredOption('--label <field>', 'field with the human label')
    .requiredOption('--positive <value>', 'label that means yes; may be given several times', append)
    .option('--by <field>', 'print every group of this field as well')
    .option('--raters <fields>', 'fields with the labels of single raters, divided by commas: how well people agree')
    .option('--invert', 'the grader’s no means yes: a refusal grader against labels that say "jailbroken"')
    .option('--withheld <field>', 'verdict of rows whose text is null, recorded before it was withheld: true or false, never inverted')
    .option('--threshold <x>', 'score from which on the grader says yes', '0.5')
    .option('--audit <n>', 'estimate the share of yes from n labels and all grades (PPI++)')
    .option('--seed <s>', 'what the audited rows are drawn from', '0')
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', '\nExit code: 0 measured (whether or not the floor for money holds), 1 error of this machine, 2 bad input.')
    .action(async (options: CalibrateOptions) => {
      const { calibrate } = await import('../rubrics/calibration/calibrate.ts');
      const { CalibrationProblem } = await import('../rubrics/calibration/problem.ts');
      const { calibrationText } = await import('./calibration-text.ts');
      try {
        const result = await calibrate(requestOf(options));
        process.stdout.write(options.json === true ? `${JSON.stringify(result, null, 2)}\n` : calibrationText(result));
      } catch (error) {
        throw error instanceof CalibrationProblem ? new InputError(error.message) : error;
      }
      process.exitCode = exitCodes.judged;
    });
}

function requestOf(options: CalibrateOptions): CalibrationRequest {
  const { grader, data, text, prompt, label, positive, by, raters = '', seed = '0' } = options;
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
    ...(options.withheld === undefined ? {} : { withheld: options.withheld }),
    ...(options.audit === undefined ? {} : { audit: { n: auditSize(options.audit), seed } }),
  };
}

function auditSize(text: string): number {
  const n = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (n < 2) throw new InputError(`--audit takes a whole number from 2 on, not "${text}"`);
  return n;
}
