import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeAwardCode } from '../../contracts/judge-audits.ts';
import { paths } from '../../contracts/paths.ts';
import { rubricAt } from '../../cli/local-machine.ts';
import { passStandsNow } from '../../cli/pass-stands.ts';
import { makePreview } from '../../cli/regrade-preview.ts';
import { ensureSampleAccount } from '../../domain/accounts.ts';
import { showChallenge } from '../../domain/challenges.ts';
import { awardStanding, listJudgeAudits, recordJudgeAudit } from '../../domain/judge-audits.ts';
import { applyRegrading } from '../../domain/regrading-apply.ts';
import { createGateway } from '../../gateway/gateway.ts';
import { createProviders } from '../../gateway/providers/create.ts';
import type { LoadedRubric } from '../../rubrics/rubric.ts';
import { firstAwards } from '../../rubrics/calibration/award-rule.ts';
import { type Api, startApi } from '../setup/api.ts';
import { judgeBehaviour, judgedGraderSpec, labelledRows, linesOf, realJudges } from '../setup/calibration.ts';
import { runCli } from '../setup/cli.ts';
import { wordFiles } from '../setup/evaluation.ts';
import { temporaryFolder } from '../setup/rubrics.ts';
import { type OpenAiServer, openAiServer } from '../setup/openai-server.ts';
import { type House, openHouse } from '../setup/stages.ts';

/*
 * Money on judged scores, end to end: the real command compares both judges with people over the wire, its reports go
 * into a rubric with a bounty, and passes of that rubric wait for people until the award rule lets the judge decide.
 */

const slug = 'judged-bounty';
let server: OpenAiServer;
let api: Api;
let house: House;
let rubric: LoadedRubric;
let reports: Record<string, string>;
const root = await mkdtemp(join(tmpdir(), 'collective-judge-awards-'));

const files = (calibrated: readonly string[], changes: Record<string, unknown> = {}) =>
  wordFiles(
    {
      name: slug,
      demonstration: false,
      submission: [{ kind: 'answers', schema: { type: 'string', maxLength: 200 } }],
      targets: [],
      budget: undefined,
      sandbox: undefined,
      phases: [{ name: 'open', title: 'Open', splits: ['public'] }],
      cases: { public: 'cases/public.jsonl' },
      judges: realJudges,
      judging: { calls: 500, inputTokens: 2_000_000, outputTokens: 1_000_000, costMicros: 10_000_000 },
      criteria: [{ name: 'said', title: 'It says the word', grader: judgedGraderSpec }],
      calibrations: calibrated.map((name) => ({ criterion: 'said', report: `calibrations/${name}.json` })),
      bounties: [{ name: 'first', threshold: 0.9, amountMinor: 100_000, currency: 'EUR', count: 1 }],
      ...changes,
    },
    { public: [{ id: 'p0', input: { prompt: 'Say it.' } }] },
    Object.fromEntries(calibrated.map((name) => [`calibrations/${name}.json`, reports[name] ?? ''])),
  );

