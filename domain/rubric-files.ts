import type { RubricSource } from '../contracts/api.ts';
import { everyGrader } from '../contracts/graders.ts';
import type { Rubric } from '../contracts/rubric.ts';
import type { Blobs } from './blobs/blobs.ts';

export interface StoredFile {
  path: string;
  bytes: number;
  sha256: string;
}

/** Larger files are named with their size, not sent. */
const largestText = 1_048_576;

/**
 * The files of a rubric version that anyone may read. Of a demonstration, all: its hidden cases are public anyway.
 * Otherwise an allow list, because a folder may hold anything, replay recordings of hidden cases included: what lies
 * at the top (rubric, README, licences), the public cases and the query files its graders name. Case files that are not
 * public and controls are taken out again wherever they lie, and so is any copy of them, by hash.
 */
export function readableFiles(rubric: Rubric, files: readonly StoredFile[]): StoredFile[] {
  if (rubric.demonstration) return [...files];
  const secret = new Set([rubric.cases.hidden, rubric.cases.holdout, ...rubric.controls.map((control) => control.path)]);
  const isSecret = (file: StoredFile) => secret.has(file.path) || file.path.startsWith('controls/');
  const secretHashes = new Set(files.filter(isSecret).map((file) => file.sha256));
  const queries = rubric.criteria
    .flatMap((criterion) => everyGrader(criterion.grader))
    .flatMap(({ grader }) => (grader.kind === 'reasr' ? [grader.queries] : []));
  const named = new Set([rubric.cases.public, ...queries]);
  const replays = new Set(rubric.targets.filter((target) => target.provider === 'replay').map((target) => target.model));
  return files.filter(
    (file) =>
      (named.has(file.path) || !file.path.includes('/')) && !replays.has(file.path) && !isSecret(file) && !secretHashes.has(file.sha256),
  );
}

/** Their texts; null for what is not UTF-8 or too large. Throws when a blob is missing: a published version is whole. */
export function readTexts(blobs: Blobs, files: readonly StoredFile[]): Promise<RubricSource['files']> {
  return Promise.all(
    files.map(async ({ path, bytes, sha256 }) => {
      if (bytes > largestText) return { path, bytes, text: null };
      const content = await blobs.get(sha256);
      if (content === null) throw new Error(`the blob ${sha256} of rubric file ${path} is missing`);
      return { path, bytes, text: decode(content) };
    }),
  );
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
