import { createHash } from 'node:crypto';
import { canonicalJson } from '../../contracts/canonical.ts';
import type { Observation } from './observation.ts';
import { CalibrationProblem } from './problem.ts';

/** Labelled rows that were seen, each by what it says: a copy is no further evidence. */
export interface SeenRows {
  /** Is it a copy of an earlier row of the same target? Throws where the earlier one has another label and `strict`. */
  isCopy(row: Observation, label: boolean): boolean;
}

/**
 * One text, prompt and target count once. Runs of blanks are one blank: a space more makes no further answer. `strict`
 * refuses one text and prompt under two labels, because what a person would say of it is then not known.
 */
export function seenRows(file: string, strict: boolean): SeenRows {
  const labels = new Map<string, { label: boolean; line: number }>();
  const counted = new Set<string>();
  return {
    isCopy(row, label) {
      if (row.text === null) return false;
      const said = [plain(row.text), row.prompt === null ? null : plain(row.prompt)];
      const key = sha256(said);
      const before = labels.get(key);
      if (strict && before !== undefined && before.label !== label)
        throw new CalibrationProblem(
          `${file}:${row.line}: has the text and prompt of line ${before.line} and another label; people have to agree on one, or leave both rows out`,
        );
      if (before === undefined) labels.set(key, { label, line: row.line });
      const whole = sha256([...said, row.target]);
      if (counted.has(whole)) return true;
      counted.add(whole);
      return false;
    },
  };
}

const plain = (text: string): string => text.normalize('NFC').replace(/\s+/g, ' ').trim();
const sha256 = (value: (string | null)[]): string => createHash('sha256').update(canonicalJson(value)).digest('base64');
