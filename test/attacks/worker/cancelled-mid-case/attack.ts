import { performance } from 'node:perf_hooks';
import { shortly } from '../../harness/judge.ts';
import type { Scenario } from '../../harness/run-attack.ts';
import { startWaiting } from '../../harness/scenarios.ts';

export const scenario: Scenario = async (arena, attack, note) => {
  const problems: string[] = [];
  await using driver = arena.driver('python');
  const cancel = new AbortController();
  await using waiting = await startWaiting(driver, attack, cancel.signal);
  const before = performance.now();
  cancel.abort();
  const run = await waiting.running;
  note(JSON.stringify(run));
  if (run.kind !== 'error') problems.push(`a cancelled case ended as ${shortly(run)}`);
  if (performance.now() - before > 2_000) problems.push(`it took ${Math.round(performance.now() - before)} ms to stop`);
  return { outcome: shortly(run), problems };
};
