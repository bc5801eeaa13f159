import { resolve } from 'node:path';
import type { Config } from '../contracts/config.ts';
import type { CheckReport, GateResult } from '../contracts/gates.ts';
import { checkGates } from '../evaluation/check-gates.ts';
import { schemaProblems } from '../evaluation/gates/schema.ts';
import { loadRubric } from '../rubrics/load.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';
import { gateText } from './gate-text.ts';
import { exitCodes } from './exit-codes.ts';
import { abortOnSignal } from './interrupt.ts';
import { localGateway, localSandboxes, rubricAt } from './local-machine.ts';
import { progressBar } from './progress.ts';

/** Runs the gates and prints each result. @returns the exit code. */
export async function checkFolder(folder: string, json: boolean, config: Config): Promise<number> {
  if (json) return await checkAsJson(folder, config);
  const rubric = await rubricAt(folder);
  process.stdout.write(`${rubric.rubric.name} ${rubric.hash.slice(0, 16)}: running the gates of publication\n`);
  const results = await runGates(rubric, config, (result) => process.stdout.write(gateText(result)));
  const failed = results.filter((result) => !result.ok);
  process.stdout.write(failed.length === 0 ? `all ${results.length} gates pass\n` : `${failed.length} of ${results.length} gates failed\n`);
  return failed.length === 0 ? exitCodes.judged : exitCodes.error;
}

/** One document, also for a folder that is no rubric: then its gate "schema" says why. */
async function checkAsJson(folder: string, config: Config): Promise<number> {
  const loaded = await loadRubric(resolve(folder));
  if (!loaded.ok) {
    print({ rubric: null, rubricHash: null, ok: false, gates: schemaProblems(loaded.problems) });
    return exitCodes.badInput;
  }
  const { rubric } = loaded;
  const gates = await runGates(rubric, config, () => {});
  const ok = gates.every((result) => result.ok);
  print({ rubric: rubric.rubric.name, rubricHash: rubric.hash, ok, gates });
  return ok ? exitCodes.judged : exitCodes.error;
}

const print = (report: CheckReport) => process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);

async function runGates(rubric: LoadedRubric, config: Config, say: (result: GateResult) => void): Promise<GateResult[]> {
  using interrupt = abortOnSignal();
  using bar = progressBar(process.stderr);
  await using sandboxes = await localSandboxes(config);
  return await checkGates(rubric, {
    gateway: localGateway(config),
    sandboxes: sandboxes.all,
    signal: interrupt.signal,
    onGate: (result) => {
      bar.clear();
      say(result);
    },
    onProgress: ({ gate, done, of }) => bar.show({ split: gate, done, of, what: 'tried' }),
  });
}
