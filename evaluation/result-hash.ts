import { createHash } from 'node:crypto';
import { canonicalJson } from '../contracts/canonical.ts';
import type { CaseResult, Verdict } from '../contracts/evaluation.ts';

/**
 * SHA-256 over the deterministic core of an evaluation: what was judged and what came out, without times, usage or
 * worker. Two honest runs of one submission with one seed and the same replies give the same hash.
 */
export function resultHash(core: {
  rubricHash: string;
  submissionHash: string;
  seed: string;
  phase: string;
  verdict: Verdict;
  results: readonly CaseResult[];
}): string {
  const cases = core.results.map(({ caseId, split, trial, end, limit, grades, score, artifacts }) => ({
    caseId,
    split,
    trial,
    end,
    limit,
    grades,
    score,
    // Absent without any: results from before there were artifacts keep their hash.
    ...(artifacts.length === 0 ? {} : { artifacts }),
  }));
  const { rubricHash, submissionHash, seed, phase, verdict } = core;
  return createHash('sha256').update(canonicalJson({ rubricHash, submissionHash, seed, phase, verdict, cases })).digest('hex');
}

/** Content hash of a submission document: SHA-256 of its canonical JSON. */
export function submissionHash(document: object): string {
  return createHash('sha256').update(canonicalJson(document)).digest('hex');
}
