import { RE2JS } from 're2js';
import type { GraderSpec } from '../../contracts/graders.ts';
import { tooLarge } from './bounded.ts';
import { clip } from './evidence.ts';
import { graded, type Grader } from './grader.ts';
import { normalise } from './normalise.ts';
import { resolveTexts, sourceHead } from './sources.ts';

type Spec = Extract<GraderSpec, { kind: 'regex' }>;

const largestSearched = 1_000_000;
/** States of a compiled pattern; RE2's time is text times states, at worst about 70 ns for each pair. */
const largestProgram = 500;
/** Characters times states times passes: each counted match is a new pass. Some twenty seconds for the worst pattern there is. */
const largestWork = 300_000_000;
const flagBits = { 'ignore-case': RE2JS.CASE_INSENSITIVE, multiline: RE2JS.MULTILINE, 'dot-all': RE2JS.DOTALL } as const;

/** Compiles a pattern of RE2 syntax: no look-around, no back-references, hence linear time. Throws on anything else. */
export const compilePattern = (pattern: string, flags: readonly (keyof typeof flagBits)[] = []): RE2JS =>
  RE2JS.compile(
    pattern,
    flags.reduce((bits, flag) => bits | flagBits[flag], 0),
  );

/** What is wrong with a pattern; null when nothing is. */
export function patternProblem(pattern: string): string | null {
  try {
    const states = compilePattern(pattern).programSize();
    return states <= largestProgram ? null : `compiles to ${states} states, at most ${largestProgram} are accepted: repeat less`;
  } catch (error) {
    return `expected a regular expression of RE2 syntax: ${error instanceof Error ? error.message.slice(0, 300) : 'unknown problem'}`;
  }
}

/**
 * 1 when the number of matches over all texts at `of` lies between `atLeast` and `atMost`, else 0. Matches do not
 * overlap; `whole` counts the texts that match from start to end. Without any text the score is 0 even where nothing
 * must occur: a missing answer shows nothing. Errors: more than a million characters to search, fewer for a pattern of
 * many states (participant).
 */
export function regex(spec: Spec): Grader {
  const pattern = compilePattern(spec.pattern, spec.flags);
  const hidden = sourceHead(spec.of) === 'secret';
  /** What decides: one more than allowed, or enough. */
  const enough = spec.atMost === undefined ? spec.atLeast : spec.atMost + 1;
  const largest = Math.min(largestSearched, Math.floor(largestWork / (pattern.programSize() * Math.max(1, enough))));
  return (context) => {
    const given = resolveTexts(spec.of, context);
    // Checked twice: NFKC may make a text eighteen times as long.
    const long = tooLarge(given, largest);
    if (long) return long;
    const texts = given.map((text) => normalise(text, spec.normalise));
    const longer = tooLarge(texts, largest);
    if (longer) return longer;
    if (texts.length === 0) return graded(0, { matches: 0, texts: 0 });
    const { matches, first } = spec.match === 'whole' ? countWhole(pattern, texts) : countMatches(pattern, texts, Math.max(1, enough));
    const fits = matches >= spec.atLeast && matches <= (spec.atMost ?? Number.POSITIVE_INFINITY);
    return graded(fits ? 1 : 0, { matches, texts: texts.length, ...(first === undefined || hidden ? {} : { first: clip(first) }) });
  };
}

interface Count {
  matches: number;
  first?: string;
}

function countWhole(pattern: RE2JS, texts: readonly string[]): Count {
  const matching = texts.filter((text) => pattern.matches(text));
  return matching[0] === undefined ? { matches: 0 } : { matches: matching.length, first: matching[0] };
}

/** Counts until `enough` decides. */
function countMatches(pattern: RE2JS, texts: readonly string[], enough: number): Count {
  const count: Count = { matches: 0 };
  for (const text of texts) {
    const matcher = pattern.matcher(text);
    while (count.matches < enough && matcher.find()) {
      count.matches++;
      count.first ??= matcher.group() ?? '';
    }
  }
  return count;
}
