import { z } from 'zod';
import type { Question } from '../../../contracts/judging.ts';
import { closedObject, evidenceProblem, parseFields, type QuestionForm, reasonFields, reasonProperties, single } from './form.ts';

const One = z.strictObject({ verdict: z.enum(['yes', 'no']), ...reasonFields });

/** Several yes/no questions in one call; the score is Σ weight·passed / Σ weight. A reply answers each one, and no other. */
export function criteria({ criteria: asked }: Extract<Question, { form: 'criteria' }>): QuestionForm {
  const entry = closedObject({ verdict: { type: 'string', enum: ['yes', 'no'] }, ...reasonProperties });
  const Fields = z.strictObject({ criteria: z.strictObject(Object.fromEntries(asked.map(({ name }) => [name, One]))) });
  return {
    instructions: [
      'Answer each of these questions about the graded text with "yes" or "no", each one on its own:',
      ...asked.map(({ name, ask }) => ['- ', name, ': ', ask].join('')),
    ].join('\n'),
    properties: { criteria: closedObject(Object.fromEntries(asked.map(({ name }) => [name, entry]))) },
    orders: ['forward'],
    wish: `"criteria":{${asked.map(({ name, pass }) => `"${name}":{"verdict":"${pass}"}`).join(',')}}`,
    passesByNo: asked.some(({ pass }) => pass === 'no'),
    read: (fields, sight) => {
      const parsed = parseFields(Fields, fields);
      if (!parsed.ok) return parsed;
      const answers = asked.map((criterion) => ({ ...criterion, ...(parsed.value.criteria[criterion.name] as z.infer<typeof One>) }));
      for (const { name, verdict, evidence } of answers) {
        const problem = evidenceProblem(evidence, verdict === 'yes', sight.graded, sight);
        if (problem !== null) return { ok: false, problem: `${problem} (criterion "${name}")` };
      }
      const passed = answers.filter(({ verdict, pass }) => verdict === pass);
      const weight = (list: readonly { weight: number }[]) => list.reduce((sum, one) => sum + one.weight, 0);
      return {
        ok: true,
        reading: {
          score: Math.min(1, weight(passed) / weight(answers)),
          confidence: Math.min(...answers.map(({ confidence }) => confidence)),
          quotes: answers.flatMap(({ evidence }) => evidence),
          verdict: Object.fromEntries(answers.map(({ name, verdict }) => [name, verdict])),
          byAbsence: passed.some(({ verdict }) => verdict === 'no'),
        },
      };
    },
    combine: single,
  };
}
