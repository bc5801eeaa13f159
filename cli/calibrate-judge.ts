import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CalibrationReport } from '../contracts/calibration.ts';
import type { Config } from '../contracts/config.ts';
import { createOnce, readIfThere } from '../domain/create-once.ts';
import { type CalibrationJudges, openCalibrationJudges } from '../evaluation/calibration-judges.ts';
import { folderReplyCache } from '../gateway/folder-reply-cache.ts';
import { type Calibration, type CalibrationRequest, calibrate, type JudgedMeans } from '../rubrics/calibration/calibrate.ts';
import { type JudgedGrader, judgedCriterion, judgedFile } from '../rubrics/calibration/judged-grader.ts';
import { CalibrationProblem } from '../rubrics/calibration/problem.ts';
import { reportOf } from '../rubrics/calibration/report.ts';
import { graderFile } from '../rubrics/calibration/row-grader.ts';
import { InputError } from './exit-codes.ts';
import { abortOnSignal } from './interrupt.ts';
import { localGateway, rubricAt } from './local-machine.ts';
import { progressBar } from './progress.ts';

export interface JudgeOptions {
  /** A rubric's criterion, or a file that holds a grader and its judges. */
  from: { rubric: string; criterion: string } | { file: string };
  heldOut: boolean;
  judge?: string | undefined;
  /** Folder in which replies are kept, with the seed that their requests were made with. */
  judgeCache?: string | undefined;
  maxCostMicros: number;
  /** Where the report is written. */
  out?: string | undefined;
  quiet: boolean;
}

export interface JudgedCalibration {
  result: Calibration;
  report: CalibrationReport;
}

/** Rows that wait for their judges at a time; the gateway finds the pace that the provider allows. */
const rowsAtOnce = 32;

/**
 * Compares a judge or jury with people, over the providers of the environment. Writes the report where one is asked for;
 * not when a judge could not be reached or the money ended: such a report would say something about the network.
 */
export async function calibrateJudge(request: CalibrationRequest, options: JudgeOptions, config: Config): Promise<JudgedCalibration> {
  const judged = await judgedGraderOf(options);
  checkPrices(judged, options);
  using interrupt = abortOnSignal();
  const opened = await openCalibrationJudges({
    judges: judged.judges,
    gateway: localGateway(config),
    seed: await seedFor(options.judgeCache),
    maxCostMicros: options.maxCostMicros,
    replies: options.judgeCache === undefined ? null : folderReplyCache(options.judgeCache),
    text: judged.text,
    signal: interrupt.signal,
  });
  if (!opened.ok) throw new InputError(`the judges cannot be asked here: ${opened.message}`);
  await using judges = opened.judges;
  using bar = progressBar(options.quiet ? null : process.stderr);
  const result = await calibrate(request, meansOf(judged, judges, options, interrupt.signal, bar.show));
  interrupt.signal.throwIfAborted();
  checkMoney(judges, options, result.data.rows);
  bar.clear();
  const report = reportOf(result, request, judged, {
    version: await versionOf(),
    at: new Date(),
    returnedModels: judges.returnedModels,
    usage: judges.usage(),
  });
  if (options.out !== undefined) await write(options.out, report, judges.unreached());
  return { result, report };
}

async function judgedGraderOf({ from, heldOut, judge }: JudgeOptions): Promise<JudgedGrader> {
  if ('file' in from) return judgedFile(from.file, await graderFile(from.file), { heldOut, judge });
  return judgedCriterion(await rubricAt(from.rubric), from.criterion, { heldOut, judge });
}

/** A judge without a price would be asked without any bound. */
function checkPrices({ judges }: JudgedGrader, { maxCostMicros }: JudgeOptions): void {
  const paid = judges.filter(({ provider }) => provider !== 'simulated' && provider !== 'replay');
  const unpriced = paid.find(({ price }) => price === undefined);
  if (unpriced !== undefined) throw new InputError(`the judge "${unpriced.name}" has no price: --max-cost could not be kept`);
  if (paid.length > 0 && maxCostMicros === 0) throw new InputError('--max-cost 0 lets no judge be asked');
}

/** The same seed for the same folder: else no kept reply would ever be found. Secret, because nonces derive from it. */
async function seedFor(folder: string | undefined): Promise<string> {
  const fresh = randomBytes(32).toString('hex');
  if (folder === undefined) return fresh;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'seed');
  await createOnce(file, `${fresh}\n`);
  const kept = await readIfThere(file);
  if (kept === null || !/^[0-9a-f]{64}$/.test(kept)) throw new InputError(`${file} holds no seed: name another folder`);
  return kept;
}

function meansOf(
  judged: JudgedGrader,
  judges: CalibrationJudges,
  options: JudgeOptions,
  signal: AbortSignal,
  show: (progress: { split: string; done: number; of: number; what: string }) => void,
): JudgedMeans {
  const { about, commitFirst } = judged.part;
  const promptAt = [about, commitFirst?.task].filter((source) => source !== undefined);
  let open = 0;
  return {
    grader: judged.grader,
    judgingOf: (line) => {
      signal.throwIfAborted();
      checkMoney(judges, options, line);
      open = Math.max(open, line);
      return { access: judges.accessOf(line), promptAt };
    },
    finished: judges.finished,
    atOnce: rowsAtOnce,
    onRow: (done) => show({ split: 'judged', done, of: Math.max(open, done), what: 'rows' }),
  };
}

function checkMoney(judges: CalibrationJudges, { maxCostMicros, judgeCache }: JudgeOptions, row: number): void {
  if (judges.exhausted() === null) return;
  const kept =
    judgeCache === undefined ? 'give --judge-cache as well, so that nothing is paid twice' : 'what is in --judge-cache is not paid again';
  throw new CalibrationProblem(`--max-cost of ${maxCostMicros / 1e6} USD is used up near row ${row}: no report; raise it, ${kept}`);
}

async function versionOf(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function write(path: string, report: CalibrationReport, unreached: number): Promise<void> {
  if (unreached > 0)
    throw new CalibrationProblem(
      `a judge could not be reached for ${unreached} rows, so no report is written to "${path}"; run it again, with --judge-cache only these rows are asked again`,
    );
  try {
    await writeFile(path, `${JSON.stringify(report, null, 2)}\n`);
  } catch (error) {
    throw new InputError(`the report "${path}" cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`);
  }
}
