import type { GraderSpec } from '../../contracts/graders.ts';
import type { Json } from '../../contracts/json.ts';
import { tooLarge } from './bounded.ts';
import { gradeError, noReference } from './evidence.ts';
import { graded, type Grader } from './grader.ts';
import { readNumber, type NumberRead, type NumberRules } from './read-number.ts';
import { resolveSource, sourceHead } from './sources.ts';

type Spec = Extract<GraderSpec, { kind: 'numeric' }>;

/**
 * 1 when |given - expected| ≤ max(absolute, relative · |expected|) for one of the expected numbers, else 0. Both
 * tolerances are widened by four units in the last place, so that 1.1 is within 0.1 of 1. What is no number by
 * `read-number.ts` scores 0, and so does a list: it would be many guesses. Errors: an expected value that is no finite
 * number (sponsor); an answer that is too large (participant).
 */
export function numeric(spec: Spec): Grader {
  const rules: NumberRules = { parse: spec.parse, decimal: spec.decimal, units: unitsOf(spec), unitRequired: spec.unit?.required ?? false };
  const hidden = sourceHead(spec.of) === 'secret' || sourceHead(spec.to) === 'secret';
  return (context) => {
    const wanted = resolveSource(spec.to, context);
    if (wanted === undefined) return noReference(spec.to);
    const expected = expectedNumbers(wanted, rules);
    if (!expected.ok) return gradeError(`the value at "${spec.to}" ${expected.problem}`, 'sponsor');
    const answer = resolveSource(spec.of, context);
    if (answer === undefined) return graded(0, { within: false, answer: null });
    const large = typeof answer === 'string' ? tooLarge([answer]) : undefined;
    if (large) return large;
    const given = numberOf(answer, rules);
    if (!given.ok) return graded(0, { within: false, problem: given.problem });
    const within = expected.values.some((value) => isWithin(given.value, value, spec.absolute, spec.relative));
    return graded(within ? 1 : 0, hidden ? { within } : { within, read: given.value, ...(spec.unit ? { unit: spec.unit.name } : {}) });
  };
}

function unitsOf({ unit }: Spec): Map<string, number> | undefined {
  if (unit === undefined) return undefined;
  return new Map([...Object.entries(unit.accept), [unit.name, 1] as const].map(([name, size]) => [name.normalize('NFKC'), size]));
}

function expectedNumbers(wanted: Json, rules: NumberRules): { ok: true; values: number[] } | { ok: false; problem: string } {
  const values: number[] = [];
  for (const value of Array.isArray(wanted) ? wanted : [wanted]) {
    const read = numberOf(value, { ...rules, parse: 'whole', unitRequired: false });
    if (!read.ok) return read;
    values.push(read.value);
  }
  return values.length === 0 ? { ok: false, problem: 'is an empty list' } : { ok: true, values };
}

function numberOf(value: Json, rules: NumberRules): NumberRead {
  if (typeof value === 'string') return readNumber(value, rules);
  if (typeof value !== 'number') return { ok: false, problem: 'is neither a number nor a text' };
  if (!Number.isFinite(value)) return { ok: false, problem: 'is not finite' };
  return rules.unitRequired ? { ok: false, problem: 'has no unit' } : { ok: true, value };
}

export function isWithin(given: number, expected: number, absolute: number, relative: number): boolean {
  const tolerance = Math.max(absolute, relative * Math.abs(expected));
  const slack = tolerance === 0 ? 0 : 4 * Number.EPSILON * Math.max(Math.abs(given), Math.abs(expected));
  return Math.abs(given - expected) <= tolerance + slack;
}