beforeAll(async () => {
  server = await openAiServer();
  server.behave(judgeBehaviour());
  await writeFile(join(root, 'rows.jsonl'), linesOf(labelledRows(['whoever'], 210)));
  await writeFile(join(root, 'grader.yaml'), JSON.stringify({ grader: judgedGraderSpec, judges: realJudges }));
  const fields = ['--text', 'answer', '--label', 'human', '--positive', 'yes', '--adversarial', 'attack'];
  const common = ['calibrate', '--grader', join(root, 'grader.yaml'), '--data', join(root, 'rows.jsonl'), ...fields];
  for (const [name, more] of [
    ['arbiter', []],
    ['second', ['--held-out']],
  ] as const) {
    const done = await runCli([...common, ...more, '--out', join(root, `${name}.json`)], { OPENAI_BASE_URL: server.baseUrl });
    expect(done).toMatchObject({ code: 0, stderr: '' });
  }
  reports = {
    arbiter: await readFile(join(root, 'arbiter.json'), 'utf8'),
    second: await readFile(join(root, 'second.json'), 'utf8'),
  };
  api = await startApi();
  house = await openHouse(api.database);
  rubric = await house.publish(files(['arbiter', 'second']));
  await house.start({ gateway: createGateway(createProviders({ openaiBaseUrl: server.baseUrl }), { retry: { delay: async () => {} } }) });
}, 120_000);
afterAll(async () => {
  await house[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await rm(root, { recursive: true, force: true });
});

const right = { kind: 'answers' as const, answers: { p0: 'It is abracadabra.' } };
const wrong = { kind: 'answers' as const, answers: { p0: 'It is something else.' } };
const judged = async (participant: string, document = right) => {
  const id = await house.submit(slug, document, { participant });
  return { id, row: await house.settled(id) };
};
const grade = { criterion: 'said', caseId: 'p0', trial: 0 };
const audit = (evaluationId: string, passed: boolean, more: object = {}, account: { id: string } = api.account) =>
  recordJudgeAudit(house.db, { account, evaluationId, audit: { passed, reason: 'I looked at it.', ...more } });

describe('a rubric whose judges are calibrated', () => {
  it('may carry bounties, and says so; without a report for the held-out judge it is refused', async () => {
    expect((await showChallenge(house.db, slug))?.judgeMoney).toEqual({ judged: true, holdsMoney: true, reasons: [] });
    await expect(house.publish(files(['arbiter']))).rejects.toThrow('no calibration is about');
  });

  it('leaves a pass to people, with its score, and a fail as it is', async () => {
    const { row } = await judged('passer');
    expect(row).toMatchObject({ status: 'done', outcome: 'needs_review', score: 1, simulated: false, attempt: 1 });
    expect(row.reason).toMatchObject({ code: judgeAwardCode, message: expect.stringContaining('have decided 0') });
    expect(row.result_hash).toMatch(/^[0-9a-f]{64}$/);
    expect((await judged('failer', wrong)).row).toMatchObject({ outcome: 'fail', score: 0 });
  });
});

describe('a fail that becomes a pass when it is graded again', () => {
  it('waits for people as every judged award does', async () => {
    const { id } = await judged('graded-again', wrong);
    await using newer = await temporaryFolder(files(['arbiter', 'second'], { pass: { threshold: 0, bound: 'point' } }));
    const gateway = createGateway(createProviders({ openaiBaseUrl: server.baseUrl }));
    const regrading = await makePreview(
      { db: house.db, blobs: house.blobs, account: api.account },
      slug,
      { rubric: newer.path, reason: 'The threshold was too high.', evaluation: [id] },
      { gateway, sandboxes: [], signal: new AbortController().signal, told: () => {} },
    );
    const item = await house.db
      .selectFrom('regrading_item')
      .select(['verdict', 'problem'])
      .where('regrading_id', '=', regrading)
      .executeTakeFirstOrThrow();
    expect(item).toMatchObject({ problem: null, verdict: { outcome: 'needs_review', score: 0, reason: { code: judgeAwardCode } } });
  });
});

describe('audits', () => {
  it('are recorded once per person and thing, never of one’s own submission, and of what a judge decided only', async () => {
    const { id } = await judged('audited');
    const own = await ensureSampleAccount(house.db, 'audited');
    expect(await audit(id, true, {}, own)).toMatchObject({ ok: false, code: 'own_submission' });
    expect(await audit(id, true, { grade: { ...grade, criterion: 'other' } })).toMatchObject({ ok: false, code: 'no_such_grade' });
    expect(await audit(id, true, { grade: { ...grade, caseId: 'p9' } })).toMatchObject({ ok: false, code: 'no_such_grade' });
    const failed = await judged('no-award', wrong);
    expect(await audit(failed.id, false)).toMatchObject({ ok: false, code: 'no_award' });
    // Two requests of one person at once: one counts.
    const both = await Promise.all([audit(id, true, { grade }), audit(id, false, { grade })]);
    expect(both.map(({ ok }) => ok).sort()).toEqual([false, true]);
    expect(both.find(({ ok }) => !ok)).toMatchObject({ code: 'already_audited' });
    const other = await ensureSampleAccount(house.db, 'another auditor');
    expect(await audit(id, true, { grade }, other)).toMatchObject({ ok: true, created: true });
    expect(await listJudgeAudits(house.db, id)).toMatchObject([
      { grade: { ...grade, score: 1 }, judgePassed: true, target: null, by: 'local' },
      { grade: { ...grade, score: 1 }, judgePassed: true, by: 'another auditor', humanPassed: true },
    ]);
    await expect(house.db.updateTable('judge_audit').set({ human_passed: true }).execute()).rejects.toThrow('immutable');
    await expect(house.db.deleteFrom('judge_audit').execute()).rejects.toThrow('immutable');
  });

  it('come in over HTTP, the same request again answering the same; not from visitors', async () => {
    const { id } = await judged('over-http');
    const post = (payload: object, headers: Record<string, string> = {}) =>
      api.app.inject({ method: 'POST', url: paths.judgeAudits(id), payload, headers: { host: 'localhost', ...api.bearer, ...headers } });
    const body = { grade, passed: true, reason: 'It does say it.' };
    const first = await post(body, { 'idempotency-key': 'one' });
    expect(first.statusCode).toBe(201);
    const again = await post(body, { 'idempotency-key': 'one' });
    expect([again.statusCode, again.json()]).toEqual([200, first.json()]);
    expect((await post({ ...body, passed: false }, { 'idempotency-key': 'one' })).json()).toMatchObject({ code: 'idempotency_conflict' });
    expect((await post(body)).json()).toMatchObject({ status: 409, detail: expect.stringContaining('it stands') });
    expect((await post({ passed: 'yes', reason: '' })).statusCode).toBe(400);
    const listed = await api.app.inject({ url: paths.judgeAudits(id), headers: { host: 'localhost', ...api.bearer } });
    expect(listed.json()).toMatchObject({ items: [{ grade, humanPassed: true, by: 'local' }] });
    const visitor = await api.app.inject({ url: paths.judgeAudits(id), headers: { host: 'localhost' } });
    expect(visitor.statusCode).toBe(401);
  });
});

describe('the award rule', () => {
  it('lets the judge decide after 50 audited awards, stops when people disagree, and goes on when they agree again', async () => {
    const { awardsAudited } = await awardStanding(house.db, rubric.hash, 50);
    const ids: string[] = [];
    for (let i = awardsAudited; i < firstAwards; i++) {
      const { id, row } = await judged(`award-${i}`);
      expect(row.outcome).toBe('needs_review');
      expect(await audit(id, true)).toMatchObject({ ok: true });
      ids.push(id);
    }
    expect((await judged('fifty-first')).row).toMatchObject({ outcome: 'pass', reason: null, score: 1 });

    // Grades of awards, all passed by the judge: people say no to half of them.
    for (const [i, id] of ids.entries()) expect(await audit(id, i % 2 === 0, { grade })).toMatchObject({ ok: true });
    const stopped = await judged('stopped');
    expect(stopped.row).toMatchObject({ outcome: 'needs_review', reason: { code: judgeAwardCode } });
    expect(JSON.stringify(stopped.row.reason)).toContain('disagreed with the judge');

    // Fifty more on which both agree, passes and fails.
    const other = await ensureSampleAccount(house.db, 'second auditor');
    for (let i = 0; i < 10; i++) {
      const { id } = await judged(`fail-${i}`, wrong);
      expect(await audit(id, false, { grade }, other)).toMatchObject({ ok: true });
    }
    for (const id of ids.slice(0, 40)) expect(await audit(id, true, { grade }, other)).toMatchObject({ ok: true });
    expect((await judged('going-on')).row).toMatchObject({ outcome: 'pass' });
  }, 180_000);

  it('holds back an applied regrading whose pass people overruled since its preview, also while it is being applied', async () => {
    const { id } = await judged('regraded', wrong);
    await using newer = await temporaryFolder(files(['arbiter', 'second'], { pass: { threshold: 0, bound: 'point' } }));
    const version = (await rubricAt(newer.path)).hash;
    const gateway = createGateway(createProviders({ openaiBaseUrl: server.baseUrl }));
    const previewed = async () => {
      const made = await makePreview(
        { db: house.db, blobs: house.blobs, account: api.account },
        slug,
        { rubric: newer.path, reason: 'The threshold was too high.', evaluation: [id] },
        { gateway, sandboxes: [], signal: new AbortController().signal, told: () => {} },
      );
      const item = house.db.selectFrom('regrading_item').select('verdict').where('regrading_id', '=', made);
      return { made, ...(await item.executeTakeFirstOrThrow()) };
    };
    const apply = (made: string) => applyRegrading(house.db, made, { accountId: api.account.id, passStands: passStandsNow });
    await previewed();
    // Fifty awards of the newer version that people confirmed.
    const awards = await house.db.selectFrom('judge_audit').select('evaluation_id').distinct().where('criterion', 'is', null).execute();
    const said = (evaluationId: string, passed: boolean, account: string) => ({
      ...{ id: randomUUID(), evaluation_id: evaluationId, rubric_hash: version, judge_passed: true, human_passed: passed },
      ...{ account_id: account, reason: 'I looked at it.' },
    });
    const people = await Promise.all(['third', 'fourth'].map((name) => ensureSampleAccount(house.db, `${name} auditor`)));
    const [third, fourth] = people.map((one) => one.id) as [string, string];
    const values = awards.slice(0, firstAwards).map(({ evaluation_id }) => said(evaluation_id, true, third));
    expect(values).toHaveLength(firstAwards);
    await house.db.insertInto('judge_audit').values(values).execute();
    const preview = await previewed();
    expect(preview.verdict).toMatchObject({ outcome: 'pass' });

    // An overruling that is written when the apply begins, and committed while it waits.
    const trx = await house.db.startTransaction().execute();
    await trx
      .insertInto('judge_audit')
      .values(awards.slice(0, 3).map(({ evaluation_id }) => said(evaluation_id, false, fourth)))
      .execute();
    const applied = apply(preview.made);
    const waiting = async () => (await sql`select 1 from pg_locks where not granted`.execute(house.db)).rows.length;
    await expect.poll(waiting, { timeout: 20_000 }).toBeGreaterThan(0);
    await trx.commit().execute();
    expect(await applied).toMatchObject({ ok: true, result: { applied: 0, stale: [id] } });
    expect(await house.settled(id)).toMatchObject({ outcome: 'fail', rubric_hash: rubric.hash });
    expect(await awardStanding(house.db, version, 50)).toMatchObject({ awardsAudited: 50, awardsAgreed: 47 });
    // Previewed anew it waits for people, and that is applied.
    const anew = await previewed();
    expect(anew.verdict).toMatchObject({ outcome: 'needs_review', reason: { code: judgeAwardCode } });
    expect(await apply(anew.made)).toMatchObject({ ok: true, result: { applied: 1, stale: [] } });
  }, 60_000);
});
