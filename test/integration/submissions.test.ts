import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authenticate, ensureLocalAccount, ensureSampleAccount } from '../../domain/accounts.ts';
import { forgetOldKeys, once } from '../../domain/idempotency.ts';
import { listSubmissions, showSubmission } from '../../domain/submission-views.ts';
import { createSubmission, type NewSubmission } from '../../domain/submissions.ts';
import { seedCommitment } from '../../domain/seeds.ts';
import { counts, eventsOf, installation, memoryBlobs, publish, resultOf, sha256, submit, toRunning } from '../setup/records.ts';
import { recordCases } from '../../domain/recording.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

let database: TestDatabase;
const blobs = memoryBlobs();
beforeAll(async () => {
  database = await testDatabase();
  await publish(database.db, blobs);
  await publish(database.db, blobs, { name: 'another', title: 'Another challenge', trials: 3 });
});
afterAll(() => database[Symbol.asyncDispose]());

const create = async (changes: Partial<NewSubmission> = {}) =>
  createSubmission(database.db, blobs, installation, {
    account: await ensureSampleAccount(database.db, 'somebody'),
    slug: 'guess-the-word',
    document: { kind: 'answers', answers: { 'key 0': 'word' } },
    ...changes,
  });
const rowsIn = async (table: 'submission' | 'evaluation') =>
  (await database.db.selectFrom(table).select(sql<number>`count(*)::int`.as('n')).executeTakeFirstOrThrow()).n;

describe('createSubmission', () => {
  it('stores the canonical document, the evaluation with a committed seed, and its first event', async () => {
    const made = await create({ phase: 'final', title: '  My\u0000 try  ' });
    if (!made.ok) throw new Error(made.message);
    const text = '{"answers":{"key 0":"word"},"kind":"answers"}';
    const shown = (await showSubmission(database.db, made.submissionId))!;
    expect(shown).toMatchObject({
      title: 'My\ufffd try',
      kind: 'answers',
      contentHash: sha256(text),
      contentBytes: text.length,
      participant: 'somebody',
      sample: false,
    });
    expect(shown.evaluation).toMatchObject({
      id: made.evaluationId,
      phase: 'final',
      status: 'received',
      outcome: null,
      score: null,
      progress: { done: 0, of: counts.public + counts.hidden },
      seed: null,
      simulated: true,
      attempt: 1,
      attemptCost: 'open',
      lastEventSeq: 1,
    });
    expect(shown.evaluation.seedCommitment).toBe(seedCommitment(installation.sub(`seed of evaluation ${made.evaluationId}`)));
    expect(await eventsOf(database.db, made.evaluationId)).toEqual([{ kind: 'status', status: 'received', outcome: null, reason: null }]);
    expect(new TextDecoder().decode((await blobs.get(shown.contentHash))!)).toBe(text);
  });

  it('enters the first phase by default, and counts trials', async () => {
    const made = await create({ slug: 'another' });
    if (!made.ok) throw new Error(made.message);
    expect(await showSubmission(database.db, made.submissionId)).toMatchObject({
      title: 'Another challenge',
      evaluation: { phase: 'development', progress: { of: 3 * counts.public } },
    });
  });

  it('refuses what does not fit, and stores nothing of it', async () => {
    const before = [await rowsIn('submission'), await rowsIn('evaluation')];
    expect(await create({ slug: 'nowhere' })).toMatchObject({ ok: false, code: 'unknown_challenge' });
    expect(await create({ phase: 'nothing' })).toMatchObject({
      ok: false,
      code: 'unknown_phase',
      message: expect.stringContaining('development'),
    });
    expect(await create({ document: { kind: 'defence', systemPrompt: 'no' } })).toMatchObject({ ok: false, code: 'kind_not_accepted' });
    expect([await rowsIn('submission'), await rowsIn('evaluation')]).toEqual(before);
  });
});

