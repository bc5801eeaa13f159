import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../contracts/chat.ts';
import type { CaseResult } from '../contracts/evaluation.ts';
import { createGateway } from '../gateway/gateway.ts';
import { createProviders } from '../gateway/providers/create.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';
import { wasmDriver } from '../sandboxes/wasm/driver.ts';
import {
  depsFor,
  kindsOf,
  lastText,
  phaseOf,
  planFor,
  programOf,
  rightAnswers,
  scriptedGateway,
  seed,
  wordCases,
  wordRubric,
  wordRubricOf,
} from '../test/setup/evaluation.ts';
import { exchange } from '../test/setup/rubrics.ts';
import { evaluate } from './evaluate.ts';
import { keptQuestions } from './kept-case.ts';
import type { EvaluationPlan } from './plan.ts';
import { type RegradingDeps, regrade } from './regrade.ts';
import { resultHash } from './result-hash.ts';

/* Each test runs an evaluation for real, keeps what the sink was given, and grades it again without its targets. */

type Submission = EvaluationPlan['submission'];
const before = wordRubricOf();
const never = new AbortController().signal;

/** A gateway whose targets must not be asked. */
const closed = scriptedGateway(() => {
  throw new Error('a target was asked');
});

async function kept(rubric: LoadedRubric, submission: Submission, script = lastText as Parameters<typeof scriptedGateway>[0]) {
  const plan = planFor(rubric, submission);
  const deps = depsFor(plan, { gateway: scriptedGateway(script), sandboxes: [wasmDriver()] });
  const output = await evaluate(plan, deps);
  const blobs = new Map<string, Uint8Array>();
  for (const { texts } of deps.sink.kept) {
    for (const text of [texts.transcript, texts.answer]) {
      if (text !== null) blobs.set(createHash('sha256').update(text).digest('hex'), Buffer.from(text));
    }
  }
  return { output, blobs, results: deps.sink.kept.map((one) => one.result) };
}

function again(
  rubric: LoadedRubric,
  submission: Submission,
  results: readonly CaseResult[],
  blobs: ReadonlyMap<string, Uint8Array>,
  changes: Partial<RegradingDeps> = {},
) {
  return regrade(
    { id: 'again', rubric, phase: phaseOf(rubric), submission, submissionHash: 'f'.repeat(64), seed, results },
    { gateway: closed, sandboxes: [], read: async (hash) => blobs.get(hash) ?? null, signal: never, ...changes },
  );
}

/** Wants the opposite of the first version: a word that no case gave. */
const stricter = wordRubricOf(
  { criteria: wordRubric.criteria.map((one) => ({ ...one, grader: { ...one.grader, to: 'expected/never' } })) },
  {
    public: wordCases('p', 3).map((one) => ({ ...one, expected: { ...(one.expected as object), never: 'never said' } })),
    hidden: wordCases('h', 2).map((one) => ({ ...one, expected: { ...(one.expected as object), never: 'never said' } })),
  },
);

describe.each(kindsOf(before))('%s', (_, submission) => {
  it('graded again by the version that judged it, is the same to the hash', async () => {
    const { output, results, blobs } = await kept(before, submission);
    const regraded = await again(before, submission, results, blobs);
    const core = { rubricHash: before.hash, submissionHash: 'f'.repeat(64), seed, phase: 'all' };
    expect(output.verdict.outcome).toBe('pass');
    expect(regraded).toMatchObject({ ok: true, verdict: output.verdict });
    expect(regraded.ok && regraded.resultHash).toBe(resultHash({ ...core, verdict: output.verdict, results: output.results }));
  });

  it('gets the grades of a newer one, and nothing else changes', async () => {
    const { results, blobs } = await kept(before, submission);
    const regraded = await again(stricter, submission, results, blobs);
    expect(regraded).toMatchObject({ ok: true, verdict: { outcome: 'fail', score: 0 }, simulated: true });
    if (!regraded.ok) return;
    const rest = ({ grades: _grades, score: _score, ...other }: CaseResult) => other;
    expect(regraded.cases.map((one) => rest(one.result))).toEqual(results.map(rest));
  });
});

