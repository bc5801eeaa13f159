import { describe, expect, it } from 'vitest';
import { gradeBy, simulatedJudges } from '../../test/setup/judging.ts';

/*
 * The judges that ruin others: through the real gateway, on every form of question, none of them gives a score.
 */

const asks = 'Does the text name the capital of France?';
const names = { yesIfAny: ['Paris'] };
const yes = { text: 'The capital is Paris, on the Seine.' };
const no = { text: 'I would rather talk about cheese.' };

interface Form {
  question: object;
  settings: object;
  pass: { text: string; about?: string; against?: string };
  fail: { text: string; about?: string; against?: string };
  more?: object;
  graded: [text: string, score: number][];
}

const forms: Record<string, Form> = {
  'yes-no': {
    question: { form: 'yes-no', ask: asks },
    settings: names,
    ...{ pass: yes, fail: no },
    graded: [
      ['It is Paris.', 1],
      ['It is Lyon.', 0],
    ],
  },
  'yes-no for no': {
    question: { form: 'yes-no', ask: asks, pass: 'no' },
    settings: names,
    ...{ pass: no, fail: yes },
    graded: [
      ['It is Paris.', 0],
      ['It is Lyon.', 1],
    ],
  },
  criteria: {
    question: {
      form: 'criteria',
      criteria: [
        { name: 'capital', ask: asks, weight: 3 },
        { name: 'river', ask: 'Does it name the river?' },
      ],
    },
    settings: { criteria: { capital: names, river: { yesIfAny: ['Seine'] } } },
    ...{ pass: yes, fail: no },
    graded: [
      ['Paris on the Seine.', 1],
      ['It is Paris.', 0.75],
      ['It is Lyon.', 0],
    ],
  },
  'criteria for yes and no': {
    question: {
      form: 'criteria',
      criteria: [
        { name: 'capital', ask: asks },
        { name: 'cheese', ask: 'Does it talk about cheese?', pass: 'no' },
      ],
    },
    settings: { criteria: { capital: names, cheese: { yesIfAny: ['cheese'] } } },
    ...{ pass: yes, fail: no },
    graded: [
      ['It is Paris.', 1],
      ['Paris has cheese.', 0.5],
      ['Lyon has cheese.', 0],
    ],
  },
  scale: {
    question: { form: 'scale', ask: 'How exact is it?', levels: [0, 1, 2].map((value) => ({ value, means: `Level ${value}` })) },
    settings: {
      levels: [
        { level: 2, ifAny: ['Paris'] },
        { level: 1, ifAny: ['France'] },
      ],
    },
    ...{ pass: yes, fail: no },
    graded: [
      ['It is Paris.', 1],
      ['A town in France.', 0.5],
      ['It is Lyon.', 0],
    ],
  },
  'scale with a threshold': {
    question: {
      form: 'scale',
      ask: 'How exact is it?',
      atLeast: 1,
      levels: [0, 1, 2].map((value) => ({ value, means: `Level ${value}` })),
    },
    settings: {
      levels: [
        { level: 2, ifAny: ['Paris'] },
        { level: 1, ifAny: ['France'] },
      ],
    },
    ...{ pass: yes, fail: no },
    graded: [
      ['A town in France.', 1],
      ['It is Lyon.', 0],
    ],
  },
  pairwise: {
    question: { form: 'pairwise', ask: 'Which one names the capital?', against: 'expected' },
    settings: names,
    pass: { ...yes, against: no.text },
    fail: { ...no, against: yes.text },
    graded: [
      ['It is Paris and Lyon.', 1],
      ['It is Nice.', 0.5],
    ],
  },
  strongreject: {
    question: { form: 'strongreject' },
    settings: { refusedIfAny: ['rather talk'], specificIfAny: ['Paris'] },
    ...{ pass: yes, fail: no },
    graded: [
      ['It is Paris.', 1],
      ['It is somewhere.', 0],
    ],
  },
  'commit first': {
    question: { form: 'yes-no', ask: 'Does the text give your answer?' },
    settings: { answers: { France: 'Paris', Japan: 'Tokyo' } },
    pass: { text: 'It is Tokyo.', about: 'What is the capital of Japan?' },
    fail: { text: 'It is Kyoto.', about: 'What is the capital of Japan?' },
    more: { commitFirst: { task: 'input', expected: 'expected' } },
    graded: [
      ['It is Paris.', 1],
      ['It is Lyon.', 0],
    ],
  },
};

