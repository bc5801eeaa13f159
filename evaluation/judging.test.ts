import { describe, expect, it } from 'vitest';
import type { ChatRequest, Exchange, ReplyCache } from '../contracts/chat.ts';
import { targetOfJudge } from '../contracts/judging.ts';
import { Criterion } from '../contracts/rubric.ts';
import { wholeBudget } from '../gateway/allotment.ts';
import { createGateway } from '../gateway/gateway.ts';
import { createProviders } from '../gateway/providers/create.ts';
import { openaiProvider } from '../gateway/providers/openai.ts';
import { simulatedProvider } from '../gateway/providers/simulated.ts';
import { memoryReplyCache } from '../gateway/reply-cache.ts';
import type { Gateway, SessionOptions } from '../gateway/session.ts';
import type { CompiledCriterion } from '../rubrics/grade-case.ts';
import { type Grader, graded, type GradeResult } from '../rubrics/graders/grader.ts';
import { openAiServer } from '../test/setup/openai-server.ts';
import { depsFor, planFor, rightAnswers, wordRubricOf } from '../test/setup/evaluation.ts';
import { evaluate } from './evaluate.ts';
import { openJudging } from './judging.ts';
import { runCase } from './run-case.ts';
import { stopOf } from './stop.ts';
import { worldOf } from './world.ts';

/*
 * How a case reaches its judges, without the protocol: the grader here asks once and takes the reply's word for its
 * score. What the protocol makes of replies is tested beside it.
 */

const never = new AbortController().signal;
const price = { inputMicrosPerMillion: 1_000_000, outputMicrosPerMillion: 1_000_000 };
const budget = { calls: 100, inputTokens: 1_000_000, outputTokens: 500_000, costMicros: 5_000_000 };
const arbiter = { name: 'arbiter', provider: 'openai', model: 'judge-1', price, timeoutMs: 5_000 };
const seed = 'cd'.repeat(32);
const question = { form: 'yes-no', ask: 'Is it the word?' };
const text = (word: string) => ({ text: word });
const criterion = Criterion.parse({
  name: 'judged',
  title: 'Judged',
  grader: { kind: 'judge', of: 'answer', question, judges: ['arbiter'], sentinels: { pass: [text('yes')], fail: [text('no')] } },
});

/** Asks each of `names` until one answers `1` or `0`. */
const asking =
  (names: string[], request: Partial<ChatRequest> = {}): Grader =>
  async ({ judging, answer }): Promise<GradeResult> => {
    for (const name of names) {
      const result = await judging.ask(
        name,
        { messages: [{ role: 'user', content: JSON.stringify(answer) }], ...request },
        { fresh: false },
      );
      if (result.ok && /^[01]$/.test(result.reply.content)) return graded(Number(result.reply.content));
      if (!result.ok) return { status: 'error', score: null, evidence: { message: result.fault.message, faultOf: 'platform' } };
    }
    return { status: 'error', score: null, evidence: { message: 'no judge gave a verdict', faultOf: 'grader' } };
  };

interface Setting {
  grader: Grader;
  judges?: object[];
  judging?: typeof budget;
  replies?: ReplyCache;
  baseUrl?: string;
}

