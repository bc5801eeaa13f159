import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Exchange } from '../../contracts/chat.ts';
import type { CaseResult, Verdict } from '../../contracts/evaluation.ts';
import type { EvaluationEvent } from '../../contracts/events.ts';
import type { Need } from '../../contracts/queue.ts';
import { Rubric, type Split } from '../../contracts/rubric.ts';
import type { Reason } from '../../contracts/status.ts';
import { ensureSampleAccount } from '../../domain/accounts.ts';
import type { Blobs } from '../../domain/blobs/blobs.ts';
import { publishRubric } from '../../domain/challenges.ts';
import type { Db } from '../../domain/db/client.ts';
import { readEvents } from '../../domain/events/read.ts';
import { claim, type Lease } from '../../domain/leases.ts';
import { moveTo } from '../../domain/moves.ts';
import { createSubmission } from '../../domain/submissions.ts';

/** Small real records for tests of the domain: a rubric, a submission in a wanted status, results. */

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export function memoryBlobs(): Blobs {
  const held = new Map<string, Uint8Array>();
  const put = async (bytes: Uint8Array) => {
    const hash = createHash('sha256').update(bytes).digest('hex');
    held.set(hash, bytes);
    return hash;
  };
  return {
    put,
    putSmall: async (_trx, all) => void (await Promise.all(all.map(put))),
    get: async (hash) => held.get(hash) ?? null,
  };
}

export const installation = { sub: (label: string): string => sha256(`test installation ${label}`) };

export interface RubricOptions {
  name?: string;
  title?: string;
  tags?: string[];
  trials?: number;
  demonstration?: boolean;
}

export function rubricOf({
  name = 'guess-the-word',
  title = 'Guess the word',
  tags = ['words'],
  trials = 1,
  demonstration = false,
}: RubricOptions = {}): Rubric {
  return Rubric.parse({
    format: 1,
    name,
    title,
    summary: 'Guess the hidden word of every case from its hint.',
    tags,
    riskTier: 'low',
    demonstration,
    submission: [
      { kind: 'answers', schema: { type: 'string' } },
      { kind: 'program', schema: { type: 'string' } },
    ],
    sandbox: { profiles: ['js', 'python'] },
    targets: [{ name: 'keeper', provider: 'simulated', model: 'leaky' }],
    budget: { calls: 100, inputTokens: 10_000, outputTokens: 10_000, costMicros: 0 },
    cases: { public: 'cases/public.jsonl', hidden: 'cases/hidden.jsonl', holdout: 'cases/holdout.jsonl' },
    phases: [
      { name: 'development', title: 'Development', splits: ['public'] },
      { name: 'final', title: 'Final', splits: ['public', 'hidden'] },
      { name: 'confirmation', title: 'Confirmation', splits: ['holdout'] },
    ],
    trials,
    criteria: [{ name: 'right', title: 'Right word', grader: { kind: 'equals', of: 'answer', to: 'expected' } }],
    metrics: [{ name: 'accuracy', title: 'Accuracy', kind: 'mean', of: 'case-score' }],
    score: 'accuracy',
    pass: { threshold: 0.5 },
    controls: [{ path: 'oracle.json', title: 'Oracle', role: 'oracle' }],
  });
}

export const counts: Record<Split, number> = { public: 4, hidden: 3, holdout: 2 };

export const folder: Record<string, string> = {
  'rubric.yaml': 'format: 1\n',
  'README.md': '# Guess\n',
  'oracle.json': '{"kind":"answers","answers":{"hidden":"answers"}}',
  'copy-of-hidden.txt': '{"id":"h0","expected":"secret"}\n',
  'cases/public.jsonl': '{"id":"p0"}\n',
  'cases/hidden.jsonl': '{"id":"h0","expected":"secret"}\n',
  'cases/holdout.jsonl': '{"id":"o0","expected":"secret too"}\n',
  'controls/cheat.json': '{"kind":"answers","answers":{}}',
  'recordings/replay.jsonl': '{"of":"hidden cases"}\n',
};

export async function publish(
  db: Db,
  blobs: Blobs,
  options: RubricOptions & { version?: string } = {},
): Promise<{ slug: string; hash: string; created: boolean }> {
  const rubric = rubricOf(options);
  const hash = sha256(`${rubric.name} ${options.version ?? '1'}`);
  const { created } = await publishRubric(db, blobs, {
    rubric,
    hash,
    readme: '# Guess',
    files: Object.entries(folder).map(([path, text]) => ({ path, bytes: Buffer.from(text), sha256: sha256(text) })),
    counts,
    publicCases: Array.from({ length: counts.public }, (_, i) => ({ id: `p${i}`, key: `key ${i}`, input: { hint: i } })),
    words: [{ heading: 'Task', sentences: ['Guess.'] }],
  });
  return { slug: rubric.name, hash, created };
}

export interface Entered {
  submissionId: string;
  evaluationId: string;
  account: { id: string; name: string };
}

