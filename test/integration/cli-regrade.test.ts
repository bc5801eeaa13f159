import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EvaluationView, pageOf, Problem, SubmissionView } from '../../contracts/api.ts';
import { paths } from '../../contracts/paths.ts';
import { RegradingItem, RegradingView } from '../../contracts/regrading.ts';
import { projectRoot, type RunningCli, runCli } from '../setup/cli.ts';
import { everythingRuns, interrupt, newHome, removeHome, type Server, serverOf, startIn, step } from '../setup/start.ts';

/* `collective regrade` as an operator uses it: beside a server that `collective start` brought up, and after it has stopped. */

const slug = 'trigger-recovery';
const sample = `rubrics/library/${slug}/samples/official-sample.json`;
let home: string;
let folder: string;
let cli: RunningCli;
let server: Server;
let evaluationId: string;

beforeAll(async () => {
  home = await newHome();
  folder = join(await mkdtemp(join(tmpdir(), 'collective-newer-')), slug);
  cli = startIn(home);
  server = await serverOf(cli);
  await step(cli, everythingRuns);
  const submitted = await collective(['submit', slug, '--submission', sample, '--phase', 'development', '--json']);
  expect(submitted).toMatchObject({ code: 0, stderr: '' });
  const submission = SubmissionView.parse(JSON.parse(submitted.stdout));
  evaluationId = submission.evaluation.id;
  expect((await collective(['watch', submission.id])).code).toBe(0);
  await cp(join(projectRoot, 'rubrics/library', slug), folder, { recursive: true });
}, 240_000);

afterAll(async () => {
  await interrupt(cli);
  await removeHome(home);
  await rm(join(folder, '..'), { recursive: true, force: true });
}, 60_000);

const collective = (args: string[]) => runCli(args, { COLLECTIVE_HOME: home });
const regrade = (...args: string[]) => collective(['regrade', ...args]);

/** Makes the threshold one that nobody reaches. */
async function changeRubric(): Promise<void> {
  const file = join(folder, 'rubric.yaml');
  const text = await readFile(file, 'utf8');
  const changed = text.replace(/^pass:.*(\n {2}.*)*/m, 'pass: { threshold: 2, bound: point }');
  expect(changed).not.toBe(text);
  await writeFile(file, changed);
}

async function ask(path: string, init: RequestInit & { visitor?: boolean } = {}): Promise<{ status: number; body: unknown }> {
  const headers = new Headers(init.headers);
  if (init.visitor !== true) headers.set('authorization', `Bearer ${server.token}`);
  const reply = await fetch(new URL(path, server.url), { ...init, headers });
  return { status: reply.status, body: await reply.json() };
}

describe('collective regrade', () => {
  let id: string;

  it('refuses a version that nothing differs in, and reasons nobody gave', async () => {
    expect(await regrade('preview', slug, '--rubric', folder, '--reason', 'nothing changed')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('nothing to grade again'),
    });
    expect(await regrade('preview', slug, '--rubric', folder)).toMatchObject({ code: 2, stderr: expect.stringContaining('--reason') });
    expect(await regrade('preview', 'no-such-challenge', '--reason', 'x')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no challenge'),
    });
    expect(await regrade('apply', 'nonsense')).toMatchObject({ code: 2, stderr: expect.stringContaining('not the id of a preview') });
  });

  it('previews beside the running server, and changes nothing', async () => {
    await changeRubric();
    const made = await regrade('preview', slug, '--rubric', folder, '--evaluation', evaluationId, '--reason', 'The threshold was too low');
    expect(made.code).toBe(0);
    expect(made.stdout).toMatch(/^ {2}pass 1.* → fail 1/m);
    expect(made.stdout).toContain('1 evaluations: 1 change, pass to fail 1, fail to pass 0, 0 cases with other grades');
    id = /regrade apply (\S+)$/m.exec(made.stdout)?.[1] ?? '';
    const view = EvaluationView.parse((await ask(paths.evaluation(evaluationId))).body);
    expect(view).toMatchObject({ outcome: 'pass', regraded: null });
    const listed = await regrade('list', slug);
    expect(listed.stdout).toContain(`${id}  previewed`);
  });

  it('shows it through the API to who is signed in, and to nobody else', async () => {
    expect(RegradingView.parse((await ask(paths.regrading(id))).body)).toMatchObject({ status: 'previewed', totals: { passToFail: 1 } });
    expect(pageOf(RegradingItem).parse((await ask(paths.regradingItems(id))).body).items).toMatchObject([
      { evaluationId, state: 'previewed' },
    ]);
    expect(pageOf(RegradingView).parse((await ask(paths.regradingsOf(slug))).body).items).toHaveLength(1);
    for (const path of [paths.regrading(id), paths.regradingItems(id), paths.regradingsOf(slug)])
      expect((await ask(path, { visitor: true })).status).toBe(401);
    const body = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };
    expect((await ask(paths.applyRegrading(id), { ...body, visitor: true })).status).toBe(401);
    const unknown = await ask(paths.applyRegrading('0198c5a0-0000-7000-8000-000000000000'), body);
    expect(Problem.parse(unknown.body)).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('applies it as it was shown; the page and the cases have the verdict before', async () => {
    const applied = await regrade('apply', id);
    expect(applied).toMatchObject({ code: 0, stderr: '' });
    expect(applied.stdout).toContain('1 evaluations have their new verdict');
    expect(applied.stdout).toContain('--make-current');
    const view = EvaluationView.parse((await ask(paths.evaluation(evaluationId))).body);
    expect(view).toMatchObject({
      outcome: 'fail',
      regraded: { from: { outcome: 'pass', score: 1 }, reason: 'The threshold was too low', verdicts: 2 },
    });
    expect((await ask(`${paths.cases(evaluationId)}?verdict=1`)).body).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ split: 'public' })]),
    });
  });

  it('applies it through the API too, where it is applied already', async () => {
    const again = await ask(paths.applyRegrading(id), {
      method: 'POST',
      body: '{"makeCurrent":true}',
      headers: { 'content-type': 'application/json' },
    });
    expect(RegradingView.parse(again.body)).toMatchObject({ status: 'applied', current: true, totals: { applied: 1 } });
  });

  it('finds the database when no server runs, and stops it again', async () => {
    await interrupt(cli);
    const shown = await regrade('show', id, '--json');
    expect(shown).toMatchObject({ code: 0 });
    const { regrading, items } = JSON.parse(shown.stdout) as { regrading: unknown; items: unknown[] };
    expect(RegradingView.parse(regrading)).toMatchObject({ id, status: 'applied' });
    expect(RegradingItem.parse(items[0])).toMatchObject({ evaluationId, state: 'applied' });
    cli = startIn(home);
    server = await serverOf(cli);
    await step(cli, 'server and workers are ready');
    expect(EvaluationView.parse((await ask(paths.evaluation(evaluationId))).body)).toMatchObject({ outcome: 'fail' });
  }, 120_000);
});
