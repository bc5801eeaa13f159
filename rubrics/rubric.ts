import type { Case, Rubric, Split } from '../contracts/rubric.ts';

/** One file of the folder, as hashed: forward-slash path, size in bytes, SHA-256 of its bytes. */
export interface RubricFile {
  path: string;
  bytes: number;
  sha256: string;
}

/** A rubric read from its folder, complete and checked. Immutable. */
export interface LoadedRubric {
  /** SHA-256 over the sorted list of paths and file hashes: the version. */
  hash: string;
  rubric: Rubric;
  readme: string;
  files: readonly RubricFile[];
  cases: Readonly<Record<Split, readonly Case[]>>;
  /** Absolute path of the folder it was read from. */
  folder: string;
  /** Text of a file of the rubric (UTF-8); throws when it is not one of `files`. */
  text(path: string): string;
  /** Bytes of a file of the rubric, as hashed; throws when it is not one of `files`. */
  bytes(path: string): Uint8Array;
}

/** Something wrong in a rubric, said so that its author can mend it. */
export interface RubricProblem {
  file: string;
  /** 1-based; null when the problem is not at one place. */
  line: number | null;
  /** Path inside the document, `criteria/0/grader/kind`; empty for the whole file. */
  path: string;
  message: string;
}
