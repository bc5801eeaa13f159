import { sql } from 'kysely';
import type { EvaluationView } from '../contracts/api.ts';
import type { SandboxRecord } from '../contracts/doctor.ts';
import type { Verdict } from '../contracts/evaluation.ts';
import type { Split } from '../contracts/rubric.ts';
import type { Outcome, Reason, Status } from '../contracts/status.ts';
import type { Usage } from '../contracts/target.ts';
import type { Db } from './db/client.ts';
import type { Json } from './db/schema.ts';
import { shownUsage, shownVerdict } from './feedback.ts';
import { shownReason } from './reasons.ts';
import { publicUsage } from './usage.ts';

/** Evaluations with their challenge's name and their place in the queue of their need. */
export function evaluationRows(db: Db) {
  return db
    .selectFrom('evaluation as e')
    .innerJoin('submission as s', 's.id', 'e.submission_id')
    .innerJoin('challenge as c', 'c.id', 's.challenge_id')
    .selectAll('e')
    .select('c.slug')
    .select(
      sql<number | null>`case when e.status = 'queued' then
        (select count(*)::int + 1 from evaluation q where q.status = 'queued' and q.need = e.need and q.id < e.id) end`.as(
        'queue_position',
      ),
    )
    .select(regradedColumn);
}

/** The verdict before the one that counts, where it was graded again. */
const regradedColumn = sql<Superseded | null>`case when e.regraded_by is not null then (
  select jsonb_build_object('rubricHash', p.rubric_hash, 'hiddenRounding', p.hidden_rounding, 'verdict', p.verdict, 'at', v.given_at,
    'reason', r.reason, 'verdicts', v.seq)
  from evaluation_verdict v join evaluation_verdict p on p.evaluation_id = v.evaluation_id and p.seq = v.seq - 1
  join regrading r on r.id = v.regrading_id
  where v.evaluation_id = e.id and v.regrading_id = e.regraded_by) end`.as('superseded');

interface Superseded {
  rubricHash: string;
  hiddenRounding: number;
  verdict: Verdict;
  at: string;
  reason: string;
  verdicts: number;
}

export interface EvaluationRow {
  id: string;
  slug: string;
  submission_id: string;
  phase: string;
  splits: string[];
  hidden_rounding: number;
  rubric_hash: string;
  status: string;
  outcome: string | null;
  reason: Json | null;
  waiting: Json | null;
  waiting_since: Date | null;
  deadline_at: Date | null;
  next_attempt_at: Date | null;
  queue_position: number | null;
  attempt: number;
  attempt_cost: string;
  progress_done: number;
  progress_of: number;
  seed_commitment: string;
  seed: string | null;
  verdict: Json | null;
  usage: Json | null;
  public_usage: Json | null;
  simulated: boolean;
  sandbox: Json;
  result_hash: string | null;
  created_at: Date;
  started_at: Date | null;
  done_at: Date | null;
  event_seq: string;
  superseded: Superseded | null;
}

/** What a participant sees of an evaluation. `usedSoFar`: by its public cases, while it runs. */
export function toEvaluationView(row: EvaluationRow, usedSoFar: Usage | null): EvaluationView {
  const policy = { splits: row.splits as Split[], hiddenRounding: row.hidden_rounding };
  const isDone = row.status === 'done';
  const shown = shownVerdict(policy, isDone ? (row.verdict as unknown as Verdict | null) : null);
  const reason = row.reason as unknown as Reason | null;
  return {
    id: row.id,
    submissionId: row.submission_id,
    challenge: row.slug,
    phase: row.phase,
    rubricHash: row.rubric_hash,
    status: row.status as Status,
    outcome: row.outcome as Outcome | null,
    reason: reason === null ? null : shownReason(reason, policy.splits, row.started_at !== null),
    waiting: waitingOf(row),
    ...shown,
    progress: { done: row.progress_done, of: row.progress_of },
    usage: isDone ? shownUsage(policy, { whole: asUsage(row.usage), ofPublic: asUsage(row.public_usage) }) : usedSoFar,
    simulated: row.simulated,
    sandbox: row.sandbox as unknown as SandboxRecord[],
    attempt: row.attempt,
    attemptCost: row.attempt_cost as EvaluationView['attemptCost'],
    seedCommitment: row.seed_commitment,
    seed: row.seed,
    // Over exact hidden results it would let anyone confirm a guess of them.
    resultHash: shown.rounded ? null : row.result_hash,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    doneAt: row.done_at?.toISOString() ?? null,
    lastEventSeq: Number(row.event_seq),
    regraded: row.superseded === null ? null : regradedOf(policy.splits, row.superseded),
  };
}

/** The former verdict is shown as it was shown then: under the version that gave it. */
function regradedOf(splits: readonly Split[], before: Superseded): EvaluationView['regraded'] {
  const { score, interval } = shownVerdict({ splits, hiddenRounding: before.hiddenRounding }, before.verdict);
  const { rubricHash, reason, verdicts } = before;
  return {
    from: { rubricHash, outcome: before.verdict.outcome, score, interval },
    ...{ at: new Date(before.at).toISOString(), reason, verdicts },
  };
}

const asUsage = (usage: Json | null): Usage | null => usage as unknown as Usage | null;

/** A retry ends its wait by itself when it is due, other waits at their deadline, if they have one. */
function waitingOf(row: EvaluationRow): EvaluationView['waiting'] {
  if (row.waiting === null || row.waiting_since === null) return null;
  return {
    reason: row.waiting as unknown as Reason,
    since: row.waiting_since.toISOString(),
    deadlineAt: (row.next_attempt_at ?? row.deadline_at)?.toISOString() ?? null,
    queuePosition: row.queue_position,
  };
}

export async function showEvaluation(db: Db, id: string): Promise<EvaluationView | null> {
  const row = await evaluationRows(db).where('e.id', '=', id).executeTakeFirst();
  if (row === undefined) return null;
  return toEvaluationView(row, row.status === 'done' || row.started_at === null ? null : await publicUsage(db, id));
}
