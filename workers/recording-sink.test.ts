import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Blobs, smallBlobBytes } from '../domain/blobs/blobs.ts';
import { storedBlobs } from '../domain/blobs/stored.ts';
import { checkpoint } from '../domain/checkpoint.ts';
import type { Lease } from '../domain/leases.ts';
import { exchangeOf, letLeaseRunOut, memoryBlobs, publish, resultOf, rowOf, submit, toRunning } from '../test/setup/records.ts';
import { doctorOf } from '../test/setup/machine.ts';
import { until } from '../test/setup/until.ts';
import { type TestDatabase, testDatabase } from '../test/setup/with-database.ts';
import { LeaseLost } from './lease-keeper.ts';
import { recordingSink } from './recording-sink.ts';

let database: TestDatabase;
const blobs = memoryBlobs();
beforeAll(async () => {
  database = await testDatabase();
  await publish(database.db, blobs);
});
afterAll(() => database[Symbol.asyncDispose]());

const log = pino({ level: 'silent' });
const none = { transcript: null, log: null, answer: null, artifacts: [] };
const ref = (caseId: string) => ({ caseId, split: 'public' as const, trial: 0 });
async function running(): Promise<Lease> {
  const { evaluationId } = await submit(database.db, blobs);
  return toRunning(database.db, evaluationId);
}
const sinkFor = (lease: Lease, kept: Blobs = blobs) => recordingSink({ db: database.db, blobs: kept, log, doctor: doctorOf() }, lease);
const stored = async (lease: Lease) => (await checkpoint(database.db, lease.evaluationId)).map((one) => one.caseId);
const calls = (lease: Lease) => database.db.selectFrom('model_call').selectAll().where('evaluation_id', '=', lease.evaluationId).execute();

describe('a recording sink', () => {
  it('stores results, calls and texts by itself within a moment', async () => {
    const lease = await running();
    await using sink = sinkFor(lease);
    sink.called(ref('p0'), exchangeOf(0));
    await sink.caseFinished(resultOf('p0'), { transcript: '[]', log: 'printed', answer: '"word"', artifacts: [] });
    await until('it is stored', async () => (await stored(lease)).length === 1);
    expect(await calls(lease)).toHaveLength(1);
    for (const text of ['printed', '"word"']) expect(await blobs.get(createHash('sha256').update(text).digest('hex'))).not.toBeNull();
  });

  it('stores what a case left behind', async () => {
    const lease = await running();
    const bytes = Buffer.from([0, 1, 255]);
    const record = { path: 'out.bin', sha256: createHash('sha256').update(bytes).digest('hex'), bytes: 3 };
    const sink = sinkFor(lease);
    await sink.caseFinished(resultOf('p0', { artifacts: [record] }), { ...none, artifacts: [bytes] });
    await sink[Symbol.asyncDispose]();
    expect((await checkpoint(database.db, lease.evaluationId))[0]?.artifacts).toEqual([record]);
    expect(await blobs.get(record.sha256)).toEqual(bytes);
  });

  it('stores calls of a case that never finishes', async () => {
    const lease = await running();
    await using sink = sinkFor(lease);
    sink.called(ref('p0'), exchangeOf(0));
    await until('the call is stored', async () => (await calls(lease)).length === 1);
    expect(await stored(lease)).toEqual([]);
  });

  it('has stored everything once flushed, and writes what waits when it is disposed', async () => {
    const lease = await running();
    const sink = sinkFor(lease);
    await Promise.all(['p0', 'p1', 'h0'].map((id) => sink.caseFinished(resultOf(id), none)));
    await sink.flush();
    expect((await stored(lease)).toSorted()).toEqual(['h0', 'p0', 'p1']);
    await sink.caseFinished(resultOf('p2'), none);
    await sink[Symbol.asyncDispose]();
    expect(await stored(lease)).toHaveLength(4);
  });

  it('writes neither results nor calls under a lost lease, and says so at every later step', async () => {
    const lease = await running();
    await using sink = sinkFor(lease);
    await letLeaseRunOut(database.db, lease.evaluationId);
    sink.called(ref('p0'), exchangeOf(0));
    await sink.caseFinished(resultOf('p0'), none);
    await expect(sink.flush()).rejects.toBeInstanceOf(LeaseLost);
    await expect(sink.caseFinished(resultOf('p1'), none)).rejects.toBeInstanceOf(LeaseLost);
    await expect(sink.splitFinished('public', 4)).rejects.toBeInstanceOf(LeaseLost);
    await expect(sink.grading()).rejects.toBeInstanceOf(LeaseLost);
    expect([await stored(lease), await calls(lease)]).toEqual([[], []]);
    expect((await rowOf(database.db, lease.evaluationId)).status).toBe('running');
  });

  it.each([
    ['large', 'x'.repeat(smallBlobBytes + 1)],
    ['small', '[1]'],
  ])(
    'whose %s blobs fail stores no row that would point at them, and throws the failure instead of ending the process',
    async (_, text) => {
      const lease = await running();
      const full = () => Promise.reject(new Error('the disk is full'));
      const sink = sinkFor(lease, { ...blobs, put: full, putSmall: full });
      await sink.caseFinished(resultOf('p0'), { transcript: text, log: null, answer: null, artifacts: [] });
      await until('it has noticed', () =>
        sink.caseFinished(resultOf('p1'), none).then(
          () => false,
          () => true,
        ),
      );
      await expect(sink.flush()).rejects.toThrow('the disk is full');
      await sink[Symbol.asyncDispose]();
      expect(await stored(lease)).toEqual([]);
    },
  );

  it('stores small texts with their results or not at all', async () => {
    const lease = await running();
    const folder = await mkdtemp(join(tmpdir(), 'collective-sink-'));
    const kept = storedBlobs(database.db, folder);
    const [small, large] = ['of a lost lease', 'x'.repeat(smallBlobBytes + 1)];
    const hash = (text: string) => createHash('sha256').update(text).digest('hex');
    try {
      const lost = sinkFor(lease, kept);
      await letLeaseRunOut(database.db, lease.evaluationId);
      await lost.caseFinished(resultOf('p0'), { ...none, transcript: small });
      await expect(lost.flush()).rejects.toBeInstanceOf(LeaseLost);
      await lost[Symbol.asyncDispose]();
      expect(await kept.get(hash(small))).toBeNull();
      const held = await running();
      await using sink = sinkFor(held, kept);
      await sink.caseFinished(resultOf('p0'), { ...none, transcript: small, log: large });
      await sink.flush();
      expect(await stored(held)).toEqual(['p0']);
      for (const text of [small, large]) expect(Buffer.from((await kept.get(hash(text)))!).toString()).toBe(text);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('makes the evaluation wait when much is not yet stored', async () => {
    const lease = await running();
    const release = Promise.withResolvers<void>();
    const slow: Blobs = {
      ...blobs,
      put: async (bytes) => {
        await release.promise;
        return blobs.put(bytes);
      },
    };
    const sink = sinkFor(lease, slow);
    const text = 'x'.repeat(1_000_000);
    let accepted = 0;
    const producer = (async () => {
      for (let i = 0; i < 40; i++) {
        await sink.caseFinished(resultOf('h0', { trial: i }), { transcript: text, log: null, answer: null, artifacts: [] });
        accepted++;
      }
    })();
    await until('it has taken what it may hold', () => accepted >= 8);
    await new Promise((resolve) => setImmediate(resolve));
    expect(accepted).toBeLessThan(20);
    release.resolve();
    await producer;
    await sink[Symbol.asyncDispose]();
    expect(await stored(lease)).toHaveLength(40);
  });
});
