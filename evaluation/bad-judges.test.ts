import { describe, expect, it } from 'vitest';
import { createGateway } from '../gateway/gateway.ts';
import { createProviders } from '../gateway/providers/create.ts';
import { depsFor, planFor, wordCases, wordRubricOf } from '../test/setup/evaluation.ts';
import { evaluate } from './evaluate.ts';

/*
 * The five judges that ruin others, in whole evaluations of more cases than one batch holds: the outcome is what only an
 * operator can mend, or a person's to decide, and never one that may touch money.
 */

const cases = { public: wordCases('p', 20), hidden: wordCases('h', 3) };
const rubricWith = (judges: readonly string[]) =>
  wordRubricOf(
    {
      targets: [],
      submission: [{ kind: 'answers', schema: { type: 'string', maxLength: 100 } }],
      judges: judges.map((kind) => ({
        ...{ name: kind, provider: 'simulated', model: `simulated-judge-${kind}`, timeoutMs: 200 },
        settings: { yesIfAny: ['word-'] },
      })),
      judging: { calls: 500, inputTokens: 5_000_000, outputTokens: 1_000_000, costMicros: 0 },
      criteria: [
        {
          name: 'word',
          title: 'The answer gives a word',
          grader: {
            ...{ kind: 'judge', of: 'answer', judges, question: { form: 'yes-no', ask: 'Does the text give a word of the list?' } },
            sentinels: { pass: [{ text: 'My answer: word-x9' }], fail: [{ text: 'My answer: nothing comes to mind.' }] },
          },
        },
      ],
    },
    cases,
  );
const answers = Object.fromEntries([...cases.public, ...cases.hidden].map(({ id }) => [id, `word-${id}`]));

async function outcomeBy(judges: readonly string[], given: Record<string, string> = answers) {
  const plan = planFor(rubricWith(judges), { kind: 'answers', answers: given });
  const gateway = createGateway(createProviders({}), { retry: { delay: async () => {} } });
  return await evaluate(plan, depsFor(plan, { gateway }));
}

describe('a whole evaluation', () => {
  it('by an honest judge passes right answers and fails wrong ones', async () => {
    expect((await outcomeBy(['honest'])).verdict).toMatchObject({ outcome: 'pass', score: 1 });
    const wrong = Object.fromEntries(Object.keys(answers).map((id) => [id, 'no idea']));
    expect((await outcomeBy(['honest'], wrong)).verdict).toMatchObject({ outcome: 'fail', score: 0 });
  });

  it.each(['always-pass', 'injectable', 'refusing', 'broken-json', 'slow'])('by the %s judge is an error with no score', async (kind) => {
    const { verdict } = await outcomeBy([kind]);
    expect(verdict).toMatchObject({ outcome: 'error', score: null, reason: { code: 'grader_failed', faultOf: 'platform' } });
    expect(verdict.reason?.message).toContain('sentinel');
  });

  it('goes on with an honest judge behind a broken one', async () => {
    expect((await outcomeBy(['broken-json', 'honest'])).verdict).toMatchObject({ outcome: 'pass', score: 1 });
  });
});