export async function submit(
  db: Db,
  blobs: Blobs,
  given: { participant?: string; phase?: string; slug?: string; title?: string } = {},
): Promise<Entered> {
  const account = await ensureSampleAccount(db, given.participant ?? 'somebody');
  const made = await createSubmission(db, blobs, installation, {
    account,
    slug: given.slug ?? 'guess-the-word',
    phase: given.phase,
    title: given.title,
    document: { kind: 'answers', answers: { 'key 0': 'word' } },
  });
  if (!made.ok) throw new Error(made.message);
  return { submissionId: made.submissionId, evaluationId: made.evaluationId, account };
}

export async function toQueued(db: Db, evaluationId: string, need: Need = 'none'): Promise<void> {
  const lease = await claim(db, evaluationId, { from: ['received'], to: 'screening', workerId: 'screener' });
  if (lease === null || !(await moveTo(db, lease, 'queued', { need }))) throw new Error('the evaluation could not be screened');
}

export async function toRunning(db: Db, evaluationId: string, workerId = 'runner'): Promise<Lease> {
  await toQueued(db, evaluationId);
  return runningAgain(db, evaluationId, workerId);
}

export async function runningAgain(db: Db, evaluationId: string, workerId = 'runner'): Promise<Lease> {
  const lease = await claim(db, evaluationId, { from: ['queued'], to: 'running', workerId });
  if (lease === null) throw new Error('the evaluation could not be claimed');
  return lease;
}

/** From wherever its evaluate worker is to a lease of the verify stage. */
export async function toVerifying(db: Db, lease: Lease): Promise<Lease> {
  if (!(await moveTo(db, lease, 'verifying'))) throw new Error('the lease was lost');
  const verifying = await claim(db, lease.evaluationId, { from: ['verifying'], to: 'verifying', workerId: 'verifier' });
  if (verifying === null) throw new Error('the evaluation could not be claimed for verification');
  return verifying;
}

/** Lets the lease of an evaluation run out now. */
export async function letLeaseRunOut(db: Db, evaluationId: string): Promise<void> {
  await sql`update evaluation set lease_until = clock_timestamp() - interval '1 ms' where id = ${evaluationId}`.execute(db);
}

/** Makes the retry of an evaluation due now. */
export async function makeRetryDue(db: Db, evaluationId: string): Promise<void> {
  await sql`update evaluation set next_attempt_at = clock_timestamp() - interval '1 ms' where id = ${evaluationId}`.execute(db);
}

export function resultOf(caseId: string, changes: Partial<CaseResult> = {}): CaseResult {
  return {
    caseId,
    split: caseId.startsWith('h') ? 'hidden' : caseId.startsWith('o') ? 'holdout' : 'public',
    trial: 0,
    end: 'answered',
    limit: null,
    message: null,
    grades: [{ criterion: 'right', grader: 'equals', status: 'graded', score: 1, evidence: { guess: 'word' } }],
    score: 1,
    transcriptHash: null,
    logHash: null,
    artifacts: [],
    usage: { calls: 2, inputTokens: 10, outputTokens: 5, costMicros: '7' },
    wallMs: 1.5,
    ...changes,
  };
}

export function exchangeOf(index: number, changes: Partial<Exchange> = {}): Exchange {
  return {
    index,
    target: 'keeper',
    simulated: true,
    askedBy: 'submission',
    request: { target: 'keeper', messages: [{ role: 'user', content: 'hello' }] },
    reply: {
      id: 'reply',
      content: 'no',
      toolCalls: [],
      stopReason: 'stop',
      requestedModel: 'leaky',
      returnedModel: 'leaky-1',
      fingerprint: null,
      tokens: { inputTokens: 5, outputTokens: 1, estimated: false },
    },
    fault: null,
    charged: { calls: 1, inputTokens: 5, outputTokens: 1, costMicros: '7' },
    startedAt: '2026-01-01T00:00:00.000Z',
    durationMs: 3,
    ...changes,
  };
}

export function verdictOf(score: number, interval: [number, number] | null = null, changes: Partial<Verdict> = {}): Verdict {
  return {
    outcome: score >= 0.5 ? 'pass' : 'fail',
    reason: null,
    score,
    interval,
    metrics: {
      accuracy: {
        value: score,
        lower: interval?.[0] ?? score,
        upper: interval?.[1] ?? score,
        method: 'wilson',
        numerator: 3,
        denominator: 7,
      },
    },
    criteria: [{ name: 'right', title: 'Right word', weight: 1, mean: score, graded: 7, errors: 0 }],
    ...changes,
  };
}

export const resultHash = sha256('result');
export const usage = { calls: 9, inputTokens: 90, outputTokens: 45, costMicros: '63' };
export const fault: Reason = { code: 'transport', faultOf: 'target', message: 'h0 said "secret"', advice: 'Wait.' };

export async function eventsOf(db: Db, evaluationId: string): Promise<EvaluationEvent[]> {
  const stored = await readEvents(db, evaluationId, 0, 10_000);
  return stored.map((one) => one.event);
}

export async function rowOf(db: Db, evaluationId: string) {
  return db.selectFrom('evaluation').selectAll().where('id', '=', evaluationId).executeTakeFirstOrThrow();
}
