import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { retryPolicy } from '../../contracts/queue.ts';
import { cancel } from '../../domain/cancelling.ts';
import { listCases } from '../../domain/case-views.ts';
import { checkpoint } from '../../domain/checkpoint.ts';
import { showEvaluation } from '../../domain/evaluation-views.ts';
import { createGateway } from '../../gateway/gateway.ts';
import { createProviders } from '../../gateway/providers/create.ts';
import type { ChatEvent, Provider } from '../../gateway/providers/provider.ts';
import { simulatedProvider } from '../../gateway/providers/simulated.ts';
import { simulatedModels } from '../../gateway/providers/simulated/registry.ts';
import { keyOfReply } from '../../gateway/reply-cache.ts';
import type { LoadedRubric } from '../../rubrics/rubric.ts';
import { rightAnswers, wordCases, wordFiles } from '../setup/evaluation.ts';
import { eventsOf } from '../setup/records.ts';
import { type House, openHouse } from '../setup/stages.ts';
import { until } from '../setup/until.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

/* Whole evaluations by judges, on the database, with the real gateway and the simulated judges. */

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const budget = { calls: 500, inputTokens: 2_000_000, outputTokens: 500_000, costMicros: 10_000_000 };
const price = { inputMicrosPerMillion: 1_000_000, outputMicrosPerMillion: 1_000_000 };
const cases = 4;

/** A rubric without targets whose answers are judged; answers of `rightAnswers` hold what the honest judge looks for. */
const files = (name: string, judges: object[]) =>
  wordFiles(
    {
      name,
      submission: [{ kind: 'answers', schema: { type: 'string', maxLength: 100 } }],
      targets: [],
      budget: undefined,
      sandbox: undefined,
      phases: [{ name: 'open', title: 'Open', splits: ['public'] }],
      cases: { public: 'cases/public.jsonl' },
      judges: judges.map((judge) => ({ settings: { yesIfAny: ['word-'] }, maxOutputTokens: 512, timeoutMs: 5_000, ...judge })),
      judging: budget,
      criteria: [
        {
          name: 'said',
          title: 'It says the word',
          grader: {
            kind: 'judge',
            of: 'answer',
            question: { form: 'yes-no', ask: 'Does the text say a magic word?' },
            judges: judges.map((judge) => (judge as { name: string }).name),
            sentinels: { pass: [{ text: 'Here it is: word-sesame.' }], fail: [{ text: 'There is nothing of the kind here.' }] },
          },
        },
      ],
    },
    { public: wordCases('p', cases) },
  );

const simulated = (name: string, model: string, more: object = {}) => ({
  name,
  provider: 'simulated',
  model: `simulated-judge-${model}`,
  ...more,
});
const gatewayOf = (openai?: Provider) =>
  createGateway({ ...createProviders({}), ...(openai && { openai }) }, { retry: { delay: async () => {} } });

async function judged(name: string, judges: object[], answers?: Record<string, string>) {
  const house = await openHouse(database);
  const rubric = await house.publish(files(name, judges));
  await house.start({ gateway: gatewayOf() });
  const document = answers === undefined ? rightAnswers(rubric) : { kind: 'answers' as const, answers };
  return { house, id: await house.submit(name, document) };
}

const wrong = Object.fromEntries(wordCases('p', cases).map((one) => [one.id, 'nothing that helps']));
const callsOf = async (house: House, id: string) =>
  await house.db.selectFrom('model_call').selectAll().where('evaluation_id', '=', id).execute();

describe('an honest judge', () => {
  it.each([
    ['right answers', undefined, 'pass', 1],
    ['wrong answers', wrong, 'fail', 0],
  ] as const)('gives a verdict on %s, at the sponsor’s cost', async (what, answers, outcome, score) => {
    const { house, id } = await judged(`honest-${what.replace(' ', '-')}`, [simulated('arbiter', 'honest')], answers);
    await using _house = house;
    expect(await house.settled(id)).toMatchObject({ status: 'done', outcome, score, simulated: true, attempt: 1 });
    const results = await checkpoint(house.db, id);
    expect(results.map((one) => one.usage.calls)).toEqual([0, 0, 0, 0]);
    const paid = results.reduce((sum, one) => sum + (one.judging?.calls ?? 0), 0);
    const calls = await callsOf(house, id);
    expect(calls.every((call) => call.asked_by === 'judge' && call.simulated && call.target === 'arbiter')).toBe(true);
    expect(paid).toBe(calls.length);
    // A question for each case, and at least the three sentinels of one batch.
    expect(paid).toBeGreaterThanOrEqual(cases + 3);
    expect(await showEvaluation(house.db, id)).toMatchObject({ usage: { calls: 0, costMicros: '0' } });
  });

  it('saves the cases of one that misses its sentinels', async () => {
    const { house, id } = await judged('second-judge', [simulated('pushover', 'always-pass'), simulated('arbiter', 'honest')]);
    await using _house = house;
    expect(await house.settled(id)).toMatchObject({ status: 'done', outcome: 'pass', attempt: 1 });
  });
});

