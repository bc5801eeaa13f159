import type { Config } from '../contracts/config.ts';
import { checkGates, type GateResult } from '../evaluation/check-gates.ts';
import { exitCodes } from './exit-codes.ts';
import { abortOnSignal } from './interrupt.ts';
import { localGateway, localSandboxes, rubricAt } from './local-machine.ts';
import { visible } from './visible.ts';

/** Runs the gates and prints each result. @returns the exit code. */
export async function checkFolder(folder: string, json: boolean, config: Config): Promise<number> {
  const rubric = await rubricAt(folder);
  using interrupt = abortOnSignal();
  const say = (result: GateResult) =>
    process.stdout.write(`${result.ok ? 'ok    ' : 'FAILED'}  ${visible(`${result.gate}: ${result.detail}`)}\n`);
  if (!json) process.stdout.write(`${rubric.rubric.name} ${rubric.hash.slice(0, 16)}: the rubric is valid, running its gates\n`);
  await using sandboxes = await localSandboxes(config);
  const results = await checkGates(rubric, {
    gateway: localGateway(config),
    sandboxes: sandboxes.all,
    signal: interrupt.signal,
    onGate: json ? () => {} : say,
  });
  const failed = results.filter((result) => !result.ok);
  if (json)
    process.stdout.write(
      `${JSON.stringify({ rubric: rubric.rubric.name, rubricHash: rubric.hash, ok: failed.length === 0, gates: results }, null, 2)}\n`,
    );
  else
    process.stdout.write(
      failed.length === 0 ? `all ${results.length} gates pass\n` : `${failed.length} of ${results.length} gates failed\n`,
    );
  return failed.length === 0 ? exitCodes.judged : exitCodes.error;
}
