import type { Command } from 'commander';
import { exitCodes, InputError } from './exit-codes.ts';
import { visible } from './visible.ts';

interface RecountOptions {
  truth?: string;
  field?: string[];
  column?: string[];
  json?: boolean;
}

const append = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

/** `collective recount`: a published result, counted again from its raw file by the graders' own formulas. */
export function describeRecount(command: Command): void {
  command
    .argument('<what>', 'win-rate, success-rate, orders, trigger-recall, stealth, slots, ctf, rates or shares')
    .argument('<file>', 'the raw file, of the shape in which the competition published it')
    .option('--truth <file>', 'the file with the truth: labels, triggers or slots')
    .option(
      '--field <name>',
      'field that is read, where it has another name; may be given several times: original, rewrite and recorded value of stealth, label and group of rates',
      append,
    )
    .option('--column <name=n>', 'column of a table of percentages and what they are shares of; several times', append)
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', '\nExit code: 0 counted, 1 error of this machine, 2 bad input.')
    .action(async (what: string, data: string, options: RecountOptions) => {
      const { recounts } = await import('../rubrics/recounts/recount.ts');
      const { CalibrationProblem } = await import('../rubrics/calibration/problem.ts');
      const recount = Object.hasOwn(recounts, what) ? recounts[what] : undefined;
      if (recount === undefined) {
        const lines = Object.entries(recounts).map(([name, { summary }]) => `  ${name.padEnd(16)}${summary}`);
        throw new InputError(`there is no recount "${what}"; there are\n${lines.join('\n')}`);
      }
      try {
        const { truth, field = [], column = [] } = options;
        const result = await recount.run({ data, truth, fields: field, columns: column });
        process.stdout.write(options.json === true ? `${JSON.stringify(result, null, 2)}\n` : textOf(result));
      } catch (error) {
        throw error instanceof CalibrationProblem ? new InputError(error.message) : error;
      }
      process.exitCode = exitCodes.judged;
    });
}

/** One line per number; lists and tables as JSON, because their rows are for programs. */
function textOf(result: object): string {
  const lines = Object.entries(result).map(([name, value]) => {
    const list = Array.isArray(value) && value.length > 12 ? [...value.slice(0, 12), `… ${value.length - 12} more`] : value;
    return `${name.padEnd(20)} ${typeof list === 'object' ? JSON.stringify(list) : String(list)}`;
  });
  return `${lines.map(visible).join('\n')}\n`;
}
