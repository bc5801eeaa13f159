import { until } from '../../../setup/until.ts';
import { shortly } from '../../harness/judge.ts';
import type { Scenario } from '../../harness/run-attack.ts';
import { containersOf, startWaiting } from '../../harness/scenarios.ts';

export const scenario: Scenario = async (arena, attack, note) => {
  const problems: string[] = [];
  await using driver = arena.driver('python', { engineTimeoutMs: 2_000 });
  const waiting = await startWaiting(driver, attack);
  await arena.recorder?.die();
  const run = await waiting.running;
  note(JSON.stringify(run));
  // Nobody can say how it would have ended: the participant is not charged, and nothing is scored.
  if (run.kind !== 'error') problems.push(`a case whose engine was cut off ended as ${shortly(run)}`);
  const next = await waiting.sandbox.run({ id: 'next', input: null, target: 'keeper' }, AbortSignal.timeout(30_000));
  if (next.kind !== 'error') problems.push(`a case without an engine ended as ${shortly(next)}`);
  await arena.recorder?.heal();
  await waiting.end().catch((error: Error) => note(error.message));
  await driver.probe();
  // Containers that waited in the pool died with their connection: they must not be handed on, and go when one is asked for.
  problems.push(...(await arena.honestRun(driver, 'python', attack.limits)));
  const ended = async () => (await containersOf(arena, arena.given.workerId)).filter((one) => !one.endsWith(' running'));
  await until('what was lost is cleared away', async () => (await ended()).length === 0, 20_000, 100);
  return { outcome: shortly(run), problems };
};