describe('what is missing', () => {
  it('an answer whose blob is lost is named, with the blob', async () => {
    const program = programOf("return 'word-' + task.id;");
    const { results } = await kept(before, program);
    const regraded = await again(before, program, results, new Map());
    expect(regraded).toMatchObject({ ok: false, problem: { code: 'kept_lost', faultOf: 'platform' } });
    expect(!regraded.ok && regraded.problem.message).toContain(
      `public case p0, trial 0: its answer (blob ${results[0]?.answerHash}) is missing`,
    );
  });

  it('a program that ran before answers were kept cannot be graded again', async () => {
    const program = programOf("return 'word-' + task.id;");
    const { results, blobs } = await kept(before, program);
    const older = results.map(({ answerHash: _hash, ...result }) => result);
    expect(await again(before, program, older, blobs)).toMatchObject({ ok: false, problem: { code: 'answer_not_kept' } });
  });

  it.each([
    ['no JSON', 'nonsense'],
    ['another schema', '[{"index":"first"}]'],
    ['too deep', `${'['.repeat(200)}${']'.repeat(200)}`],
  ])('a transcript that is %s is refused, whatever its hash says', async (_, text) => {
    const [, submission] = kindsOf(before)[1]!;
    const { results } = await kept(before, submission);
    const regraded = await again(before, submission, results, new Map(), { read: async () => Buffer.from(text) });
    expect(regraded).toMatchObject({ ok: false, problem: { code: 'kept_lost' } });
  });

  it('a damaged blob is a reason, not a crash', async () => {
    const [, submission] = kindsOf(before)[1]!;
    const { results } = await kept(before, submission);
    const damaged = () => Promise.reject(new Error('the blob is damaged'));
    expect(await again(before, submission, results, new Map(), { read: damaged })).toMatchObject({
      ok: false,
      problem: { code: 'kept_lost', message: expect.stringContaining('the blob is damaged') },
    });
  });

  it('a case without a stored result', async () => {
    const { results, blobs } = await kept(before, rightAnswers(before));
    expect(await again(before, rightAnswers(before), results.slice(1), blobs)).toMatchObject({
      ok: false,
      problem: { code: 'case_not_stored' },
    });
  });
});

it('cases that were not answered keep how they ended', async () => {
  const submission: Submission = { kind: 'answers', answers: { p0: 'word-p0' } };
  const { results, blobs } = await kept(before, submission);
  const regraded = await again(before, submission, results, blobs);
  expect(regraded.ok && regraded.cases.map(({ result }) => [result.caseId, result.end, result.score])).toEqual([
    ['p0', 'answered', 1],
    ...['p1', 'p2', 'h0', 'h1'].map((id) => [id, 'missing', 0]),
  ]);
});

/** One form and public cases alone. */
const plain = {
  submission: [{ kind: 'answers', schema: { type: 'string' } }],
  sandbox: undefined,
  cases: { public: 'cases/public.jsonl' },
  phases: [{ name: 'open', title: 'Open', splits: ['public'] }],
};

describe('a grader that asks a target', () => {
  const lines = (...texts: string[]) => texts.map((text) => `${JSON.stringify({ text })}\n`).join('');
  const payload = wordCases('p', 2).map((one) => ({ ...one, expected: { payload: 'Sure' } }));
  const asking = (queries: string, count = 2, more: object = {}) =>
    wordRubricOf(
      {
        ...plain,
        criteria: [
          {
            name: 'effect',
            title: 'The trigger works',
            grader: { kind: 'reasr', of: 'answer', to: 'expected/payload', target: 'parrot', queries: 'q.jsonl', count },
            ...more,
          },
        ],
      },
      { public: payload },
      { 'q.jsonl': queries },
    );
  const first = asking(lines('One', 'Two'));
  const submission: Submission = { kind: 'answers', answers: { p0: 'Sure', p1: 'No' } };
  /** Emits the trigger for the first query alone. */
  const half: Parameters<typeof scriptedGateway>[0] = (request) => (lastText(request).startsWith('One') ? lastText(request) : 'I cannot.');

  it('is answered from the kept exchanges, to the same grade', async () => {
    const { output, results, blobs } = await kept(first, submission, half);
    const regraded = await again(first, submission, results, blobs);
    expect(regraded).toMatchObject({ ok: true, verdict: output.verdict });
    expect(regraded.ok && regraded.cases.map((one) => one.result.score)).toEqual([0.5, 0]);
  });

  it('may ask less than then', async () => {
    const { results, blobs } = await kept(first, submission, half);
    const regraded = await again(asking(lines('One', 'Two'), 1), submission, results, blobs);
    expect(regraded.ok && regraded.cases.map((one) => one.result.score)).toEqual([1, 0]);
  });

  it.each([
    ['another question', asking(lines('One', 'Three'))],
    ['one more', asking(lines('One', 'Two', 'Three'), 3)],
  ])('that asks %s gives no grade: the case and the question are named', async (_, newer) => {
    const { results, blobs } = await kept(first, submission, half);
    const regraded = await again(newer, submission, results, blobs);
    expect(regraded).toMatchObject({ ok: false, problem: { code: 'question_not_kept', faultOf: 'sponsor' } });
    expect(!regraded.ok && regraded.problem.message).toContain('public case p0, trial 0');
    expect(!regraded.ok && regraded.problem.message).toContain('"Three. Sure"');
  });
});

