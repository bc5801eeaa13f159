import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { canonicalJson } from '../contracts/canonical.ts';
import type { Rubric, Split } from '../contracts/rubric.ts';
import type { SubmissionDocument } from '../contracts/submission.ts';
import type { Account } from './accounts.ts';
import type { Blobs } from './blobs/blobs.ts';
import type { Db } from './db/client.ts';
import { storableText } from './db/storable-text.ts';
import { appendEvents } from './events/append.ts';
import { once } from './idempotency.ts';
import type { Installation } from './installation.ts';
import { evaluationSeed, seedCommitment } from './seeds.ts';
import { isSimulated } from './simulated.ts';
import { inTransaction, type Trx } from './transaction.ts';

export interface NewSubmission {
  account: Pick<Account, 'id'>;
  /** The challenge. */
  slug: string;
  /** The rubric's first phase when absent. */
  phase?: string | undefined;
  title?: string | undefined;
  document: SubmissionDocument;
  /** Ships with the rubric. */
  sample?: boolean | undefined;
  /** Of the account; the same key with the same submission answers what the first one made. */
  idempotencyKey?: string | undefined;
}

export type Created =
  /** `created` is false when an earlier request with the same key made it: then there is nothing to publish. */
  | { ok: true; submissionId: string; evaluationId: string; created: boolean }
  | {
      ok: false;
      code: 'unknown_challenge' | 'unknown_phase' | 'kind_not_accepted' | 'idempotency_key_reused';
      message: string;
    };

interface Ids {
  submissionId: string;
  evaluationId: string;
  [key: string]: string;
}

/**
 * Stores a submission and its evaluation, received. The blob is written first (a row must never point at nothing; a blob
 * without a row is only a few lost bytes), then submission, evaluation, seed, budget and first event in one transaction.
 * The caller publishes the evaluation to the `screen` queue after this has returned; should it die before,
 * the sweeper does.
 */
export async function createSubmission(
  db: Db,
  blobs: Blobs,
  installation: Pick<Installation, 'sub'>,
  given: NewSubmission,
): Promise<Created> {
  const entry = await enter(db, given);
  if (!entry.ok) return entry;
  const bytes = Buffer.from(canonicalJson(given.document), 'utf8');
  const contentHash = await blobs.put(bytes);
  const content = { hash: contentHash, bytes: bytes.byteLength };
  return inTransaction(db, async (trx): Promise<Created> => {
    const make = () => insertAll(trx, installation, given, entry, content);
    if (given.idempotencyKey === undefined) return { ok: true, ...(await make()), created: true };
    const key = { accountId: given.account.id, key: given.idempotencyKey, requestHash: requestHash(given, entry.phase, contentHash) };
    const remembered = await once<Ids>(trx, key, make);
    if (remembered.kind === 'other_request') {
      return { ok: false, code: 'idempotency_key_reused', message: 'this Idempotency-Key was used for another submission; take a new one' };
    }
    const { submissionId, evaluationId } = remembered.answer;
    return { ok: true, submissionId, evaluationId, created: remembered.kind === 'new' };
  });
}

interface Entry {
  ok: true;
  challengeId: string;
  rubricHash: string;
  phase: string;
  splits: Split[];
  hiddenRounding: number;
  cases: number;
  simulated: boolean;
  challengeTitle: string;
}

/** Finds the rubric version and phase the submission enters, and refuses kinds that the challenge does not take. */
async function enter(db: Db, { slug, phase: wanted, document }: NewSubmission): Promise<Entry | Extract<Created, { ok: false }>> {
  const row = await db
    .selectFrom('challenge as c')
    .innerJoin('rubric_version as r', 'r.hash', 'c.rubric_hash')
    .select(['c.id', 'c.title', 'r.hash', 'r.document', 'r.counts'])
    .where('c.slug', '=', slug)
    .executeTakeFirst();
  if (row === undefined)
    return { ok: false, code: 'unknown_challenge', message: `there is no challenge "${storableText(slug).slice(0, 64)}"` };
  const rubric = row.document as unknown as Rubric;
  const phase = wanted === undefined ? rubric.phases[0] : rubric.phases.find((one) => one.name === wanted);
  if (phase === undefined) {
    return {
      ok: false,
      code: 'unknown_phase',
      message: `this challenge has the phases ${rubric.phases.map((one) => one.name).join(', ')}`,
    };
  }
  if (!rubric.submission.some((form) => form.kind === document.kind)) {
    const kinds = rubric.submission.map((form) => form.kind).join(', ');
    return { ok: false, code: 'kind_not_accepted', message: `this challenge takes ${kinds}, not ${document.kind}` };
  }
  const counts = row.counts as Record<Split, number>;
  return {
    ok: true,
    challengeId: row.id,
    rubricHash: row.hash,
    phase: phase.name,
    splits: [...new Set(phase.splits)],
    hiddenRounding: rubric.feedback.hiddenRounding,
    cases: [...new Set(phase.splits)].reduce((sum, split) => sum + counts[split], 0) * rubric.trials,
    simulated: isSimulated(rubric),
    challengeTitle: row.title,
  };
}

function requestHash(given: NewSubmission, phase: string, contentHash: string): string {
  const asked = { slug: given.slug, phase, title: given.title ?? null, sample: given.sample ?? false, contentHash };
  return createHash('sha256').update(canonicalJson(asked)).digest('hex');
}

interface Content {
  hash: string;
  bytes: number;
}

async function insertAll(
  trx: Trx,
  installation: Pick<Installation, 'sub'>,
  given: NewSubmission,
  entry: Entry,
  content: Content,
): Promise<Ids> {
  const submissionId = uuidv7();
  const evaluationId = uuidv7();
  const seed = evaluationSeed(installation, evaluationId);
  const title =
    storableText(given.title ?? entry.challengeTitle)
      .trim()
      .slice(0, 200) || given.document.kind;
  await trx
    .insertInto('submission')
    .values({
      id: submissionId,
      challenge_id: entry.challengeId,
      account_id: given.account.id,
      title,
      kind: given.document.kind,
      content_hash: content.hash,
      content_bytes: content.bytes,
      sample: given.sample ?? false,
    })
    .execute();
  await trx
    .insertInto('evaluation')
    .values({
      id: evaluationId,
      submission_id: submissionId,
      rubric_hash: entry.rubricHash,
      phase: entry.phase,
      splits: entry.splits,
      hidden_rounding: entry.hiddenRounding,
      progress_of: entry.cases,
      simulated: entry.simulated,
      seed_commitment: seedCommitment(seed),
    })
    .execute();
  await trx.insertInto('evaluation_seed').values({ evaluation_id: evaluationId, seed }).execute();
  await trx.insertInto('evaluation_budget').values({ evaluation_id: evaluationId, purse: 'targets' }).execute();
  await appendEvents(trx, evaluationId, [{ kind: 'status', status: 'received', outcome: null, reason: null }]);
  return { submissionId, evaluationId };
}
