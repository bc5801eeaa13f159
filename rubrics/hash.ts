import { createHash } from 'node:crypto';
import { canonicalJson } from '../contracts/canonical.ts';
import type { RubricFile } from './rubric.ts';

export const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** The files as hashed, sorted by path in code units: no locale changes a version. */
export function listFiles(files: ReadonlyMap<string, Uint8Array>): RubricFile[] {
  const list = [...files].map(([path, bytes]) => ({ path, bytes: bytes.byteLength, sha256: sha256(bytes) }));
  return list.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The version of a rubric: SHA-256 over the canonical JSON of its sorted `[path, bytes, sha256]` rows. */
export function contentHash(files: readonly RubricFile[]): string {
  const rows = [...files].sort((a, b) => (a.path < b.path ? -1 : 1)).map(({ path, bytes, sha256: hash }) => [path, bytes, hash]);
  return sha256(canonicalJson(rows));
}
