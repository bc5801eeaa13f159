import { performance } from 'node:perf_hooks';
import { until } from '../../../setup/until.ts';
import type { Scenario } from '../../harness/run-attack.ts';
import { containersOf, killWorker, startWorker, waitingProgram } from '../../harness/scenarios.ts';

export const scenario: Scenario = async (arena) => {
  const problems: string[] = [];
  const workerId = `${arena.given.workerId}-killed`;
  const worker = await startWorker({ ...arena.given, workerId }, 'python', waitingProgram);
  const before = await containersOf(arena, workerId);
  if (!before.some((one) => one.endsWith(' running'))) problems.push(`no container was running: ${before.join()}`);
  await killWorker(worker);
  const killedAt = performance.now();
  // The runner sees the end of its stdin; nobody has to be there to stop it.
  const running = async () => (await containersOf(arena, workerId)).filter((one) => one.endsWith(' running')).length === 0;
  await until('containers of a killed worker end by themselves', running, 5_000, 50);
  // The next worker that looks clears them away, the folder of the dead one too.
  await using driver = arena.driver('python');
  await driver.probe();
  await until('what a killed worker left is cleared away', async () => (await containersOf(arena, workerId)).length === 0, 30_000, 100);
  return { outcome: `cleared after ${Math.round(performance.now() - killedAt)} ms`, problems };
};
