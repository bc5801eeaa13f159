import { describe, expect, it } from 'vitest';
import { GraderSpec } from '../../contracts/graders.ts';
import { type Answering, callOf, gradeBy, playedJudges, toolReply } from '../../test/setup/judging.ts';
import type { JudgeRequest } from '../judging/access.ts';
import { isSameAnswer } from '../judging/derived-answer.ts';
import { checkGrader } from './check-grader.ts';

const yesNo = { form: 'yes-no', ask: 'Does it name the capital?' };
const sentinels = {
  pass: [{ text: 'A sentinel of Paris', about: 'France?', against: 'A sentinel of cheese' }],
  fail: [{ text: 'A sentinel of cheese', about: 'France?', against: 'A sentinel of Paris' }],
};
const spec = { kind: 'judge', of: 'answer', question: yesNo, sentinels, judges: ['one'] };

const plain = (request: JudgeRequest): string => {
  const { box, mark } = callOf(request);
  return JSON.stringify(box).replaceAll(mark ?? ' ', ' ');
};
const submit = (request: JudgeRequest, fields: object) =>
  toolReply([{ name: request.tools![0]!.name, arguments: JSON.stringify({ nonce: callOf(request).nonce, ...fields }) }]);
const byParis = (request: JudgeRequest, confidence = 1) => {
  const yes = plain(request).includes('Paris');
  return submit(request, { verdict: yes ? 'yes' : 'no', confidence, evidence: yes ? ['Paris'] : [] });
};
const isSentinel = (request: JudgeRequest) => plain(request).includes('sentinel');

describe('one judge', () => {
  it('that is less sure than asked for leaves the verdict to a person, with what it would be', async () => {
    const access = playedJudges(['one'], (request) => byParis(request, isSentinel(request) ? 1 : 0.6));
    expect(await gradeBy({ ...spec, minConfidence: 0.7 }, access, 'It is Paris.')).toMatchObject({
      status: 'needs_review',
      score: null,
      evidence: { proposed: 1 },
    });
    expect(await gradeBy({ ...spec, minConfidence: 0.6 }, access, 'It is Paris.')).toMatchObject({ status: 'graded', score: 1 });
  });

  it('that finds nothing in a text it did not see whole leaves it to a person', async () => {
    const absent = {
      ...spec,
      question: { ...yesNo, pass: 'no' },
      maxCharacters: 200,
      sentinels: { pass: sentinels.fail, fail: sentinels.pass },
    };
    const access = playedJudges(['one'], (request) => byParis(request));
    const hidden = `${'word '.repeat(60)}Paris ${'word '.repeat(60)}`;
    expect(await gradeBy(absent, access, hidden)).toMatchObject({ status: 'needs_review', score: null });
    expect(await gradeBy(absent, access, 'It is Lyon.')).toMatchObject({ status: 'graded', score: 1 });
    // Something that is found is found, cut or not.
    expect(await gradeBy(absent, access, `Paris ${hidden}`)).toMatchObject({ status: 'graded', score: 0 });
  });

  it('is an error when any judge is broken and none decides, and never an answer of the rest', async () => {
    const access = playedJudges(['one', 'two'], (request, name) =>
      name === 'one'
        ? submit(request, { verdict: 'yes', confidence: 1, evidence: ['sentinel'] })
        : isSentinel(request)
          ? byParis(request)
          : toolReply([]),
    );
    const grade = await gradeBy({ ...spec, judges: ['one', 'two'] }, access, 'It is Paris.');
    expect(grade).toMatchObject({ status: 'error', score: null, evidence: { faultOf: 'platform' } });
    expect(grade.evidence.judges).toHaveLength(2);
  });

  it('without the texts to judge by is an error of the sponsor', async () => {
    const access = playedJudges(['one'], (request) => byParis(request));
    const one = { case: { id: 'one', input: {} } };
    expect(await gradeBy({ ...spec, about: 'input/prompt' }, access, 'It is Paris.', one)).toMatchObject({
      status: 'error',
      evidence: { faultOf: 'sponsor' },
    });
  });
});

describe('a pair', () => {
  const pair = { ...spec, question: { form: 'pairwise', ask: 'Which one names the capital?', against: 'input' } };
  const one = { case: { id: 'one', input: 'It is Lyon.' } };
  const chosen = (request: JudgeRequest, verdict: 'first' | 'second') => {
    const { box } = callOf(request);
    return submit(request, { verdict, confidence: 1, evidence: [(box[verdict] as { text: string }).text] });
  };
  const better = (request: JudgeRequest) =>
    chosen(request, JSON.stringify(callOf(request).box.first).includes('Paris') ? 'first' : 'second');
  const grade = (answering: Answering, answer = 'It is Paris.') =>
    gradeBy(
      pair,
      playedJudges(['one'], (request, name) => (isSentinel(request) ? better(request) : answering(request, name))),
      answer,
      one,
    );

  it('is asked in both orders: both won is 1, both lost 0', async () => {
    expect(await grade(better)).toMatchObject({
      status: 'graded',
      score: 1,
      evidence: { judge: { calls: 2, verdict: ['first', 'second'] } },
    });
    expect(
      await grade((request) => chosen(request, JSON.stringify(callOf(request).box.first).includes('Lyon') ? 'first' : 'second')),
    ).toMatchObject({ status: 'graded', score: 0 });
  });

  it('whose winner is always the first one is a tie, and says why', async () => {
    const found = await grade((request) => chosen(request, 'first'));
    expect(found).toMatchObject({ status: 'graded', score: 0.5 });
    expect(JSON.stringify(found.evidence)).toContain('the two orders disagree');
  });

  it('won with a quote of the loser is unusable', async () => {
    const found = await grade((request) => {
      const first = JSON.stringify(callOf(request).box.first).includes('Paris');
      return submit(request, { verdict: first ? 'first' : 'second', confidence: 1, evidence: ['It is Lyon'] });
    });
    expect(found).toMatchObject({ status: 'needs_review', score: null });
  });
});

