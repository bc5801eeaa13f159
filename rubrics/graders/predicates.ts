import type { Json } from '../../contracts/json.ts';
import type { Operand, Predicate } from '../../contracts/predicates.ts';
import type { GradingContext } from './grader.ts';
import { compilePattern } from './regex.ts';
import { isObject, sameJson } from './same-json.ts';
import { followPointer, resolveSource } from './sources.ts';

/** `undecided`: the case lacks what the predicate compares with, the rubric's fault. */
export type Truth = boolean | 'undecided';

/** A predicate compiled once; all but `absent` are false where the value has nothing at the pointer. */
export type CompiledPredicate = (value: Json | undefined, context: GradingContext) => Truth;

/** Throws on a pattern that `check-grader.ts` refuses. */
export function compilePredicate(predicate: Predicate): CompiledPredicate {
  const holds = compileTest(predicate);
  return (value, context) => {
    const at = value === undefined ? undefined : followPointer(value, predicate.at);
    if (predicate.is === 'absent') return at === undefined;
    return at === undefined ? false : holds(at, context);
  };
}

type Test = (at: Json, context: GradingContext) => Truth;

function compileTest(predicate: Predicate): Test {
  switch (predicate.is) {
    case 'present':
      return () => true;
    case 'absent':
      return () => false;
    case 'equals':
      return compared(predicate.to, sameJson);
    case 'differs':
      return compared(predicate.from, (at, other) => !sameJson(at, other));
    case 'contains':
      return compared(predicate.what, contains);
    case 'lacks':
      return compared(predicate.what, (at, what) => (typeof at === 'string' || Array.isArray(at)) && !contains(at, what));
    case 'matches': {
      const pattern = compilePattern(predicate.pattern);
      return (at) => typeof at === 'string' && pattern.test(at);
    }
    case 'between':
      return (at) => typeof at === 'number' && inRange(at, predicate.min, predicate.max);
    case 'size':
      return (at) => inRange(sizeOf(at), predicate.min, predicate.max);
  }
}

const compared =
  (operand: Operand, test: (at: Json, other: Json) => boolean): Test =>
  (at, context) => {
    const other = 'value' in operand ? operand.value : resolveSource(operand.source, context);
    return other === undefined ? 'undecided' : test(at, other);
  };

/** NaN is in no range. */
const inRange = (value: number, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY): boolean => value >= min && value <= max;

function sizeOf(value: Json): number {
  if (typeof value === 'string') return Array.from(value).length;
  if (Array.isArray(value)) return value.length;
  return value !== null && typeof value === 'object' ? Object.keys(value).length : Number.NaN;
}

function contains(at: Json, what: Json): boolean {
  if (typeof at === 'string') return typeof what === 'string' && what !== '' && at.includes(what);
  return Array.isArray(at) && at.some((element) => sameJson(element, what) || hasMembers(element, what));
}

/** An object with at least the members of a wanted object that is not empty. */
function hasMembers(element: Json, wanted: Json): boolean {
  if (!isObject(element) || !isObject(wanted)) return false;
  const members = Object.entries(wanted);
  return members.length > 0 && members.every(([key, value]) => Object.hasOwn(element, key) && sameJson(element[key] as Json, value));
}
