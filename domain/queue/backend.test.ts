import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { v7 as uuid } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../../test/setup/optional.ts';
import { testRedis } from '../../test/setup/redis.ts';
import { until } from '../../test/setup/until.ts';
import { type TestDatabase, testDatabase } from '../../test/setup/with-database.ts';
import { openQueues, type QueueOptions, type Queues } from './backend.ts';

const folder = await mkdtemp(path.join(os.tmpdir(), 'collective-redis-'));
const { state, redis } = await testRedis(folder);
let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe('queues on PostgreSQL', () => suite(() => ({ databaseUrl: database.url })));
describeWith('redis', state, 'queues on Redis', () => {
  const redisPrefix = `test-${uuid()}`;
  suite(() => ({ databaseUrl: database.url, redisUrl: redis?.url, redisPrefix }));
});

interface Gate {
  open: () => void;
  opened: Promise<void>;
}
function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { open: resolve, opened: promise };
}

function suite(options: () => QueueOptions): void {
  const opened: Queues[] = [];
  const open = async (more: Partial<QueueOptions> = {}) => {
    const queues = await openQueues({ ...options(), ...more });
    opened.push(queues);
    return queues;
  };
  afterEach(async () => {
    for (const queues of opened.splice(0)) await queues[Symbol.asyncDispose]();
  });

  it('delivers a message published before and after somebody consumes', async () => {
    const queues = await open();
    const [first, second] = [uuid(), uuid()];
    await queues.publish('screen', { evaluationId: first });
    expect(await queues.waiting('screen')).toBe(1);
    const seen: string[] = [];
    await queues.consume('screen', 1, async ({ evaluationId }) => void seen.push(evaluationId));
    await until('first', () => seen.length === 1);
    await queues.publish('screen', { evaluationId: second });
    await until('second', () => seen.length === 2);
    expect(seen).toEqual([first, second]);
    expect(await queues.waiting('screen')).toBe(0);
  });

  it('delivers once what was published five times while it waited, and again when published after it ended', async () => {
    const queues = await open();
    const evaluationId = uuid();
    await Promise.all(Array.from({ length: 5 }, () => queues.publish('verify', { evaluationId })));
    expect(await queues.waiting('verify')).toBe(1);
    let runs = 0;
    await queues.consume('verify', 4, async () => void runs++);
    await until('one run', () => runs === 1);
    const last = uuid();
    await queues.publish('verify', { evaluationId: last });
    await until('a later message has passed it', () => runs === 2);
    await queues.publish('verify', { evaluationId });
    await until('it runs again', () => runs === 3);
  });

  it('delivers once more, afterwards, what is published while it is being worked on', async () => {
    const queues = await open();
    const evaluationId = uuid();
    const release = gate();
    let active = 0;
    let most = 0;
    let runs = 0;
    await queues.consume('evaluate-js', 4, async () => {
      most = Math.max(most, ++active);
      if (runs++ === 0) {
        for (let i = 0; i < 3; i++) await queues.publish('evaluate-js', { evaluationId });
        await release.opened;
      }
      active--;
    });
    await queues.publish('evaluate-js', { evaluationId });
    await until('the first run has begun', () => runs === 1);
    release.open();
    await until('the second run', () => runs === 2 && active === 0);
    const last = uuid();
    await queues.publish('evaluate-js', { evaluationId: last });
    await until('a later message', () => runs === 3);
    expect(most).toBe(1);
  });

  it('reports a handler that throws, goes on, and takes the same evaluation again', async () => {
    const errors: string[] = [];
    const queues = await open({ onError: (error, where) => errors.push(`${where}: ${error.message}`) });
    const evaluationId = uuid();
    let runs = 0;
    await queues.consume('screen', 1, async () => {
      runs++;
      if (runs === 1) throw new Error('boom');
    });
    await queues.publish('screen', { evaluationId });
    await until('the failure is reported', () => errors.includes('handler of screen: boom'));
    await until('the queue is rid of it', async () => {
      await queues.publish('screen', { evaluationId });
      return runs >= 2;
    });
    expect(errors).toHaveLength(1);
  });

  it('holds a delayed message back, and publishing it without delay brings it forward', async () => {
    const queues = await open();
    const [soon, late] = [uuid(), uuid()];
    const arrived = new Map<string, number>();
    await queues.consume('evaluate-none', 2, async ({ evaluationId }) => void arrived.set(evaluationId, Date.now()));
    const start = Date.now();
    await queues.publish('evaluate-none', { evaluationId: soon }, { delayMs: 400 });
    await queues.publish('evaluate-none', { evaluationId: late }, { delayMs: 3_600_000 });
    await until('the delayed one', () => arrived.has(soon));
    expect(arrived.get(soon)! - start).toBeGreaterThanOrEqual(395);
    expect(arrived.has(late)).toBe(false);
    await queues.publish('evaluate-none', { evaluationId: late });
    await until('the one brought forward', () => arrived.has(late));
  });

  it('waits for running handlers when it closes, and takes nothing new', async () => {
    const queues = await open();
    // By id: a test before this one may have left a last copy of its message in the queue.
    const mine = [uuid(), uuid()];
    const release = gate();
    const started = gate();
    const ended: string[] = [];
    await queues.consume('screen', 1, async ({ evaluationId }) => {
      if (!mine.includes(evaluationId)) return;
      started.open();
      await release.opened;
      ended.push(evaluationId);
    });
    for (const evaluationId of mine) await queues.publish('screen', { evaluationId });
    await started.opened;
    const closing = queues[Symbol.asyncDispose]();
    release.open();
    await closing;
    expect(ended).toHaveLength(1);
    const other = await open();
    const rest: string[] = [];
    await other.consume('screen', 1, async ({ evaluationId }) => void rest.push(evaluationId));
    const left = mine.filter((id) => !ended.includes(id));
    await until('the rest is delivered to the next', () => left.every((id) => rest.includes(id)));
    expect(rest).not.toContain(ended[0]);
  });

  it('aborts handlers that do not end, and leaves in bounded time even those that ignore it', async () => {
    const errors: string[] = [];
    const queues = await open({ bounds: { finishMs: 100, abortMs: 100 }, onError: (error) => errors.push(error.message) });
    const stuck = gate();
    const started = gate();
    let aborted = 0;
    await queues.consume('verify', 2, async (_message, signal) => {
      signal.addEventListener('abort', () => aborted++);
      started.open();
      await stuck.opened;
    });
    await queues.publish('verify', { evaluationId: uuid() });
    await started.opened;
    const start = Date.now();
    await queues[Symbol.asyncDispose]();
    expect(Date.now() - start).toBeLessThan(3_000);
    expect(aborted).toBe(1);
    expect(errors).toContain('handlers did not end in time');
    stuck.open();
  });

  it('works off 200 messages at concurrency 8, each once, never more than 8 at a time', async () => {
    const queues = await open();
    const ids = Array.from({ length: 200 }, () => uuid());
    const seen: string[] = [];
    let active = 0;
    let most = 0;
    await queues.consume('evaluate-python', 8, async ({ evaluationId }) => {
      most = Math.max(most, ++active);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(evaluationId);
      active--;
    });
    await Promise.all(ids.map((evaluationId) => queues.publish('evaluate-python', { evaluationId })));
    await until('all', () => seen.length >= ids.length);
    await until('none waits', async () => (await queues.waiting('evaluate-python')) === 0);
    expect(seen.toSorted()).toEqual(ids.toSorted());
    expect(most).toBeLessThanOrEqual(8);
    expect(most).toBeGreaterThan(1);
  });

  it('refuses what is no message, whoever put it there', async () => {
    const queues = await open();
    const errors: string[] = [];
    const strict = await open({ onError: (_error, where) => errors.push(where) });
    let runs = 0;
    await strict.consume('evaluate-node', 1, async () => void runs++);
    await queues.publish('evaluate-node', { evaluationId: "'; drop table evaluation; --" });
    await until('the refusal is reported', () => errors.includes('handler of evaluate-node'));
    expect(runs).toBe(0);
  });
}
