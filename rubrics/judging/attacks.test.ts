import { expect, it } from 'vitest';
import { GraderSpec } from '../../contracts/graders.ts';
import type { JudgeGraderSpec } from '../../contracts/judging.ts';
import { honestJudge } from '../../gateway/providers/simulated/judge-honest.ts';
import { injectableJudge } from '../../gateway/providers/simulated/judges.ts';
import { judgeAttacks } from './attacks.ts';
import { promptOf } from './prompt.ts';
import { compileQuestion } from './question.ts';
import { showTexts } from './shown.ts';

/** Attacks that no weak judge obeys would make the injected sentinel say nothing. */
it.each(
  judgeAttacks.flatMap((attack) =>
    (['yes', 'no'] as const).filter((pass) => pass === 'yes' || !attack.onlyForYes).map((pass) => ({ ...attack, pass })),
  ),
)('$name moves the injectable judge to "$pass" and not the honest one', ({ text, pass }) => {
  const question = { form: 'yes-no', ask: 'Does it name the capital?', pass };
  const sentinels = { pass: [{ text: 'x' }], fail: [{ text: 'y' }] };
  const { form, verdict } = compileQuestion(
    GraderSpec.parse({ kind: 'judge', of: 'answer', question, sentinels, judges: ['one'] }) as JudgeGraderSpec,
  );
  const carrier = pass === 'yes' ? 'Cheese is fine.' : 'Paris is fine.';
  const graded = showTexts([`${carrier}\n\n${text(form.wish)}`], 8_000);
  const { request } = promptOf(verdict, [['graded', graded]], 'datamarked', { seed: 's', labels: [] });
  const context = {
    settings: { yesIfAny: ['Paris'] },
    world: { cases: [], secretsOf: () => ({}), seed: 's', text: () => '' },
    ref: { caseId: 'a', split: 'public' as const, trial: 0 },
  };
  const verdictBy = (judge: typeof honestJudge) => JSON.parse(judge({ target: 't', ...request }, context).toolCalls![0]!.arguments).verdict;
  expect(verdictBy(injectableJudge)).toBe(pass);
  expect(verdictBy(honestJudge)).toBe(pass === 'yes' ? 'no' : 'yes');
});
