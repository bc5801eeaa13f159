import { afterAll, beforeAll, expect, it } from 'vitest';
import { testEngine } from '../setup/docker.ts';
import { describeWith } from '../setup/optional.ts';
import { type Arena, openArena } from './harness/arena.ts';
import { carryOut, plan } from './harness/carry-out.ts';

// The attacks that are quick enough for every test run; `npm run attacks` carries out all of them.

const engine = await testEngine();
let arena: Arena;
beforeAll(async () => {
  arena = await openArena(engine);
}, 60_000);
afterAll(async () => {
  await arena?.[Symbol.asyncDispose]();
});

const planned = plan({ fastOnly: true });
const hold = async (one: (typeof planned)[number]) => {
  const { problems, skipped } = await carryOut(arena, one);
  expect(skipped).toBeUndefined();
  expect(problems).toEqual([]);
};

it.each(planned.filter(({ profile }) => profile === 'js').map((one) => ({ ...one, title: `${one.attack.family}/${one.attack.name}` })))(
  'the wasm driver holds against $title',
  hold,
);

describeWith('docker', engine.state, 'the docker driver holds against', () => {
  const inContainers = planned.filter(({ profile }) => profile !== 'js' && profile !== 'image');
  it.each(inContainers.map((one) => ({ ...one, title: `${one.attack.family}/${one.attack.name} (${one.profile})` })))('$title', hold);

  it('all of that asked the engine for nothing that ever let a container reach its host', async () => {
    const { calls, problems } = await arena.forbiddenCalls();
    expect(calls).toBeGreaterThan(100);
    expect(problems).toEqual([]);
  });
});
