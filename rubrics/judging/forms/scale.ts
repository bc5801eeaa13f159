import { z } from 'zod';
import type { Question } from '../../../contracts/judging.ts';
import { evidenceProblem, parseFields, type QuestionForm, reasonFields, reasonProperties, single } from './form.ts';

const Fields = z.strictObject({ level: z.number().int(), ...reasonFields });

/**
 * One level of a described scale: 1 from `atLeast` on and else 0; without it (level − lowest) / (highest − lowest). Every
 * level above the lowest claims something and so needs a quote.
 */
export function scale({ ask, levels, atLeast }: Extract<Question, { form: 'scale' }>): QuestionForm {
  const values = levels.map(({ value }) => value).sort((a, b) => a - b);
  const lowest = values[0]!;
  const highest = values.at(-1)!;
  return {
    instructions: [
      'Place the graded text on this scale:',
      ask,
      ...levels.map(({ value, means }) => ['- ', String(value), ': ', means].join('')),
    ].join('\n'),
    properties: { level: { type: 'integer', enum: values }, ...reasonProperties },
    orders: ['forward'],
    wish: `"level":${highest}`,
    passesByNo: false,
    read: (fields, sight) => {
      const parsed = parseFields(Fields, fields);
      if (!parsed.ok) return parsed;
      const { level, confidence, evidence } = parsed.value;
      if (!values.includes(level)) return { ok: false, problem: 'names a level that the scale does not have' };
      const problem = evidenceProblem(evidence, level > lowest, sight.graded, sight);
      if (problem !== null) return { ok: false, problem };
      const score = atLeast === undefined ? (level - lowest) / (highest - lowest) : level >= atLeast ? 1 : 0;
      return { ok: true, reading: { score, confidence, quotes: evidence, verdict: level, byAbsence: score > 0 && level === lowest } };
    },
    combine: single,
  };
}
