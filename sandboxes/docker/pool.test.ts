import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Limits } from '../../contracts/sandbox.ts';
import type { ContainerShape } from './hardening.ts';
import { noCounters } from './meter.ts';
import { ContainerPool, type Poolable, type Taken } from './pool.ts';

const mebibyte = 1_048_576;
const shapeOf = (processes: number): ContainerShape => ({
  ...{ profile: 'python', imageId: `sha256:${'0'.repeat(64)}`, runtime: 'runc', cases: 'independent', program: 'small' },
  limits: Limits.parse({ processes }),
});
const [a, b] = [shapeOf(1), shapeOf(2)];

class Fake implements Poolable {
  alive = true;
  startedAt = performance.now();
  removed = 0;
  readonly shape: ContainerShape;
  readonly bytes: number;
  constructor(shape: ContainerShape, bytes: number) {
    this.shape = shape;
    this.bytes = bytes;
  }
  count = async () => ({ ...noCounters, memoryBytes: this.bytes });
  [Symbol.asyncDispose] = async () => {
    this.removed += 1;
    this.alive = false;
  };
}

function bench(bytes: number, each = 10 * mebibyte) {
  const made: Fake[] = [];
  const problems: string[] = [];
  let refuses = false;
  const start = async (shape: ContainerShape): Promise<Taken<Fake>> => {
    if (refuses) return { ok: false, message: 'the engine is away' };
    const one = new Fake(shape, each);
    made.push(one);
    return { ok: true, container: one };
  };
  const pool = new ContainerPool<Fake>({ bytes, start, onProblem: (message) => problems.push(message) });
  const take = async (shape: ContainerShape) => {
    const taken = await pool.take(shape);
    if (!taken.ok) throw new Error(taken.message);
    return taken.container;
  };
  return { pool, made, problems, take, refuse: (value: boolean) => (refuses = value) };
}

describe('a pool of containers', () => {
  it('makes one when none waits, and has the next one waiting', async () => {
    const { pool, made, take } = bench(100 * mebibyte);
    const first = await take(a);
    await pool.settled();
    expect([made.length, pool.waiting]).toEqual([2, 1]);
    const second = await take(a);
    expect(second).toBe(made[1]);
    expect(second).not.toBe(first);
  });

  it('keeps none when it may hold nothing, and none for images of participants', async () => {
    const none = bench(0);
    await none.take(a);
    await none.pool.settled();
    expect([none.made.length, none.pool.waiting]).toEqual([1, 0]);
    const some = bench(100 * mebibyte);
    const foreign = { command: ['/x'], environment: {}, runnerFolder: '/r', runnerCommand: ['/c'], runnerEnvironment: {} };
    await some.take({ ...a, profile: 'image', foreign });
    await some.pool.settled();
    expect([some.made.length, some.pool.waiting]).toEqual([1, 0]);
  });

  it('never hands on one that broke while it waited', async () => {
    const { pool, made, take } = bench(100 * mebibyte);
    await take(a);
    await pool.settled();
    made[1]!.alive = false;
    expect(await take(a)).toBe(made[2]);
    await pool.settled();
    expect(made[1]!.removed).toBe(1);
  });

  it('gives the memory of a shape that nobody asks for to one that somebody does', async () => {
    const { pool, made, take } = bench(40 * mebibyte, 30 * mebibyte);
    await take(a);
    await pool.settled();
    await take(b);
    await pool.settled();
    const waiting = made.filter((one) => one.alive && one !== made[0] && one.shape === b);
    expect([pool.waiting, waiting.length]).toEqual([1, 2]);
    expect(made.filter((one) => one.removed > 0).map((one) => one.shape)).toEqual([a]);
  });

  it('says what went wrong where nobody waits, and tries again when somebody asks', async () => {
    const { pool, problems, take, refuse } = bench(100 * mebibyte);
    await take(a);
    await pool.settled();
    refuse(true);
    await take(a);
    await pool.settled();
    expect(problems).toEqual(['the engine is away']);
    await expect(take(a)).rejects.toThrow('the engine is away');
    refuse(false);
    await take(a);
    await pool.settled();
    expect(pool.waiting).toBeGreaterThan(0);
  });

  it('removes all that waits when it is closed', async () => {
    const { pool, made, take } = bench(200 * mebibyte);
    const mine = [await take(a), await take(b), await take(a)];
    await pool[Symbol.asyncDispose]();
    expect(made.filter((one) => !mine.includes(one)).every((one) => one.removed === 1)).toBe(true);
    expect(mine.every((one) => one.removed === 0)).toBe(true);
  });

  it('hands each container out once and holds no more memory than it may, whatever is asked', async () => {
    const asked = fc.array(fc.record({ processes: fc.constantFrom(1, 2, 3), settle: fc.boolean(), breaks: fc.boolean() }), {
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(asked, fc.integer({ min: 0, max: 200 }), async (requests, megabytes) => {
        const { pool, made, take } = bench(megabytes * mebibyte);
        const given = new Set<Fake>();
        for (const { processes, settle, breaks } of requests) {
          const one = await take(shapeOf(processes));
          expect(given.has(one) || !one.alive || one.shape.limits.processes !== processes).toBe(false);
          given.add(one);
          if (settle) await pool.settled();
          const idle = made.filter((each) => !given.has(each) && each.removed === 0);
          // One that is being made counts as more than it will hold.
          expect(idle.length * 10).toBeLessThanOrEqual(Math.max(megabytes, 0) + 22);
          if (breaks && idle[0] !== undefined) idle[0].alive = false;
        }
        await pool[Symbol.asyncDispose]();
        expect(made.every((each) => given.has(each) || each.removed === 1)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