describe('an idempotency key', () => {
  it('makes one submission of ten equal requests at once', async () => {
    const before = await rowsIn('submission');
    const made = await Promise.all(Array.from({ length: 10 }, () => create({ idempotencyKey: 'ten' })));
    expect(new Set(made.map((one) => one.ok && one.submissionId)).size).toBe(1);
    expect(made.filter((one) => one.ok && one.created)).toHaveLength(1);
    expect(await rowsIn('submission')).toBe(before + 1);
  });

  it('is refused for another submission, and free for another account', async () => {
    const first = await create({ idempotencyKey: 'mine' });
    for (const changes of [
      { title: 'other' },
      { phase: 'final' },
      { slug: 'another' },
      { document: { kind: 'answers', answers: {} } as const },
    ])
      expect(await create({ idempotencyKey: 'mine', ...changes })).toMatchObject({ ok: false, code: 'idempotency_key_reused' });
    const another = await create({ idempotencyKey: 'mine', account: await ensureSampleAccount(database.db, 'another') });
    expect(another).toMatchObject({ ok: true, created: true });
    expect(another.ok && first.ok && another.submissionId !== first.submissionId).toBe(true);
  });

  it('is gone with the transaction that failed, and with time', async () => {
    const { id } = await ensureSampleAccount(database.db, 'somebody');
    const key = { accountId: id, key: 'broken', requestHash: 'x' };
    const failing = database.db.transaction().execute((trx) =>
      once(trx, key, async () => {
        throw new Error('out of luck');
      }),
    );
    await expect(failing).rejects.toThrow('out of luck');
    const answer = () => database.db.transaction().execute((trx) => once(trx, key, async () => ({ made: 1 })));
    expect(await answer()).toEqual({ kind: 'new', answer: { made: 1 } });
    expect(await answer()).toEqual({ kind: 'again', answer: { made: 1 } });
    await sql`update idempotency set created_at = now() - interval '2 days' where key = 'broken'`.execute(database.db);
    expect(await forgetOldKeys(database.db, 86_400_000)).toBe(1);
  });
});

describe('listSubmissions', () => {
  it('gives the newest first, page by page, of a challenge or a participant', async () => {
    const made: string[] = [];
    for (let i = 0; i < 5; i++)
      made.unshift((await submit(database.db, blobs, { participant: 'lister', slug: i % 2 ? 'another' : 'guess-the-word' })).submissionId);
    const { id: accountId } = await ensureSampleAccount(database.db, 'lister');
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listSubmissions(database.db, { accountId, limit: 2, cursor });
      if (!page.ok) throw new Error(page.message);
      seen.push(...page.items.map((one) => one.id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(made);
    const ofOne = await listSubmissions(database.db, { accountId, slug: 'another', limit: 100 });
    expect(ofOne.ok && ofOne.items.map((one) => one.id)).toEqual([made[1], made[3]]);
    expect(await listSubmissions(database.db, { limit: 2, cursor: 'bad' })).toMatchObject({ ok: false, code: 'bad_cursor' });
    expect(await showSubmission(database.db, accountId)).toBeNull();
  });

  it('shows what a running one has used so far on its own page', async () => {
    const { submissionId, evaluationId } = await submit(database.db, blobs, { phase: 'final' });
    const lease = await toRunning(database.db, evaluationId);
    await recordCases(database.db, lease, [resultOf('p0'), resultOf('h0')]);
    expect((await showSubmission(database.db, submissionId))?.evaluation.usage).toEqual({
      calls: 2,
      inputTokens: 10,
      outputTokens: 5,
      costMicros: '7',
    });
  });
});

describe('accounts', () => {
  it('know the local token, keep only its hash, and follow the installation’s key', async () => {
    const first = await ensureLocalAccount(database.db, installation);
    expect(await ensureLocalAccount(database.db, installation)).toEqual(first);
    expect(await authenticate(database.db, first.token)).toEqual({ id: first.id, name: first.name, kind: 'local' });
    const { rows } = await database.pool.query('select * from account');
    expect(JSON.stringify(rows)).not.toContain(first.token);
    for (const wrong of ['', `${first.token}0`, first.token.toUpperCase()]) expect(await authenticate(database.db, wrong)).toBeNull();
    const moved = await ensureLocalAccount(database.db, { sub: (label) => sha256(`new key ${label}`) });
    expect(moved.id).toBe(first.id);
    expect(await authenticate(database.db, first.token)).toBeNull();
  });

  it('give samples an owner that is nobody’s sign-in', async () => {
    const sample = await ensureSampleAccount(database.db, 'sample: official');
    expect(await ensureSampleAccount(database.db, 'sample: official')).toEqual(sample);
    await ensureLocalAccount(database.db, installation);
    await expect(ensureSampleAccount(database.db, 'local')).rejects.toThrow('belongs to a person');
  });
});
