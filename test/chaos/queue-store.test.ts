import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Embedded, startEmbedded } from '../../domain/db/embedded.ts';
import { readPostmaster } from '../../domain/db/embedded-cluster.ts';
import { migrate } from '../../domain/db/migrate.ts';
import { openQueues, type QueueOptions } from '../../domain/queue/backend.ts';
import { describeWith } from '../setup/optional.ts';
import { testRedis } from '../setup/redis.ts';
import { until } from '../setup/until.ts';

/*
 * What happens to messages when the store under the queue dies, and when a process dies that works on one. Both stores
 * are private to this file, because they get killed.
 */

const folder = await mkdtemp(path.join(os.tmpdir(), 'collective-chaos-'));
await chmod(folder, 0o755);
const { state, redis } = await testRedis(folder);
const startPostgres = () => startEmbedded({ folder: path.join(folder, 'postgres'), log: () => undefined });
let postgres: Embedded;
beforeAll(async () => {
  postgres = await startPostgres();
  await migrate(postgres.url);
});
afterAll(async () => {
  await postgres.stop();
  await redis?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function restartPostgres(): Promise<void> {
  const running = await readPostmaster(path.join(folder, 'postgres/data'));
  process.kill(running!.pid, 'SIGKILL');
  postgres = await startPostgres();
}

describe('a queue on PostgreSQL', () => suite(() => ({ databaseUrl: postgres.url }), restartPostgres));
describeWith('redis', state, 'a queue on Redis', () => {
  const redisPrefix = `chaos-${uuid()}`;
  suite(() => ({ databaseUrl: '', redisUrl: redis?.url, redisPrefix }), redis?.restart ?? null);
});

function suite(options: () => QueueOptions, restart: (() => Promise<void>) | null): void {
  it.runIf(restart !== null)('goes on after its store was killed and started again, and has lost nothing', async () => {
    const errors: string[] = [];
    await using queues = await openQueues({ ...options(), onError: (_error, where) => errors.push(where) });
    const [before, delayed, after] = [uuid(), uuid(), uuid()];
    await queues.publish('screen', { evaluationId: before });
    await queues.publish('verify', { evaluationId: delayed }, { delayMs: 100 });
    const seen = new Set<string>();
    const started = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    await queues.consume('evaluate-none', 1, async ({ evaluationId }) => {
      started.resolve();
      await finish.promise;
      seen.add(evaluationId);
    });
    const during = uuid();
    await queues.publish('evaluate-none', { evaluationId: during });
    await started.promise;
    await restart?.();
    finish.resolve();
    for (const name of ['screen', 'verify']) await queues.consume(name, 1, async ({ evaluationId }) => void seen.add(evaluationId));
    await until('all from before the crash', () => seen.has(before) && seen.has(delayed) && seen.has(during), 20_000);
    await until('publishing works', () =>
      queues.publish('evaluate-none', { evaluationId: after }).then(
        () => true,
        () => false,
      ),
    );
    await until('consuming works', () => seen.has(after), 20_000);
    expect(errors).not.toContain('handler of evaluate-none');
  });

  it('gives the message of a killed process to another one', async () => {
    const settings: QueueOptions = { ...options(), bounds: { lockMs: 900 } };
    await using queues = await openQueues(settings);
    const evaluationId = uuid();
    await queues.publish('evaluate-js', { evaluationId });
    const script = path.join(import.meta.dirname, 'hanging-consumer.ts');
    const child = spawn(process.execPath, [script, JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [taken] = await once(child.stdout, 'data');
    expect(String(taken).trim()).toBe(evaluationId);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    let again = '';
    await queues.consume('evaluate-js', 1, async (message) => {
      again = message.evaluationId;
    });
    await until('delivered again', () => again === evaluationId, 15_000);
  });
}