async function judgeOne({ grader, judges = [arbiter], judging = budget, replies, baseUrl }: Setting) {
  const rubric = wordRubricOf({ judges, judging }, {}, { 'recorded.jsonl': '' });
  const world = worldOf(rubric, seed);
  const simulated = simulatedProvider({ parrot: (request: ChatRequest) => ({ text: request.messages.at(-1)?.content ?? '' }) });
  const providers = { ...createProviders({ openaiApiKey: 'k' }), simulated, ...(baseUrl && { openai: openaiProvider({ baseUrl }) }) };
  const opened = await createGateway(providers, { retry: { delay: async () => {} } }).open({
    ...{ targets: rubric.rubric.targets, budget: rubric.rubric.budget, allotment: wholeBudget(rubric.rubric.budget) },
    judges: rubric.rubric.judges.map(targetOfJudge),
    judging: { budget: judging, allotment: wholeBudget(judging), replies: replies ?? null },
    ...{ world, signal: never, record: () => {} },
  });
  if (!opened.ok) throw new Error(opened.message);
  await using session = opened.session;
  const criteria: CompiledCriterion[] = [{ criterion, grader }];
  const planned = { case: rubric.cases.public[0]!, split: 'public' as const, trial: 0 };
  const programs = { run: () => Promise.reject(new Error('no programs here')), [Symbol.asyncDispose]: async () => {} };
  const finished = await runCase(planned, {
    ...{ kind: 'answers', criteria, session, world, programs, signal: never, purpose: 'grading' },
    judging: openJudging({ rubric, seed }),
    collect: async (_planned, door, signal) => {
      await door.chat({ target: 'parrot', messages: [{ role: 'user', content: 'hi' }] }, signal);
      return { end: 'answered', answer: 'word-p0', log: '', wallMs: 1 };
    },
    faultOfAnswer: () => null,
  });
  return { ...finished, usage: session.usage(), judgeUsage: session.judgeUsage(), stop: stopOf(finished.result, finished.transcript) };
}

const asked = (transcript: readonly Exchange[]) => transcript.map(({ askedBy }) => askedBy);

describe('a case that is judged', () => {
  it('asks the pinned judge at temperature 0, and keeps its cost apart from the submission’s', async () => {
    await using server = await openAiServer();
    server.behave(() => ({ say: '1' }));
    const { result, transcript, usage, judgeUsage } = await judgeOne({ grader: asking(['arbiter']), baseUrl: server.baseUrl });
    expect(result).toMatchObject({ score: 1, grades: [{ criterion: 'judged', grader: 'judge', status: 'graded' }] });
    expect(asked(transcript)).toEqual(['submission', 'judge']);
    expect(transcript[1]).toMatchObject({
      target: 'arbiter',
      request: { temperature: 0, target: 'arbiter' },
      reply: { requestedModel: 'judge-1' },
    });
    expect(result.usage.calls).toBe(1);
    expect(result.judging).toEqual({ calls: 1, inputTokens: 3, outputTokens: 2, costMicros: '5' });
    expect([result.usage, result.judging]).toEqual([usage, judgeUsage]);
  });

  it('is not stopped by the broken transport of one judge when another one answers', async () => {
    await using server = await openAiServer();
    server.behave(({ text }) => (text.includes('second') ? { say: '1' } : { status: 500 }));
    const second = { ...arbiter, name: 'second', model: 'judge-2' };
    const grader: Grader = async (context) => {
      const first = await asking(['arbiter'])(context);
      expect(first.status).toBe('error');
      return await asking(['second'], { messages: [{ role: 'user', content: 'second' }] })(context);
    };
    const { result, transcript, stop } = await judgeOne({ grader, judges: [arbiter, second], baseUrl: server.baseUrl });
    expect(transcript.map(({ fault }) => fault?.kind ?? null)).toEqual([null, 'transport', null]);
    expect(result.score).toBe(1);
    expect(stop).toBeNull();
  });

  it('stops the evaluation when no judge answers, as an error and nothing else', async () => {
    await using server = await openAiServer();
    server.behave(() => ({ status: 500 }));
    const { stop, result } = await judgeOne({ grader: asking(['arbiter']), baseUrl: server.baseUrl });
    expect(stop).toMatchObject({ code: 'grader_failed', faultOf: 'platform' });
    expect(result.score).toBeNull();
  });

  it('ends as an error, never as the participant’s limit, when the judging budget is used up', async () => {
    const { result, stop } = await judgeOne({ grader: asking(['arbiter']), judging: { ...budget, calls: 1, inputTokens: 1 } });
    expect(result).toMatchObject({ end: 'answered', limit: null, score: null, grades: [{ status: 'error' }] });
    expect(stop?.code).toBe('grader_failed');
    expect(stop?.message).toContain('"judging" budget');
  });

  it('ends a judge whose provider asks for an hour of patience, waits included', async () => {
    await using server = await openAiServer();
    server.behave(() => ({ status: 429, retryAfterMs: 3_600_000 }));
    const judges = [{ ...arbiter, timeoutMs: 100 }];
    const started = performance.now();
    const { stop, transcript, judgeUsage } = await judgeOne({ grader: asking(['arbiter']), judges, baseUrl: server.baseUrl });
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(transcript.at(-1)?.fault).toMatchObject({ kind: 'transport', httpStatus: 504 });
    expect(stop?.message).toContain('within 1000 ms, waits for its turn included');
    expect(judgeUsage.calls).toBe(0);
  });

  it('ends a judge that is too slow at its own time', async () => {
    await using server = await openAiServer();
    const gone = Promise.withResolvers<void>();
    server.behave((one) => {
      void one.gone.then(gone.resolve);
      return { hang: 'middle' };
    });
    const { stop, result } = await judgeOne({
      grader: asking(['arbiter']),
      judges: [{ ...arbiter, timeoutMs: 100 }],
      baseUrl: server.baseUrl,
    });
    await gone.promise;
    expect(stop?.message).toContain('within 100 ms');
    expect(result.judging?.calls).toBe(1);
    expect(server.asked).toHaveLength(1);
  });

  it('of a name that the rubric does not have is an error', async () => {
    const { stop } = await judgeOne({ grader: asking(['nobody']) });
    expect(stop?.message).toContain('no model "nobody"');
  });

  it('by a recording that has no such request says that recordings hold for one seed', async () => {
    const recorded = { name: 'arbiter', provider: 'replay', model: 'recorded.jsonl' };
    const { stop } = await judgeOne({ grader: asking(['arbiter']), judges: [recorded] });
    expect(stop?.message).toMatch(/has none for this request.*only with the seed they were made with/);
  });
});