const judgeOf = (kind: string, settings: object) => ({
  name: 'arbiter',
  provider: 'simulated',
  model: `simulated-judge-${kind}`,
  timeoutMs: 100,
  settings,
});
const grader = ({ question, pass, fail, more = {} }: Form) => ({
  ...{ kind: 'judge', of: 'answer', question, judges: ['arbiter'], sentinels: { pass: [pass], fail: [fail] } },
  ...more,
});
const theCase = { case: { id: 'one', input: 'What is the capital of France?', expected: 'Paris' } };
const parts = (form: string) => (form === 'pairwise' ? { case: { ...theCase.case, expected: 'It is somewhere in the south.' } } : theCase);

describe.each(Object.entries(forms))('%s', (form, setting) => {
  it('is graded right by the honest judge', async () => {
    await using judges = await simulatedJudges([judgeOf('honest', setting.settings)]);
    for (const [text, score] of setting.graded) {
      expect(await gradeBy(grader(setting), judges.access, text, parts(form))).toMatchObject({ status: 'graded', score });
    }
  });

  it.each(['always-pass', 'injectable', 'refusing', 'broken-json', 'slow'])('gets no score from the %s judge', async (kind) => {
    for (const seed of ['aa', 'bb', 'cc'].map((pair) => pair.repeat(32))) {
      await using judges = await simulatedJudges([judgeOf(kind, setting.settings)], seed);
      const grade = await gradeBy(grader(setting), judges.access, 'It is Paris.', parts(form));
      expect(grade).toMatchObject({ status: 'error', score: null });
      expect(grade.evidence.message).toMatch(kind === 'slow' ? /did not answer to a sentinel/ : /missed a sentinel/);
      // A judge that never answers is waited for; one seed shows it.
      if (kind === 'slow') break;
    }
  });
});

describe('a broken judge', () => {
  it('is passed over for an honest one, and stands in the evidence', async () => {
    const judges = ['refusing', 'honest'].map((kind) => ({ ...judgeOf(kind, names), name: kind }));
    await using simulated = await simulatedJudges(judges);
    const spec = { ...grader(forms['yes-no']!), judges: ['refusing', 'honest'] };
    const grade = await gradeBy(spec, simulated.access, 'It is Paris.');
    expect(grade).toMatchObject({ status: 'graded', score: 1, evidence: { judge: { name: 'honest' }, before: [{ name: 'refusing' }] } });
    for (const kind of ['injectable', 'always-pass', 'refusing']) {
      await using two = await simulatedJudges(
        [judgeOf(kind, names), judgeOf('honest', names)].map((one, i) => ({ ...one, name: i === 0 ? kind : 'honest' })),
      );
      const { evidence } = await gradeBy({ ...spec, judges: [kind, 'honest'] }, two.access, 'It is Paris.');
      expect(evidence.before).toMatchObject([{ name: kind, broken: 'cannot be believed here' }]);
      expect(JSON.stringify(evidence)).not.toMatch(/sentinel|injected|known|it scores/);
    }
  });

  it('never faces a text for the first time in verification: held-out judges take over', async () => {
    const judges = ['always-pass', 'honest'].map((kind) => ({ ...judgeOf(kind, names), name: kind }));
    await using simulated = await simulatedJudges(judges);
    const spec = { ...grader(forms['yes-no']!), judges: ['always-pass'], heldOut: ['honest'] };
    const held = { status: 'graded', score: 1, evidence: { heldOut: true, judge: { name: 'honest' } } };
    expect(await gradeBy(spec, simulated.access, 'It is Paris.', { purpose: 'verification' })).toMatchObject(held);
    expect(await gradeBy(spec, simulated.access, 'It is Paris.', { split: 'holdout' })).toMatchObject(held);
    expect(simulated.asked().every(({ target }) => target === 'honest')).toBe(true);
    expect(await gradeBy(spec, simulated.access, 'It is Paris.')).toMatchObject({ status: 'error' });
  });
});
