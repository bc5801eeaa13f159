import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest';
import { testEngine } from '../setup/docker.ts';
import { describeWith } from '../setup/optional.ts';
import { type Arena, openArena } from './harness/arena.ts';
import { carryOut, type Planned, plan } from './harness/carry-out.ts';

// The attacks that are quick enough for every test run; `npm run attacks` carries out all of them.

const engine = await testEngine();
let arena: Arena;
beforeAll(async () => {
  arena = await openArena(engine);
}, 60_000);
afterAll(async () => {
  await arena?.[Symbol.asyncDispose]();
});

const named = (wanted: (one: Planned) => boolean) =>
  plan({ fastOnly: true })
    .filter(wanted)
    .map((one) => [`${one.attack.family}/${one.attack.name} (${one.profile})`, one] as const);

/** One that cannot be carried out on this machine is skipped by name; an engine that must be there is asked for below. */
const hold = async ([, one]: readonly [string, Planned], { skip }: TestContext) => {
  const { problems, skipped } = await carryOut(arena, one);
  if (skipped !== undefined) {
    expect(process.env.REQUIRE_REGISTRY === '1' && one.profile === 'image').toBe(false);
    skip(skipped);
  }
  expect(problems).toEqual([]);
};

it.for(named(({ profile }) => profile === 'js'))('the wasm driver holds against %s', hold);

describeWith('docker', engine.state, 'the docker driver holds against', () => {
  it.for(named(({ profile }) => profile !== 'js'))('%s', hold);

  it('all of that asked the engine for nothing that ever let a container reach its host', async () => {
    const { calls, problems } = await arena.forbiddenCalls();
    expect(calls).toBeGreaterThan(100);
    expect(problems).toEqual([]);
  });
});