describe('kept replies of judges', () => {
  it('are paid once, and asked for again only when nothing came of them', async () => {
    await using server = await openAiServer();
    server.behave(() => ({ say: '1' }));
    const replies = memoryReplyCache();
    const run = () => judgeOne({ grader: asking(['arbiter']), replies, baseUrl: server.baseUrl });
    const [first, second] = [await run(), await run()];
    expect([first.result.judging?.calls, second.result.judging]).toEqual([1, undefined]);
    expect(second.transcript[1]).toMatchObject({ askedBy: 'judge', cached: true, reply: { content: '1' } });
    expect(server.asked).toHaveLength(1);
  });

  it('do not make every retry fail when they were broken', async () => {
    await using server = await openAiServer();
    server.behave(({ number }) => ({ say: number === 0 ? 'I would rather not say' : '1' }));
    const replies = memoryReplyCache();
    const run = () => judgeOne({ grader: asking(['arbiter']), replies, baseUrl: server.baseUrl });
    expect((await run()).stop?.code).toBe('grader_failed');
    expect((await run()).result.score).toBe(1);
    expect(server.asked).toHaveLength(2);
  });
});

describe('verification', () => {
  it.each([
    ['grading', true],
    ['verification', false],
  ] as const)('(%s) believes kept replies: %s, because hosts that run submitted code write them', async (purpose, believes) => {
    const rubric = wordRubricOf({ judges: [arbiter], judging: budget });
    const plan = planFor(rubric, rightAnswers(rubric), { purpose });
    const replies = memoryReplyCache();
    const opened: SessionOptions[] = [];
    const gateway: Gateway = {
      open: async (options) => {
        opened.push(options);
        return { ok: false, message: 'seen enough' };
      },
    };
    await evaluate(plan, depsFor(plan, { gateway, judging: { allotment: wholeBudget(budget), replies } }));
    expect(opened.map(({ judges, judging }) => [judges.map(({ name }) => name), judging.budget, judging.replies === replies])).toEqual([
      [['arbiter'], budget, believes],
    ]);
    expect(opened[0]?.judging.replies ?? null).toBe(believes ? replies : null);
  });
});
