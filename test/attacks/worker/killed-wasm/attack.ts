import { childrenOf } from '../../../setup/processes.ts';
import { until } from '../../../setup/until.ts';
import type { Scenario } from '../../harness/run-attack.ts';
import { killWorker, startWorker } from '../../harness/scenarios.ts';

const program = `export default async function solve(task, target) {
  target.chat([{ role: 'user', content: 'armed' }]);
  await null;
  for (;;);
}`;

export const scenario: Scenario = async () => {
  const worker = await startWorker(null, 'js', program);
  const children = childrenOf(worker.pid ?? 0);
  await killWorker(worker);
  const alive = () => children.filter((pid) => isAlive(pid));
  const problems = children.length === 0 ? ['the worker had no sandbox process'] : [];
  await until('the sandbox process of a killed worker ends', () => alive().length === 0, 15_000, 50).catch((error: Error) => {
    problems.push(error.message);
    // So that one failure does not stay on the machine.
    for (const pid of alive()) process.kill(pid, 'SIGKILL');
  });
  return { outcome: `${children.length} processes ended`, problems };
};

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
