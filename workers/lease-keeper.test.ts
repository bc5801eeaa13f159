import { once } from 'node:events';
import { createServer } from 'node:net';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { leaseMs } from '../contracts/queue.ts';
import { openDatabase } from '../domain/db/client.ts';
import type { Lease } from '../domain/leases.ts';
import { letLeaseRunOut, memoryBlobs, publish, rowOf, submit, toRunning } from '../test/setup/records.ts';
import { until } from '../test/setup/until.ts';
import { type TestDatabase, testDatabase } from '../test/setup/with-database.ts';
import { keepLease, LeaseLost } from './lease-keeper.ts';

let database: TestDatabase;
const blobs = memoryBlobs();
beforeAll(async () => {
  database = await testDatabase();
  await publish(database.db, blobs);
});
afterAll(() => database[Symbol.asyncDispose]());
// The database's clock and the waiting for it stay real.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const log = pino({ level: 'silent' });
const never = new AbortController().signal;
async function running(): Promise<Lease> {
  const { evaluationId } = await submit(database.db, blobs);
  return toRunning(database.db, evaluationId);
}
const leaseEnd = async (lease: Lease) => (await rowOf(database.db, lease.evaluationId)).lease_until?.getTime() ?? 0;

it('renews every third of the lease until it is disposed', async () => {
  const lease = await running();
  const before = await leaseEnd(lease);
  {
    using kept = keepLease(database.db, lease, never, log);
    vi.advanceTimersByTime(leaseMs / 3);
    await until('it is renewed', async () => (await leaseEnd(lease)) > before);
    expect(kept.signal.aborted).toBe(false);
  }
  const after = await leaseEnd(lease);
  vi.advanceTimersByTime(leaseMs);
  expect(await leaseEnd(lease)).toBe(after);
});

it('aborts when the row belongs to somebody else', async () => {
  const lease = await running();
  using kept = keepLease(database.db, lease, never, log);
  await letLeaseRunOut(database.db, lease.evaluationId);
  vi.advanceTimersByTime(leaseMs / 3);
  await until('it has noticed', () => kept.signal.aborted);
  expect(kept.signal.reason).toBeInstanceOf(LeaseLost);
});

it('aborts without asking when this process has slept past the lease', async () => {
  const lease = await running();
  using kept = keepLease(database.db, lease, never, log);
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + leaseMs + 1);
  vi.advanceTimersByTime(leaseMs / 3);
  expect(kept.signal.reason).toBeInstanceOf(LeaseLost);
});

it('aborts when the database does not answer for a whole lease', async () => {
  const lease = await running();
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await using unreachable = openDatabase(`postgres://nobody@127.0.0.1:${port}/none`, { maxConnections: 4, name: 'test' });
  using kept = keepLease(unreachable.db, lease, never, log);
  vi.advanceTimersByTime(leaseMs - 1);
  expect(kept.signal.aborted).toBe(false);
  vi.advanceTimersByTime(leaseMs / 3);
  expect(kept.signal.reason).toBeInstanceOf(LeaseLost);
  silent.close();
});

it('passes on the reason it is given from outside', async () => {
  const outer = new AbortController();
  using kept = keepLease(database.db, await running(), outer.signal, log);
  const reason = new Error('told to stop');
  outer.abort(reason);
  expect(kept.signal.reason).toBe(reason);
});
