import { randomBytes } from 'node:crypto';
import type { Config } from '../contracts/config.ts';
import { needOf } from '../evaluation/needs.ts';
import { runLocal } from '../evaluation/run-local.ts';
import { casesOf } from '../evaluation/world.ts';
import { checkSubmission } from '../rubrics/check-submission.ts';
import { deriveSeed } from '../rubrics/random.ts';
import { exitCodes, InputError } from './exit-codes.ts';
import { graderFailureText } from './grader-failure.ts';
import { abortOnSignal } from './interrupt.ts';
import { localGateway, localSandboxes, phaseOf, rubricAt, submissionAt, targetsFor } from './local-machine.ts';
import { progressBar } from './progress.ts';
import { reportText } from './report-text.ts';
import type { RunOptions } from './run.ts';

/** Judges one submission and prints the report. @returns the exit code. */
export async function judge(folder: string, options: RunOptions, config: Config): Promise<number> {
  const rubric = await rubricAt(folder);
  const phase = phaseOf(rubric, options.phase);
  const targets = await targetsFor(rubric, options.target, config);
  const document = await submissionAt(options.submission, rubric.rubric.submission, options.language);
  const checked = checkSubmission(
    rubric.rubric,
    casesOf(rubric, phase).map((one) => one.case),
    document,
  );
  if (!checked.ok) {
    const lines = checked.errors.map((one) => `  ${one.path === '' ? '' : `${one.path}: `}${one.message}`);
    throw new InputError(`the submission does not fit the challenge's form:\n${lines.join('\n')}`);
  }
  if (needOf(rubric.rubric, document) === null)
    throw new InputError('this rubric offers no sandbox profile for a program in this language');
  using interrupt = abortOnSignal();
  using bar = progressBar(options.json === true ? null : process.stderr);
  await using sandboxes = await localSandboxes(config);
  const report = await runLocal({
    rubric,
    phase,
    document,
    seed: seedOf(options.seed),
    targets,
    gateway: localGateway(config),
    sandboxes: sandboxes.all,
    signal: interrupt.signal,
    onProgress: bar.show,
    graderFailed: (failure) => {
      bar.clear();
      process.stderr.write(graderFailureText(failure));
    },
  });
  bar.clear();
  process.stdout.write(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : reportText(report));
  return report.outcome === 'error' ? exitCodes.error : exitCodes.judged;
}

/** Local seeds may be chosen, so that a run can be repeated; the server's are committed and never chosen. */
function seedOf(given: string | undefined): string {
  if (given === undefined) return randomBytes(32).toString('hex');
  if (!/^\d{1,15}$/.test(given)) throw new InputError('--seed must be a whole number of at most 15 digits');
  return deriveSeed(given, 'local');
}
