import { createHash } from 'node:crypto';
import type { Installation } from './installation.ts';

/** Seed of an evaluation, 64 hexadecimal digits: HMAC-SHA256 with a key of this installation, so that nobody can choose it. */
export function evaluationSeed(installation: Pick<Installation, 'sub'>, evaluationId: string): string {
  return installation.sub(`seed of evaluation ${evaluationId}`);
}

/**
 * What is published before the evaluation runs: SHA-256 of the 32 bytes of the seed. The seed itself is revealed when
 * the evaluation is done; before that, secrets drawn from it could be searched for.
 */
export function seedCommitment(seed: string): string {
  return createHash('sha256').update(Buffer.from(seed, 'hex')).digest('hex');
}
