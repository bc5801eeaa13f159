import { parseBoundedJson } from '../contracts/json.ts';
import { Case } from '../contracts/rubric.ts';
import type { RubricProblem } from './rubric.ts';
import { schemaProblems } from './zod-problems.ts';

const lineBounds = { maxBytes: 1_048_576, maxDepth: 32 };
const maxProblems = 20;

/** A case and where it was written. */
export interface PlacedCase {
  case: Case;
  line: number;
}

/** Reads a JSONL file of cases. Every line is one bounded JSON object; only the end of the file may be empty. */
export function readCases(file: string, bytes: Uint8Array): { cases: PlacedCase[]; problems: RubricProblem[] } {
  const cases: PlacedCase[] = [];
  const problems: RubricProblem[] = [];
  for (const { line, text } of linesOf(bytes)) {
    if (problems.length >= maxProblems) break;
    const complain = (path: string, message: string) => problems.push({ file, line, path, message });
    if (text.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)) {
      complain('', 'the line is empty; expected one case as a JSON object');
      continue;
    }
    const parsed = parseBoundedJson(text, lineBounds);
    if (!parsed.ok) {
      complain('', `the line ${parsed.problem}`);
      continue;
    }
    const checked = Case.safeParse(parsed.value);
    if (checked.success) cases.push({ case: checked.data, line });
    else
      for (const { path, key, message } of schemaProblems(checked.error))
        complain([...path, ...(key === undefined ? [] : [key])].join('/'), message);
  }
  if (cases.length === 0 && problems.length === 0) problems.push({ file, line: null, path: '', message: 'the file has no cases' });
  return { cases, problems };
}

function* linesOf(bytes: Uint8Array): Generator<{ line: number; text: Uint8Array }> {
  let start = 0;
  for (let line = 1; start < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, start);
    yield { line, text: bytes.subarray(start, end < 0 ? bytes.length : end) };
    if (end < 0) return;
    start = end + 1;
  }
}
