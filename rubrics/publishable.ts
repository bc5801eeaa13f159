import { caseKey, type Rubric, type Split } from '../contracts/rubric.ts';
import type { JudgeMoney, RubricWords } from '../contracts/api.ts';
import type { Json } from '../contracts/json.ts';
import { judgeMoney } from './calibration/judge-money.ts';
import type { LoadedRubric } from './rubric.ts';
import { rubricInWords } from './words.ts';

/** A rubric version as the records keep it. */
export interface Publishable {
  rubric: Rubric;
  hash: string;
  readme: string;
  files: { path: string; sha256: string; bytes: Uint8Array }[];
  counts: Record<Split, number>;
  publicCases: { id: string; key: string; input: Json }[];
  words: RubricWords;
  judgeMoney: JudgeMoney;
}

/** What there is to store of a loaded rubric, from the bytes as they were hashed: files read again might be others by now. */
export function publishable(loaded: LoadedRubric): Publishable {
  const { rubric, hash, readme, cases } = loaded;
  const counts = { public: cases.public.length, hidden: cases.hidden.length, holdout: cases.holdout.length };
  const paths = new Set(loaded.files.map(({ path }) => path));
  return {
    ...{ rubric, hash, readme, counts },
    files: loaded.files.map(({ path, sha256 }) => ({ path, sha256, bytes: loaded.bytes(path) })),
    publicCases: cases.public.map((one) => ({ id: one.id, key: caseKey(one), input: one.input })),
    words: rubricInWords(rubric, counts),
    judgeMoney: judgeMoney(rubric, (path) => (paths.has(path) ? loaded.bytes(path) : undefined)),
  };
}
