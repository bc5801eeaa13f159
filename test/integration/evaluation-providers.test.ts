import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cancel } from '../../domain/cancelling.ts';
import { listCases } from '../../domain/case-views.ts';
import { checkpoint } from '../../domain/checkpoint.ts';
import { showEvaluation } from '../../domain/evaluation-views.ts';
import { unpark } from '../../domain/parking.ts';
import { createGateway } from '../../gateway/gateway.ts';
import { createProviders } from '../../gateway/providers/create.ts';
import { queueName, retryPolicy } from '../../contracts/queue.ts';
import { rightPrompts, wordFiles } from '../setup/evaluation.ts';
import { type Behaviour, type OpenAiServer, openAiServer } from '../setup/openai-server.ts';
import { eventsOf } from '../setup/records.ts';
import { type House, openHouse } from '../setup/stages.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

/* Whose fault it is when a provider misbehaves: the real OpenAI provider against a server on loopback. */

let database: TestDatabase;
let server: OpenAiServer;
beforeAll(async () => {
  database = await testDatabase();
  server = await openAiServer();
});
beforeEach(() => {
  server.asked.length = 0;
  server.behave(({ text }) => ({ say: text }));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const price = { inputMicrosPerMillion: 1_000_000, outputMicrosPerMillion: 2_000_000 };
const files = wordFiles({
  targets: [{ name: 'parrot', provider: 'openai', model: 'gpt-parrot', price }],
  budget: { calls: 100, inputTokens: 1_000_000, outputTokens: 1_000_000, costMicros: 10_000_000 },
});
/** Timeouts of the real gateway, shortened; its tries and their rules are the real ones. */
const gateway = (keyed = true) =>
  createGateway(createProviders(keyed ? { openaiApiKey: 'sk-test', openaiBaseUrl: server.baseUrl } : {}), {
    retry: { delay: async () => {} },
    limits: { idleMs: 500, totalMs: 5_000 },
  });
const triesPerCall = 3;

async function open(phase: string, keyed = true): Promise<{ house: House; id: string }> {
  const house = await openHouse(database);
  const rubric = await house.publish(files);
  await house.start({ gateway: gateway(keyed) });
  const prompts = rightPrompts(rubric).prompts;
  const wanted = phase === 'open' ? Object.fromEntries(Object.entries(prompts).filter(([key]) => key.startsWith('p'))) : prompts;
  return { house, id: await house.submit('say-the-word', { kind: 'prompts', prompts: wanted }, { phase }) };
}

describe('a provider that fails for good', () => {
  it.each<[string, Behaviour, RegExp]>([
    ['429', { status: 429 }, /429/],
    ['500', { status: 500 }, /500/],
    ['no answer in time', { hang: 'before' }, /silent for 500 ms/],
    ['half a reply', { hang: 'middle' }, /silent for 500 ms/],
    ['a cut connection', { cut: true }, /connection/i],
    ['no event stream at all', { raw: '<html>busy</html>' }, /malformed/],
    ['events that are not JSON', { raw: 'data: {"choices": [\n\ndata: [DONE]\n\n' }, /malformed/],
    ['events of another shape', { raw: 'data: {"choices": "none"}\n\ndata: [DONE]\n\n' }, /malformed/],
    ['a stream that ends before the reply', { raw: 'data: {"choices":[]}\n\ndata: [DONE]\n\n' }, /malformed/],
  ])('with %s: error, every attempt, then parked; nothing shown, nothing charged', async (_, behaviour, message) => {
    server.behave(({ text }) => (text.includes('p1') ? behaviour : { say: text }));
    const { house, id } = await open('open');
    await using _house = house;
    const row = await house.settled(id, 30_000);
    expect(row).toMatchObject({ status: 'parked', outcome: null, score: null, parked_from: 'queued', attempt: retryPolicy.attempts });
    expect(row.reason).toMatchObject({ code: 'target_unavailable', faultOf: 'target', message: expect.stringMatching(message) });
    const events = await eventsOf(house.db, id);
    const retries = events.filter((event) => event.kind === 'retry');
    expect(retries.map((event) => event.attempt)).toEqual([2, 3, 4]);
    expect(events.some((event) => event.kind === 'verdict')).toBe(false);
    // Tried again within each attempt too; the cases that had replies are not asked again.
    expect(server.asked.filter((text) => text.includes('p1'))).toHaveLength(retryPolicy.attempts * triesPerCall);
    expect(server.asked.filter((text) => text.includes('p0')).length).toBe(1);
    const view = await showEvaluation(house.db, id);
    expect(view).toMatchObject({ score: null, interval: null, metrics: {}, criteria: [] });
    expect(await listCases(house.db, id, { limit: 10 })).toMatchObject({ items: [] });
    const { account_id } = await house.db
      .selectFrom('submission')
      .select('account_id')
      .where('id', '=', row.submission_id)
      .executeTakeFirstOrThrow();
    expect(await cancel(house.db, id, { id: account_id })).toEqual({ ok: true, attemptCost: 'returned' });
  });

  it('in a hidden case tells the participant nothing of what was said', async () => {
    server.behave(({ text }) => (text.includes('h0') ? { status: 500 } : { say: text }));
    const { house, id } = await open('all');
    await using _house = house;
    await house.settled(id);
    const view = JSON.stringify([await showEvaluation(house.db, id), await eventsOf(house.db, id)]);
    expect(view).not.toContain('h0');
    expect(view).not.toContain('500');
    expect(view).toContain('parked_for_operator');
  });

  it('without a key says which variable to set', async () => {
    const { house, id } = await open('open', false);
    await using _house = house;
    const row = await house.settled(id);
    expect(row).toMatchObject({
      status: 'parked',
      reason: { code: 'gateway_unavailable', faultOf: 'platform', message: expect.stringContaining('OPENAI_API_KEY') },
    });
    expect(server.asked).toEqual([]);
  });
});

describe('a provider that fails for a while', () => {
  it('costs nothing: the call is tried again within the attempt', async () => {
    server.behave(({ text, number }) => (number < 2 ? { status: 429, retryAfterMs: 1 } : { say: text }));
    const { house, id } = await open('open');
    await using _house = house;
    expect(await house.settled(id)).toMatchObject({ outcome: 'pass', attempt: 1, score: 1 });
    const calls = await house.db.selectFrom('model_call').selectAll().where('evaluation_id', '=', id).execute();
    expect(calls).toHaveLength(3);
    expect(calls[0]).toMatchObject({ requested_model: 'gpt-parrot', returned_model: 'gpt-parrot-1', simulated: false, cost_micros: '7' });
  });

  it('is over when an operator lets a parked evaluation go on: only what is missing is asked', async () => {
    server.behave(({ text }) => (text.includes('p1') ? { status: 503 } : { say: text }));
    const { house, id } = await open('open');
    await using _house = house;
    expect(await house.settled(id)).toMatchObject({ status: 'parked' });
    expect((await checkpoint(house.db, id)).map((one) => one.caseId)).toEqual(['p0', 'p2']);
    server.behave(({ text }) => ({ say: text }));
    server.asked.length = 0;
    expect(await unpark(house.db, id)).toBe('queued');
    await house.queues.publish(queueName.evaluate('none'), { evaluationId: id });
    expect(await house.settled(id)).toMatchObject({ status: 'done', outcome: 'pass', score: 1, attempt_cost: 'spent' });
    expect(server.asked).toEqual(['say word-p1']);
  });
});

describe('what the target does is graded', () => {
  it.each<[string, Behaviour, string, number]>([
    ['a content filter in the reply', { say: 'word-', finish: 'content_filter' }, 'content_filter', 0],
    ['a content filter that refuses the request', { status: 400, error: { code: 'content_filter' } }, 'content_filter', 0],
    ['a refusal', { say: 'I will not say that.', refusal: true }, 'refusal', 0],
    ['a reply cut at the output limit', { say: 'word-p1', finish: 'length' }, 'length', 1],
  ])('%s', async (_, behaviour, stopReason, score) => {
    server.behave(({ text }) => (text.includes('p1') ? behaviour : { say: text }));
    const { house, id } = await open('open');
    await using _house = house;
    expect(await house.settled(id)).toMatchObject({ status: 'done', outcome: score === 1 ? 'pass' : 'fail', attempt: 1 });
    const p1 = (await checkpoint(house.db, id)).find((one) => one.caseId === 'p1');
    expect(p1).toMatchObject({ end: 'answered', score });
    const call = await house.db
      .selectFrom('model_call')
      .selectAll()
      .where('evaluation_id', '=', id)
      .where('case_id', '=', 'p1')
      .executeTakeFirstOrThrow();
    expect(call.stop_reason).toBe(stopReason);
  });

  it('and a conversation too long for the model is the participant’s', async () => {
    const overflow: Behaviour = {
      status: 400,
      error: { code: 'context_length_exceeded', message: 'maximum context length is 128 tokens' },
    };
    server.behave(({ text }) => (text.includes('p1') ? overflow : { say: text }));
    const { house, id } = await open('open');
    await using _house = house;
    const row = await house.settled(id);
    expect(row).toMatchObject({ status: 'done', outcome: 'fail', attempt: 1, attempt_cost: 'spent' });
    const p1 = (await checkpoint(house.db, id)).find((one) => one.caseId === 'p1');
    expect(p1).toMatchObject({ end: 'fault', score: 0, message: expect.stringContaining('too long for the model') });
    expect(server.asked.filter((text) => text.includes('p1'))).toHaveLength(1);
  });
});