describe('keptQuestions', () => {
  const asked = (content: string, target = 't'): ChatRequest => ({ target, messages: [{ role: 'user', content }] });
  const said = (text: string, reply: string) => ({ ...exchange(reply, 'stop', 'grader'), request: asked(text) });

  it('answers a question as often as it was asked, in the order of then', async () => {
    const kept = keptQuestions([said('a', '1'), said('b', '2'), said('a', '3')]);
    const replies = [];
    for (const text of ['a', 'a', 'b']) replies.push(await kept.ask(asked(text)));
    expect(replies.map((one) => one.ok && one.reply.content)).toEqual(['1', '3', '2']);
    expect(kept.unasked()).toBeNull();
    expect((await kept.ask(asked('a'))).ok).toBe(false);
    expect(kept.unasked()).toContain('"a"');
  });

  it('does not take one target for another, and gives back the fault of then', async () => {
    const fault = { kind: 'budget' as const, message: 'nothing left', httpStatus: 429 };
    const kept = keptQuestions([{ ...said('a', ''), reply: null, fault }]);
    expect(await kept.ask(asked('a'))).toEqual({ ok: false, fault });
    expect((await keptQuestions([said('a', '1')]).ask(asked('a', 'other'))).ok).toBe(false);
  });
});

describe('judges', () => {
  const judged = (model: string, more: object = {}) =>
    wordRubricOf({
      ...plain,
      judges: [{ name: 'arbiter', provider: 'simulated', model: `simulated-judge-${model}`, settings: { yesIfAny: ['word-'] } }],
      judging: { calls: 200, inputTokens: 1_000_000, outputTokens: 300_000, costMicros: 0 },
      criteria: [
        {
          name: 'judged',
          title: 'It says a word',
          grader: {
            kind: 'judge',
            of: 'answer',
            question: { form: 'yes-no', ask: 'Does the text say a magic word?' },
            judges: ['arbiter'],
            sentinels: { pass: [{ text: 'Here it is: word-sesame.' }], fail: [{ text: 'There is nothing of the kind here.' }] },
          },
        },
      ],
      ...more,
    });
  const real = createGateway(createProviders({}));
  const submission: Submission = { kind: 'answers', answers: { p0: 'word-p0', p1: 'word-p1', p2: 'nothing that helps' } };

  it('are asked anew, at the sponsor’s cost, and what they were asked is kept', async () => {
    const first = wordRubricOf({ ...plain, criteria: [wordRubric.criteria[0]] });
    const { results, blobs } = await kept(first, submission);
    const regraded = await again(judged('honest'), submission, results, blobs, { gateway: real });
    expect(regraded).toMatchObject({ ok: true, simulated: true });
    if (!regraded.ok) return;
    expect(regraded.cases.map((one) => one.result.score)).toEqual([1, 1, 0]);
    expect(regraded.judging.calls).toBeGreaterThanOrEqual(6);
    const transcript = JSON.parse(regraded.cases[0]?.transcript ?? '[]') as { askedBy: string }[];
    expect(transcript.length).toBeGreaterThan(0);
    expect(new Set(transcript.map((one) => one.askedBy))).toEqual(new Set(['judge']));
  });

  it('that cannot be believed give no verdict at all', async () => {
    const { results, blobs } = await kept(wordRubricOf({ ...plain, criteria: [wordRubric.criteria[0]] }), submission);
    const regraded = await again(judged('always-pass'), submission, results, blobs, { gateway: real });
    expect(regraded).toMatchObject({ ok: false, problem: { message: expect.stringMatching(/missed a sentinel/) } });
    expect(regraded.judging.calls).toBeGreaterThan(0);
  });

  it('without a budget give none either', async () => {
    const { results, blobs } = await kept(wordRubricOf({ ...plain, criteria: [wordRubric.criteria[0]] }), submission);
    const poor = judged('honest', { judging: { calls: 1, inputTokens: 100_000, outputTokens: 10_000, costMicros: 0 } });
    expect(await again(poor, submission, results, blobs, { gateway: real })).toMatchObject({ ok: false });
  });
});

it('a grader program runs in a sandbox of its own, on the kept answer', async () => {
  const newer = wordRubricOf(
    {
      submission: [wordRubric.submission[0], wordRubric.submission[3]],
      criteria: [
        {
          name: 'given',
          title: 'By a program',
          grader: { kind: 'program', path: 'graders/word.js', language: 'javascript', profile: 'js' },
        },
      ],
    },
    {},
    { 'graders/word.js': 'export function grade(task) { return { score: task.answer === "word-p1" ? 1 : 0.25 }; }\n' },
  );
  const program = programOf("return 'word-' + task.id;");
  const { results, blobs } = await kept(before, program);
  const regraded = await again(newer, program, results, blobs, { sandboxes: [wasmDriver()] });
  expect(regraded.ok && regraded.cases.map((one) => one.result.score)).toEqual([0.25, 1, 0.25, 0.25, 0.25]);
});

it('stops when it is told to', async () => {
  const { results, blobs } = await kept(before, rightAnswers(before));
  const stopped = AbortSignal.abort(new Error('stop'));
  await expect(again(before, rightAnswers(before), results, blobs, { signal: stopped })).rejects.toThrow('stop');
});
