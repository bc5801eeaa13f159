import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { makePreview } from '../../cli/regrade-preview.ts';
import { EvaluationEvent } from '../../contracts/events.ts';
import type { SubmissionDocument } from '../../contracts/submission.ts';
import { ensureLocalAccount } from '../../domain/accounts.ts';
import { listCases } from '../../domain/case-views.ts';
import { checkpoint } from '../../domain/checkpoint.ts';
import { passStandsNow } from '../../cli/pass-stands.ts';
import { openDatabase } from '../../domain/db/client.ts';
import { ensureEvaluatorRole } from '../../domain/db/evaluator-role.ts';
import { showEvaluation } from '../../domain/evaluation-views.ts';
import { applyRegrading } from '../../domain/regrading-apply.ts';
import { listRegradingItems, listRegradings, showRegrading } from '../../domain/regrading-views.ts';
import { listStandings } from '../../domain/standings.ts';
import { wasmDriver } from '../../sandboxes/wasm/driver.ts';
import { lastText, programOf, scriptedGateway, wordCases, wordFiles, wordRubric } from '../setup/evaluation.ts';
import { eventsOf, installation, rowOf } from '../setup/records.ts';
import { type House, openHouse } from '../setup/stages.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

/* Evaluations that really ran, graded again by a newer version and put under it, on the database. */

let database: TestDatabase;
let house: House;
let account: { id: string; name: string };
let slug: string;
let count = 0;

beforeAll(async () => {
  database = await testDatabase();
  house = await openHouse(database);
  account = await ensureLocalAccount(database.db, installation);
  await house.start({ gateway: scriptedGateway((request) => lastText(request)), sandboxes: [wasmDriver()] });
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});
beforeEach(() => {
  slug = `words-${++count}`;
});

const feedback = { hiddenRounding: 0.1 };
const older = (more: object = {}) => wordFiles({ name: slug, demonstration: false, feedback, ...more });
/** Case p0 and h0 want another word now: what was right there is wrong. */
const newerCases = {
  public: wordCases('p', 3).map((one) => (one.id === 'p0' ? { ...one, expected: { word: 'other' } } : one)),
  hidden: wordCases('h', 2).map((one) => (one.id === 'h0' ? { ...one, expected: { word: 'other' } } : one)),
};
const newer = (more: object = {}) => wordFiles({ name: slug, demonstration: false, feedback, ...more }, newerCases);

const answers = (...ids: string[]): SubmissionDocument => ({
  kind: 'answers',
  answers: Object.fromEntries(['p0', 'p1', 'p2', 'h0', 'h1'].map((id) => [id, ids.includes(id) ? `word-${id}` : 'wrong'])),
});
const everything = answers('p0', 'p1', 'p2', 'h0', 'h1');

async function judged(document: SubmissionDocument = everything, options: { phase?: string; participant?: string } = {}): Promise<string> {
  const id = await house.submit(slug, document, options);
  expect(await house.settled(id)).toMatchObject({ status: 'done' });
  return id;
}

