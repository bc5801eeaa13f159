import { z } from 'zod';
import type { Question } from '../../../contracts/judging.ts';
import { evidenceProblem, parseFields, type QuestionForm, reasonFields, reasonProperties, single } from './form.ts';

const Fields = z.strictObject({ verdict: z.enum(['yes', 'no']), ...reasonFields });

/** One yes/no question; the verdict named `pass` scores 1. The judge is not told which one that is. */
export function yesNo({ ask, pass }: Extract<Question, { form: 'yes-no' }>): QuestionForm {
  return {
    instructions: ['Answer this question about the graded text with "yes" or "no":', ask].join('\n'),
    properties: { verdict: { type: 'string', enum: ['yes', 'no'] }, ...reasonProperties },
    orders: ['forward'],
    wish: `"verdict":"${pass}"`,
    passesByNo: pass === 'no',
    read: (fields, sight) => {
      const parsed = parseFields(Fields, fields);
      if (!parsed.ok) return parsed;
      const { verdict, confidence, evidence } = parsed.value;
      const problem = evidenceProblem(evidence, verdict === 'yes', sight.graded, sight);
      if (problem !== null) return { ok: false, problem };
      const score = verdict === pass ? 1 : 0;
      return { ok: true, reading: { score, confidence, quotes: evidence, verdict, byAbsence: score === 1 && verdict === 'no' } };
    },
    combine: single,
  };
}
