import { canonicalJson } from '../contracts/canonical.ts';
import { caseKey, type Rubric, type Split } from '../contracts/rubric.ts';
import type { PlacedCase } from './read-cases.ts';
import type { RubricProblem } from './rubric.ts';

interface Known {
  /** File and line of the first case with the key. */
  place: string;
  group: string | undefined;
  /** Target and input of every case with the key. */
  asked: Set<string>;
}

/**
 * A submission belongs to one phase, so a key may come again in another one. Inside a phase several cases may share a
 * key, and so one text or answer (the same prompt for three models), where they say by one `group` that they are not
 * independent and differ in what they ask or whom. Anything else with a known key is a slip.
 */
export function ambiguousKeys(rubric: Rubric, cases: Readonly<Record<Split, readonly PlacedCase[]>>): RubricProblem[] {
  const problems: RubricProblem[] = [];
  for (const phase of rubric.phases) {
    const keys = new Map<string, Known>();
    for (const split of new Set(phase.splits)) {
      const file = rubric.cases[split] ?? '';
      for (const placed of cases[split]) {
        const message = slipOf(placed, keys, phase.name, `${file}:${placed.line}`);
        if (message !== null) problems.push({ file, line: placed.line, path: 'key', message });
      }
    }
  }
  return problems;
}

/** What is wrong with the key of a case after those before it; remembers the case where nothing is. */
function slipOf({ case: c }: PlacedCase, keys: Map<string, Known>, phase: string, place: string): string | null {
  const asked = canonicalJson([c.target ?? null, c.input]);
  const before = keys.get(caseKey(c));
  if (before === undefined) {
    keys.set(caseKey(c), { place, group: c.group, asked: new Set([asked]) });
    return null;
  }
  if (before.group === undefined || before.group !== c.group)
    return `the key is already that of ${before.place} in phase "${phase}"; cases that share a key must share a group`;
  if (before.asked.has(asked)) return `a case with this key, target and input is already in phase "${phase}"`;
  before.asked.add(asked);
  return null;
}