describe('a judge that commits first', () => {
  const committing = { ...spec, commitFirst: { task: 'input', expected: 'expected' } };
  const one = { case: { id: 'one', input: 'What is the capital of France?', expected: ['paris', 'Paris, France'] } };

  it('sees the task alone, then its own answer beside the text', async () => {
    const boxes: string[][] = [];
    const access = playedJudges(['one'], (request) => {
      if (plain(request).includes('What is')) boxes.push(Object.keys(callOf(request).box));
      return request.tools![0]!.name === 'submit_answer' ? submit(request, { answer: ' PARIS ' }) : byParisIn(request);
    });
    expect(await gradeBy(committing, access, 'It is Paris.', one)).toMatchObject({
      status: 'graded',
      score: 1,
      evidence: { judge: { calls: 2 } },
    });
    expect(boxes).toEqual([['task'], ['task', 'your_answer', 'graded']]);
  });

  it('and derives another answer than the case gives is no judge of it: the next one is asked', async () => {
    const access = playedJudges(['one', 'two'], (request, name) =>
      request.tools![0]!.name === 'submit_answer' ? submit(request, { answer: name === 'one' ? 'Lyon' : 'Paris' }) : byParisIn(request),
    );
    const alone = await gradeBy(committing, access, 'It is Paris.', one);
    expect(alone).toMatchObject({ status: 'needs_review', score: null });
    expect(alone.evidence.message).toContain('derives another answer');
    const both = await gradeBy({ ...committing, judges: ['one', 'two'] }, access, 'It is Paris.', one);
    expect(both).toMatchObject({ status: 'graded', score: 1, evidence: { judge: { name: 'two' }, before: [{ name: 'one' }] } });
  });

  const byParisIn = (request: JudgeRequest) => {
    const yes = JSON.stringify(callOf(request).box.graded).includes('Paris');
    return submit(request, { verdict: yes ? 'yes' : 'no', confidence: 1, evidence: yes ? ['Paris'] : [] });
  };

  it.each<[string, string | number | string[], boolean]>([
    [' The  Answer ', 'the answer', true],
    ['4.0', 4, true],
    ['+4', '4.00', true],
    ['4', 'four', false],
    ['1e1', '10', false],
    ['b', ['a', 'b'], true],
    ['', 'x', false],
    ['0x10', '16', false],
  ])('derives %j where %j is expected: %s', (derived, expected, same) => {
    expect(isSameAnswer(derived, expected)).toBe(same);
  });
});

describe('what is wrong with a judged grader', () => {
  const around = { secrets: new Set<string>(), files: new Map(), demands: { gvisor: false, bounty: false } };
  const problems = (changes: object) =>
    checkGrader(GraderSpec.parse({ ...spec, ...changes }), around).map(({ path, message }) => `${path.join('/')}: ${message}`);
  const level = (value: number) => ({ value, means: 'a level' });
  const bare = { pass: [{ text: 'Paris' }], fail: [{ text: 'cheese' }] };

  it.each<[string, object, string]>([
    [
      'its own measure',
      { question: { form: 'pairwise', ask: 'Which is better?', against: 'answer/other' } },
      'question/against: is read from',
    ],
    ['a task of the submission', { commitFirst: { task: 'answer' } }, 'commitFirst/task: is read from'],
    ['an unknown secret', { about: 'secret/gone' }, 'about: no secret is named "gone"'],
    [
      'one level twice',
      { question: { form: 'scale', ask: 'How good is it?', levels: [level(0), level(1), level(1)] } },
      'question/levels/2/value: "1" is there twice',
    ],
    [
      'a threshold that all reach',
      { question: { form: 'scale', ask: 'How good is it?', levels: [level(0), level(1)], atLeast: 0 } },
      'question/atLeast: must be above',
    ],
    [
      'a threshold that none reaches',
      { question: { form: 'scale', ask: 'How good is it?', levels: [level(0), level(1)], atLeast: 2 } },
      'question/atLeast: must be above',
    ],
    [
      'a reserved name',
      { question: { form: 'criteria', criteria: [{ name: 'constructor', ask: 'Is it good?' }] } },
      'question/criteria/0/name: "constructor" is a reserved name',
    ],
    ['an invisible sentinel', { sentinels: { ...bare, fail: [{ text: '\u200B' }] } }, 'sentinels/fail/0/text: holds nothing'],
    [
      'a sentinel that is cut',
      { maxCharacters: 200, sentinels: { ...bare, pass: [{ text: 'x'.repeat(201) }] } },
      'sentinels/pass/0/text: is longer',
    ],
  ])('%s', (_, changes, problem) => {
    expect(problems(changes)).toEqual([expect.stringContaining(problem)]);
  });

  it('sentinels that could be told from questions', () => {
    expect(problems({ about: 'input', sentinels: bare })).toHaveLength(2);
    expect(problems({ question: { form: 'pairwise', ask: 'Which is better?', against: 'input' }, sentinels: bare })).toHaveLength(2);
  });
});
