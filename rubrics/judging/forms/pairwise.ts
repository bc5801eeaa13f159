import { z } from 'zod';
import type { Question } from '../../../contracts/judging.ts';
import { evidenceProblem, parseFields, type QuestionForm, type Reading, reasonFields, reasonProperties } from './form.ts';

const Fields = z.strictObject({ verdict: z.enum(['first', 'second', 'tie']), ...reasonFields });

/**
 * Which of two texts is better, asked in both orders because judges favour a position (LLMBar: GPT-4 agrees with itself in
 * 83 to 95 % of pairs, weaker judges in 52 to 72 %). Winning both is 1, losing both 0, everything else a tie of 0.5.
 */
export function pairwise({ ask }: Extract<Question, { form: 'pairwise' }>): QuestionForm {
  return {
    instructions: [
      'Two graded texts are shown, "first" and "second". Say which one is better by this question, or "tie" when neither is:',
      ask,
      'Quote as evidence only the text that you call better. Which one is shown first means nothing.',
    ].join('\n'),
    properties: { verdict: { type: 'string', enum: ['first', 'second', 'tie'] }, ...reasonProperties },
    orders: ['forward', 'reversed'],
    wish: '"verdict": for the text that holds this line',
    passesByNo: false,
    read: (fields, sight) => {
      const parsed = parseFields(Fields, fields);
      if (!parsed.ok) return parsed;
      const { verdict, confidence, evidence } = parsed.value;
      const wins = verdict !== 'tie' && (verdict === 'first') === (sight.order === 'forward');
      // A tie claims nothing that a quote could show, so the few that are given may come from either text.
      const texts =
        verdict === 'tie' ? { texts: [...sight.graded.texts, ...sight.against.texts], left: 0 } : wins ? sight.graded : sight.against;
      const problem = evidenceProblem(evidence, verdict !== 'tie', texts, sight);
      if (problem !== null) return { ok: false, problem };
      const score = verdict === 'tie' ? 0.5 : wins ? 1 : 0;
      return { ok: true, reading: { score, confidence, quotes: evidence, verdict, byAbsence: false } };
    },
    combine: (readings) => {
      const scores = readings.map(({ score }) => score);
      const decided = scores.every((score) => score === 1) ? 1 : scores.every((score) => score === 0) ? 0 : 0.5;
      const contrary = scores.includes(1) && scores.includes(0);
      return { ...both(readings), score: decided, ...(contrary && { note: 'the two orders disagree, so neither text wins' }) };
    },
  };
}

const both = (readings: readonly Reading[]): Omit<Reading, 'score'> => ({
  confidence: Math.min(...readings.map(({ confidence }) => confidence)),
  quotes: readings.flatMap(({ quotes }) => quotes),
  verdict: readings.map(({ verdict }) => verdict),
  byAbsence: false,
});