describe('a judge that cannot be believed', () => {
  it.each([
    ['always-pass', /missed a sentinel/, {}],
    ['injectable', /missed a sentinel/, {}],
    ['refusing', /missed a sentinel/, {}],
    ['broken-json', /missed a sentinel/, {}],
    ['slow', /did not answer.*within 100 ms/, { timeoutMs: 100 }],
  ])('(%s) ends every attempt as an error, passes nobody and costs no attempt', { timeout: 60_000 }, async (model, message, more) => {
    for (const answers of [undefined, wrong]) {
      const name = `${model}-${answers === undefined ? 'right' : 'wrong'}`;
      const { house, id } = await judged(name, [simulated('arbiter', model, more)], answers);
      await using _house = house;
      const row = await house.settled(id, 30_000);
      expect(row).toMatchObject({
        status: 'parked',
        outcome: null,
        score: null,
        verdict: null,
        attempt: retryPolicy.attempts,
        attempt_cost: 'returned',
      });
      expect(row.reason).toMatchObject({ code: 'grader_failed', message: expect.stringMatching(message) });
      expect(await checkpoint(house.db, id)).toEqual([]);
      expect(await listCases(house.db, id, { limit: 10 })).toMatchObject({ items: [] });
      expect((await eventsOf(house.db, id)).some((event) => event.kind === 'verdict')).toBe(false);
      const { account_id } = await house.db
        .selectFrom('submission')
        .select('account_id')
        .where('id', '=', row.submission_id)
        .executeTakeFirstOrThrow();
      expect(await cancel(house.db, id, { id: account_id })).toEqual({ ok: true, attemptCost: 'returned' });
    }
  });
});

describe('a worker that stops in the middle', () => {
  /** The honest judge behind the name of a provider that is paid; hangs on texts that hold `hangOn` until that is null. */
  function paidJudge() {
    const honest = simulatedProvider(simulatedModels);
    const state = { hangOn: null as string | null, hanging: 0, asked: [] as string[], answered: [] as string[], sentinels: 0 };
    const provider: Provider = {
      address: 'https://judge.example/v1',
      check: () => null,
      stream: async function* (request, target, context, signal): AsyncGenerator<ChatEvent> {
        const key = keyOfReply(request, target, 'here');
        const text = request.messages.at(-1)?.content ?? '';
        const isSentinel = text.includes('sesame') || text.includes('nothing');
        if (isSentinel) state.sentinels++;
        else state.asked.push(key);
        if (state.hangOn !== null && text.includes(state.hangOn)) {
          state.hanging++;
          await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
        }
        for await (const event of honest.stream(request, { ...target, model: 'simulated-judge-honest' }, context, signal)) {
          if (event.type === 'end' && !isSentinel) state.answered.push(key);
          yield event;
        }
      },
    };
    return { provider, state };
  }

  it('is followed by one that pays for no question twice, and asks its sentinels anew', async () => {
    const { provider, state } = paidJudge();
    await using house = await openHouse(database);
    const rubric: LoadedRubric = await house.publish(
      files('paid-once', [{ name: 'arbiter', provider: 'openai', model: 'judge-1', price }]),
    );
    // A sentinel of the first batch: questions are answered, and nothing comes of them yet.
    state.hangOn = 'sesame';
    const gateway = gatewayOf(provider);
    const first = await house.start({ gateway });
    const id = await house.submit('paid-once', rightAnswers(rubric));
    await until('the judge hangs on a sentinel, and has answered a question', () => state.hanging > 0 && state.answered.length >= 1);
    const kept = async () =>
      Number(
        (
          await house.db
            .selectFrom('judge_reply')
            .select((eb) => eb.fn.countAll().as('n'))
            .executeTakeFirstOrThrow()
        ).n,
      );
    await until('what was answered is kept', async () => (await kept()) === state.answered.length);
    await first[Symbol.asyncDispose]();
    const paidBefore = new Set(state.answered);
    state.hangOn = null;
    state.asked.length = 0;
    state.sentinels = 0;
    await house.start({ gateway });
    expect(await house.settled(id)).toMatchObject({ status: 'done', outcome: 'pass', score: 1, simulated: false });
    expect(state.asked.filter((key) => paidBefore.has(key))).toEqual([]);
    expect(new Set(state.answered).size).toBe(state.answered.length);
    const calls = await callsOf(house, id);
    const cached = calls.filter((call) => call.cached);
    expect(cached.length).toBe(paidBefore.size);
    // What a judge said to its sentinels before the crash vouches for nothing now.
    expect(state.sentinels).toBeGreaterThanOrEqual(3);
    expect(cached.every((call) => call.cost_micros === '0')).toBe(true);
  });
});