/** A folder of the newer version, as an operator has it. */
async function folderOf(files: Record<string, string>): Promise<string> {
  const folder = join(house.folder, `version-${uuidv7()}`);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

const closed = scriptedGateway(() => {
  throw new Error('a target was asked');
});

async function preview(files: Record<string, string> = newer(), options: Partial<Parameters<typeof makePreview>[2]> = {}): Promise<string> {
  return makePreview(
    { db: database.db, blobs: house.blobs, account },
    slug,
    { rubric: await folderOf(files), reason: 'The expected word was wrong', ...options },
    { gateway: closed, sandboxes: [wasmDriver()], signal: new AbortController().signal, told: () => {} },
  );
}

const apply = (id: string, more: Partial<Parameters<typeof applyRegrading>[2]> = {}) =>
  applyRegrading(database.db, id, { accountId: account.id, passStands: passStandsNow, ...more });
const itemsOf = async (id: string) => {
  const page = await listRegradingItems(database.db, id, { limit: 100 });
  if (page === null || !page.ok) throw new Error('no items');
  return page.items;
};
const standing = async (phase = 'all') => {
  const page = await listStandings(database.db, slug, { phase, limit: 100 });
  if (page === null || !page.ok) throw new Error('no standing');
  return page.items.map(({ participant, score, outcome }) => ({ participant, score, outcome }));
};
const history = (id: string) =>
  database.db.selectFrom('evaluation_verdict').selectAll().where('evaluation_id', '=', id).orderBy('seq').execute();

describe('a preview', () => {
  it('says what would change, case by case, and changes nothing that anybody sees', async () => {
    await house.publish(older());
    const id = await judged();
    const before = [await rowOf(database.db, id), await showEvaluation(database.db, id), await eventsOf(database.db, id), await standing()];
    const regrading = await preview();
    expect(await showRegrading(database.db, regrading)).toMatchObject({
      ...{
        challenge: slug,
        status: 'previewed',
        current: false,
        createdBy: 'local',
        appliedAt: null,
        reason: 'The expected word was wrong',
      },
      totals: { evaluations: 1, refused: 0, changed: 1, passToFail: 1, failToPass: 0, changedCases: 2, applied: 0, stale: 0 },
    });
    const [item] = await itemsOf(regrading);
    expect(item).toMatchObject({
      ...{ evaluationId: id, state: 'previewed', problem: null, cases: 5, changedCases: 2 },
      from: { outcome: 'pass', score: 1, rubricHash: before[0]?.['rubric_hash' as never] },
      to: { outcome: 'fail', score: 0.6 },
      criteria: expect.arrayContaining([{ name: 'given', from: 1, to: 0.6 }]),
      changed: [
        { caseId: 'h0', split: 'hidden', trial: 0, from: 1, to: 0 },
        { caseId: 'p0', split: 'public', trial: 0, from: 1, to: 0 },
      ].map((one) => ({
        ...one,
        criteria: [{ criterion: 'given', from: { status: 'graded', score: 1 }, to: { status: 'graded', score: 0 } }],
      })),
    });
    expect([
      await rowOf(database.db, id),
      await showEvaluation(database.db, id),
      await eventsOf(database.db, id),
      await standing(),
    ]).toEqual(before);
    expect(await history(id)).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    ['other trials', { trials: 2 }, /repeats of every case/],
    ['another form', { submission: wordRubric.submission.slice(0, 3), sandbox: undefined }, /submission forms.*\n.*sandbox/],
  ])('is refused for a version with %s, with the differences, and nothing of it is stored', async (_, change, said) => {
    await house.publish(older());
    await judged();
    await expect(preview(newer(change))).rejects.toThrow(said);
    expect(await listRegradings(database.db, slug, { limit: 5 })).toMatchObject({ items: [] });
    const versions = await database.db
      .selectFrom('rubric_version as r')
      .innerJoin('challenge as c', 'c.id', 'r.challenge_id')
      .select('r.hash')
      .where('c.slug', '=', slug)
      .execute();
    expect(versions).toHaveLength(1);
  });

  it('is refused where nothing is left to grade again, and for a folder of another challenge', async () => {
    await house.publish(older());
    await expect(preview()).rejects.toThrow('nothing to grade again');
    await judged();
    await expect(preview(newer(), { outcome: 'needs_review' })).rejects.toThrow('nothing to grade again');
    await expect(preview(newer(), { outcome: 'limit' })).rejects.toThrow('--outcome takes');
    await expect(preview(newer({ name: 'another-one' }))).rejects.toThrow('not of');
  });

  it('takes the evaluations that were asked for', async () => {
    await house.publish(older());
    const ofPublic: SubmissionDocument = { kind: 'answers', answers: { p0: 'word-p0', p1: 'word-p1', p2: 'word-p2' } };
    const [one, other, open] = [await judged(), await judged(answers('p1')), await judged(ofPublic, { phase: 'open' })];
    const idsOf = async (id: string) => (await itemsOf(id)).map((item) => item.evaluationId);
    expect(await idsOf(await preview(newer(), { evaluation: [other] }))).toEqual([other]);
    expect(await idsOf(await preview(newer(), { phase: 'open' }))).toEqual([open]);
    expect(await idsOf(await preview(newer(), { outcome: 'pass', phase: 'all' }))).toEqual([one]);
    const { rubric_hash: hash } = await rowOf(database.db, one);
    expect(await idsOf(await preview(newer(), { from: hash }))).toEqual([one, other, open]);
  });

  it('names a blob that is missing, and applies nothing to that evaluation', async () => {
    await house.publish(older());
    const id = await judged(programOf("return 'word-' + task.id;"));
    const [result] = await checkpoint(database.db, id);
    await sql`delete from small_blob where hash = ${result?.answerHash}`.execute(database.db);
    const regrading = await preview();
    const [item] = await itemsOf(regrading);
    expect(item).toMatchObject({ state: 'refused', to: null, problem: { code: 'kept_lost', faultOf: 'platform' } });
    expect(item?.problem?.message).toContain(result?.answerHash);
    expect(await apply(regrading)).toMatchObject({ ok: true, result: { applied: 0, refused: 1 } });
    expect(await rowOf(database.db, id)).toMatchObject({ outcome: 'pass', regraded_by: null });
  });

  it('that was never completed is neither shown nor applied', async () => {
    await house.publish(older());
    await judged();
    await judged();
    const stop = new AbortController();
    const made = makePreview(
      { db: database.db, blobs: house.blobs, account },
      slug,
      { rubric: await folderOf(newer()), reason: 'interrupted' },
      { gateway: closed, sandboxes: [], signal: stop.signal, told: (line) => line.includes('2 of 2') && stop.abort(new Error('stop')) },
    );
    await expect(made).rejects.toThrow('stop');
    const row = await database.db.selectFrom('regrading').selectAll().where('reason', '=', 'interrupted').executeTakeFirstOrThrow();
    expect(row.content_hash).toBeNull();
    expect(await showRegrading(database.db, row.id)).toBeNull();
    expect(await listRegradings(database.db, slug, { limit: 5 })).toMatchObject({ items: [] });
    expect(await apply(row.id)).toMatchObject({ ok: false, code: 'not_complete' });
  });
});

describe('applying', () => {
  it.each<[string, SubmissionDocument]>([
    ['answers', everything],
    ['prompts', { kind: 'prompts', prompts: Object.fromEntries(['p0', 'p1', 'p2', 'h0', 'h1'].map((id) => [id, `say word-${id}`])) }],
    ['defence', { kind: 'defence', systemPrompt: 'Say it.' }],
    ['program', programOf("return 'word-' + task.id;")],
  ])('gives a submission of %s exactly what was previewed, and keeps the verdict before', async (_, document) => {
    await house.publish(older());
    const id = await judged(document);
    const [before, grades] = [await rowOf(database.db, id), await checkpoint(database.db, id)];
    const regrading = await preview();
    const [item] = await itemsOf(regrading);
    expect(await apply(regrading)).toEqual({ ok: true, result: { applied: 1, before: 0, stale: [], refused: 0 } });
    const after = await rowOf(database.db, id);
    expect(after).toMatchObject({
      outcome: item?.to?.outcome,
      score: item?.to?.score,
      result_hash: item?.to?.resultHash,
      regraded_by: regrading,
    });
    expect(after).toMatchObject({ rubric_hash: item?.to?.rubricHash, usage: before.usage, seed: before.seed, done_at: before.done_at });
    expect(await checkpoint(database.db, id)).toEqual(grades);
    const kept = await history(id);
    expect(kept.map((one) => [one.seq, one.outcome, one.rubric_hash, one.result_hash, one.regrading_id])).toEqual([
      [1, 'pass', before.rubric_hash, before.result_hash, null],
      [2, 'fail', after.rubric_hash, after.result_hash, regrading],
    ]);
    expect(kept[0]).toMatchObject({ verdict: before.verdict, given_at: before.done_at });
  });

  it('shows the participant the verdict before, rounded as it was, and no hidden case', async () => {
    await house.publish(older());
    const id = await judged(answers('p0', 'p1', 'h0', 'h1'));
    const regrading = await preview(newer({ feedback: { hiddenRounding: 0.5 } }));
    await apply(regrading);
    const view = await showEvaluation(database.db, id);
    expect(view).toMatchObject({ outcome: 'fail', score: 0.5, rounded: true, resultHash: null });
    expect(view?.regraded).toMatchObject({ from: { outcome: 'fail', score: 0.8 }, reason: 'The expected word was wrong', verdicts: 2 });
    const events = await eventsOf(database.db, id);
    expect(events.filter((event) => event.kind === 'regraded')).toEqual([
      {
        kind: 'regraded',
        outcome: 'fail',
        score: 0.5,
        interval: view?.interval,
        from: { outcome: 'fail', score: 0.8 },
        reason: 'The expected word was wrong',
      },
    ]);
    const seen = JSON.stringify([view, events, await listCases(database.db, id, { limit: 100 })]);
    expect(seen).not.toMatch(/"h[01]"/);
  });

  it('gives the public cases their new grades, and those before by their number', async () => {
    await house.publish(older());
    const id = await judged();
    await apply(await preview());
    const scores = async (verdict?: number) => {
      const page = await listCases(database.db, id, { limit: 100, verdict });
      if (page === null || !page.ok) throw new Error('no cases');
      return page.items.map((one) => [one.caseId, one.score, one.grades.map((grade) => grade.score)]);
    };
    const first = ['p0', 'p1', 'p2'].map((caseId) => [caseId, 1, [1]]);
    expect(await scores()).toEqual([['p0', 0, [0]], ...first.slice(1)]);
    expect(await scores(2)).toEqual(await scores());
    expect(await scores(1)).toEqual(first);
    expect(await scores(3)).toEqual([]);
  });

  it('twice, or from two sides at once, happens once', async () => {
    await house.publish(older());
    const ids = [await judged(), await judged(answers('p0')), await judged(everything, { participant: 'another' })];
    const regrading = await preview();
    const both = await Promise.all([apply(regrading), apply(regrading)]);
    const results = both.map((one) => (one.ok ? one.result : null));
    expect(results.reduce((sum, one) => sum + (one?.applied ?? 0), 0)).toBe(3);
    expect(results.reduce((sum, one) => sum + (one?.before ?? 0), 0)).toBe(3);
    const state = async () =>
      Promise.all(ids.map(async (id) => [await rowOf(database.db, id), await history(id), await eventsOf(database.db, id)]));
    const once = await state();
    const view = await showRegrading(database.db, regrading);
    expect(await apply(regrading)).toMatchObject({ ok: true, result: { applied: 0, before: 3, stale: [] } });
    expect(await state()).toEqual(once);
    expect(await showRegrading(database.db, regrading)).toEqual(view);
    for (const id of ids) expect((await eventsOf(database.db, id)).filter((event) => event.kind === 'regraded')).toHaveLength(1);
  });

  it('that breaks off in the middle of an evaluation leaves it whole, and goes on from there', async () => {
    await house.publish(older());
    const [first, second] = [await judged(), await judged()];
    const regrading = await preview();
    const before = await rowOf(database.db, second);
    await sql
      .raw(`create function fail_here() returns trigger language plpgsql as $$ begin
      if new.evaluation_id = '${second}' and new.data->>'kind' = 'regraded' then raise exception 'the disk is full'; end if; return new; end $$`)
      .execute(database.db);
    await sql`create trigger fail_here before insert on event for each row execute function fail_here()`.execute(database.db);
    await expect(apply(regrading)).rejects.toThrow('the disk is full');
    await sql`drop function fail_here cascade`.execute(database.db);
    expect(await rowOf(database.db, first)).toMatchObject({ regraded_by: regrading });
    expect(await rowOf(database.db, second)).toEqual(before);
    expect(await history(second)).toEqual([]);
    expect(await showRegrading(database.db, regrading)).toMatchObject({ status: 'previewed', totals: { applied: 1 } });
    expect(await apply(regrading)).toMatchObject({ ok: true, result: { applied: 1, before: 1 } });
    expect(await showRegrading(database.db, regrading)).toMatchObject({ status: 'applied', totals: { applied: 2 } });
  });

  it('stops between two evaluations when it is told to', async () => {
    await house.publish(older());
    const [first, second] = [await judged(), await judged()];
    const regrading = await preview();
    const stop = new AbortController();
    await expect(apply(regrading, { signal: stop.signal, onApplied: () => stop.abort(new Error('stop')) })).rejects.toThrow('stop');
    expect(await rowOf(database.db, first)).toMatchObject({ regraded_by: regrading });
    expect(await rowOf(database.db, second)).toMatchObject({ regraded_by: null });
    expect(await apply(regrading)).toMatchObject({ ok: true, result: { applied: 1, before: 1 } });
  });

  it('leaves alone what another regrading has changed since', async () => {
    await house.publish(older());
    const id = await judged();
    const [stale, other] = [await preview(), await preview(newer({ pass: { threshold: 0.5, bound: 'point' } }))];
    await apply(other);
    const row = await rowOf(database.db, id);
    expect(row).toMatchObject({ outcome: 'pass', score: 0.6 });
    expect(await itemsOf(stale)).toMatchObject([{ state: 'stale' }]);
    expect(await apply(stale)).toEqual({ ok: true, result: { applied: 0, before: 0, stale: [id], refused: 0 } });
    expect(await rowOf(database.db, id)).toEqual(row);
  });

  it('can follow on another regrading: the history grows, and the differences are those from the last', async () => {
    await house.publish(older());
    const id = await judged();
    await apply(await preview());
    const back = await preview(older({ pass: { threshold: 0.8, bound: 'point' } }));
    expect(await itemsOf(back)).toMatchObject([
      {
        from: { outcome: 'fail', score: 0.6 },
        to: { outcome: 'pass', score: 1 },
        changedCases: 2,
        changed: [
          { from: 0, to: 1 },
          { from: 0, to: 1 },
        ],
      },
    ]);
    expect(await showRegrading(database.db, back)).toMatchObject({ totals: { failToPass: 1, passToFail: 0 } });
    await apply(back);
    expect((await history(id)).map((one) => [one.seq, one.outcome])).toEqual([
      [1, 'pass'],
      [2, 'fail'],
      [3, 'pass'],
    ]);
    expect((await showEvaluation(database.db, id))?.regraded).toMatchObject({ from: { outcome: 'fail', score: 0.6 }, verdicts: 3 });
  });
});

describe('the standing', () => {
  it('keeps to the version it is of, until the newer one is made current', async () => {
    await house.publish(older());
    await judged(everything, { participant: 'ann' });
    const kept = await judged(answers('p1', 'p2', 'h1'), { participant: 'bob' });
    expect(await standing()).toEqual([
      { participant: 'ann', score: 1, outcome: 'pass' },
      { participant: 'bob', score: 0.6, outcome: 'fail' },
    ]);
    const regrading = await preview(newer(), { evaluation: [kept] });
    await apply(regrading);
    // His only evaluation belongs to another version now.
    expect(await standing()).toEqual([{ participant: 'ann', score: 1, outcome: 'pass' }]);
    const rest = await preview();
    await apply(rest, { makeCurrent: true });
    expect(await standing()).toEqual([
      { participant: 'ann', score: 0.6, outcome: 'fail' },
      { participant: 'bob', score: 0.6, outcome: 'fail' },
    ]);
    expect(await showRegrading(database.db, rest)).toMatchObject({ current: true });
  });

  it('takes a participant’s best anew when the one that was the best got worse', async () => {
    await house.publish(newer({ title: 'The version that is current' }));
    const best = await judged(answers('p1', 'p2', 'h1'), { participant: 'ann' });
    await judged(answers('p1', 'p2'), { participant: 'ann' });
    const none = newer({ title: 'Nothing is right' });
    const files = { ...none, 'cases/public.jsonl': none['cases/public.jsonl']!.replaceAll('"word":"word-', '"word":"no-') };
    await apply(await preview(files, { evaluation: [best] }));
    expect(await standing()).toEqual([{ participant: 'ann', score: 0.4, outcome: 'fail' }]);
  });
});

describe('what nobody can do', () => {
  it('change a preview once it is complete, whatever statement they find', async () => {
    await house.publish(older());
    const id = await judged();
    const regrading = await preview();
    for (const statement of [
      `update regrading set reason = 'other' where id = '${regrading}'`,
      `update regrading set content_hash = repeat('0', 64) where id = '${regrading}'`,
      `delete from regrading where id = '${regrading}'`,
      `update regrading_item set verdict = '{}' where regrading_id = '${regrading}'`,
      `update regraded_case set score = 1 where regrading_id = '${regrading}'`,
      `delete from regraded_case where regrading_id = '${regrading}'`,
      `insert into regraded_case (regrading_id, evaluation_id, trial, case_id, grades, changed) values ('${regrading}', '${id}', 7, 'p0', '[]', true)`,
    ])
      await expect(database.pool.query(statement), statement).rejects.toThrow(/complete|immutable/);
  });

  it('give an evaluation a verdict that was not previewed', async () => {
    await house.publish(older());
    const id = await judged();
    const regrading = await preview();
    const columns = 'evaluation_id, seq, rubric_hash, hidden_rounding, outcome, reason, verdict, result_hash, simulated, given_at';
    const first = `insert into evaluation_verdict (${columns}) select id, 1, rubric_hash, hidden_rounding, outcome, reason, verdict, result_hash, simulated, done_at from evaluation where id = '${id}'`;
    const forged = `insert into evaluation_verdict (${columns}, regrading_id, applied_by)
      select evaluation_id, 2, (select to_rubric_hash from regrading where id = regrading_id), 0.1, 'pass', null, from_verdict, from_result_hash, simulated, now(),
      regrading_id, '${account.id}' from regrading_item where regrading_id = '${regrading}'`;
    await expect(database.pool.query(`${first}; ${forged}`)).rejects.toThrow('not the one that was previewed');
    await expect(database.pool.query(`update evaluation set score = 0, regraded_by = '${regrading}' where id = '${id}'`)).rejects.toThrow(
      'history',
    );
    await expect(database.pool.query(`update evaluation set score = 0 where id = '${id}'`)).rejects.toThrow('is done and cannot change');
    await apply(regrading);
    await expect(database.pool.query(`update evaluation set score = 1 where id = '${id}'`)).rejects.toThrow('is done and cannot change');
    await expect(database.pool.query(`delete from evaluation_verdict where evaluation_id = '${id}'`)).rejects.toThrow('immutable');
  });

  it('apply a preview whose rows somebody changed behind the triggers', async () => {
    await house.publish(older());
    const id = await judged();
    const regrading = await preview();
    await database.pool.query(`alter table regraded_case disable trigger user`);
    await database.pool.query(`update regraded_case set score = 1 where regrading_id = $1 and case_id = 'p0'`, [regrading]);
    await database.pool.query(`alter table regraded_case enable trigger user`);
    expect(await apply(regrading)).toMatchObject({ ok: false, code: 'forged' });
    expect(await rowOf(database.db, id)).toMatchObject({ outcome: 'pass', regraded_by: null });
  });

  it('touch any of it as the role that runs submitted code', async () => {
    await house.publish(older());
    const id = await judged();
    const regrading = await preview();
    await using evaluator = openDatabase(await ensureEvaluatorRole(database.url, 'a password of the test'), {
      maxConnections: 2,
      name: 'evaluator',
    });
    for (const table of ['regrading', 'regrading_item', 'regraded_case', 'evaluation_verdict'])
      for (const statement of [`select * from ${table}`, `insert into ${table} default values`, `delete from ${table}`])
        await expect(evaluator.pool.query(statement), statement).rejects.toThrow('permission denied');
    await expect(evaluator.pool.query(`update evaluation set regraded_by = '${regrading}' where id = '${id}'`)).rejects.toThrow(
      'permission denied',
    );
    await expect(applyRegrading(evaluator.db, regrading, { accountId: account.id, passStands: passStandsNow })).rejects.toThrow(
      'permission denied',
    );
  });
});

it('events of a regrading keep their schema', () => {
  const event = { kind: 'regraded', outcome: 'pass', score: null, interval: null, from: { outcome: 'fail', score: 0.5 }, reason: 'why' };
  expect(EvaluationEvent.parse(event)).toEqual(event);
});
