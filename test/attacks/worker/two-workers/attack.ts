import { shortly } from '../../harness/judge.ts';
import type { Scenario } from '../../harness/run-attack.ts';
import { containersOf, startWaiting } from '../../harness/scenarios.ts';

export const scenario: Scenario = async (arena, attack, note) => {
  const problems: string[] = [];
  const otherId = `${arena.given.workerId}-other`;
  await using first = arena.driver('python');
  await using waiting = await startWaiting(first, attack);
  {
    await using second = arena.driver('python', { workerId: otherId });
    // Its first look clears what dead workers left: the living one is not dead.
    await second.probe();
    problems.push(...(await arena.honestRun(second, 'python', attack.limits)));
    if ((await containersOf(arena, arena.given.workerId)).length === 0) problems.push('the other worker took a container that is in use');
  }
  const left = await containersOf(arena, otherId);
  if (left.length > 0) problems.push(`the other worker left ${left.join()}`);
  waiting.gateway.release();
  const run = await waiting.running;
  note(JSON.stringify(run));
  if (run.kind !== 'answer' || run.answer !== 'finished') problems.push(`the case beside another worker ended as ${shortly(run)}`);
  return { outcome: shortly(run), problems };
};
