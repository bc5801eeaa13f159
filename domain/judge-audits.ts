import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { canonicalJson } from '../contracts/canonical.ts';
import { everyGrader } from '../contracts/graders.ts';
import { type CreateJudgeAudit, type JudgeAuditView, judgeAwardCode, judgePassFrom } from '../contracts/judge-audits.ts';
import type { Rubric } from '../contracts/rubric.ts';
import { Reason } from '../contracts/status.ts';
import type { Account } from './accounts.ts';
import type { Db } from './db/client.ts';
import { storableText } from './db/storable-text.ts';
import { once } from './idempotency.ts';
import { inTransaction, type Trx } from './transaction.ts';

/*
 * People's looks at what judges decided: the stop-loss of judged awards lives on them. Append-only; one person says one
 * thing about one grade once, and nobody about a submission of their own.
 */

export interface NewJudgeAudit {
  account: Pick<Account, 'id'>;
  evaluationId: string;
  audit: CreateJudgeAudit;
  idempotencyKey?: string | undefined;
}

export type AuditRecorded =
  | { ok: true; id: string; created: boolean }
  | {
      ok: false;
      code:
        | 'unknown_evaluation'
        | 'own_submission'
        | 'not_done'
        | 'no_such_grade'
        | 'no_award'
        | 'already_audited'
        | 'idempotency_key_reused';
      message: string;
    };

type Refused = Extract<AuditRecorded, { ok: false }>;
const refuse = (code: Refused['code'], message: string): Refused => ({ ok: false, code, message });

/** Records what a person says of a judge's grade, or of a judged award as a whole. */
export function recordJudgeAudit(db: Db, given: NewJudgeAudit): Promise<AuditRecorded> {
  return inTransaction(db, async (trx): Promise<AuditRecorded> => {
    const about = await aboutOf(trx, given);
    if ('ok' in about) return about;
    const insert = async (): Promise<{ id: string | null }> => ({ id: await insertAudit(trx, given, about) });
    if (given.idempotencyKey === undefined) return recorded((await insert()).id, true);
    const requestHash = createHash('sha256')
      .update(canonicalJson({ what: 'judge-audit', evaluationId: given.evaluationId, ...given.audit }))
      .digest('hex');
    const remembered = await once(trx, { accountId: given.account.id, key: given.idempotencyKey, requestHash }, insert);
    if (remembered.kind === 'other_request')
      return refuse('idempotency_key_reused', 'this Idempotency-Key was used for another request; take a new one');
    return recorded(remembered.answer.id, remembered.kind === 'new');
  });
}

const recorded = (id: string | null, created: boolean): AuditRecorded =>
  id === null ? refuse('already_audited', 'you have said what you think of this already, and it stands') : { ok: true, id, created };

interface About {
  rubricHash: string;
  target: string | null;
  score: number | null;
  judgePassed: boolean;
}

async function aboutOf(trx: Trx, { account, evaluationId, audit }: NewJudgeAudit): Promise<About | Refused> {
  const row = await trx
    .selectFrom('evaluation as e')
    .innerJoin('submission as s', 's.id', 'e.submission_id')
    .innerJoin('rubric_version as r', 'r.hash', 'e.rubric_hash')
    .select(['e.status', 'e.outcome', 'e.reason', 'e.rubric_hash', 's.account_id', 'r.document'])
    .where('e.id', '=', evaluationId)
    .executeTakeFirst();
  if (row === undefined) return refuse('unknown_evaluation', 'there is no such evaluation');
  if (row.account_id === account.id) return refuse('own_submission', 'nobody audits the judge of a submission of their own');
  if (row.status !== 'done') return refuse('not_done', `the evaluation is ${row.status}; it can be audited when it is done`);
  const rubric = row.document as unknown as Rubric;
  if (audit.grade !== undefined) return aboutGrade(trx, evaluationId, audit.grade, rubric, row.rubric_hash);
  const waits = row.outcome === 'needs_review' && Reason.safeParse(row.reason).data?.code === judgeAwardCode;
  if (!waits && row.outcome !== 'pass') return refuse('no_award', 'this evaluation is no award that a judge decided');
  if (!rubric.criteria.some(isJudged)) return refuse('no_award', 'no judge took part in this evaluation');
  return { rubricHash: row.rubric_hash, target: await awardTarget(trx, evaluationId), score: null, judgePassed: true };
}

/** The target an award was won on; null where it asked several or none, and the audit is about each target of the rubric. */
async function awardTarget(trx: Trx, evaluationId: string): Promise<string | null> {
  const asked = await trx
    .selectFrom('model_call')
    .select('target')
    .distinct()
    .where('evaluation_id', '=', evaluationId)
    .where('asked_by', '=', 'submission')
    .limit(2)
    .execute();
  return asked.length === 1 ? (asked[0]?.target ?? null) : null;
}

const isJudged = ({ grader }: Rubric['criteria'][number]): boolean =>
  everyGrader(grader).some((part) => part.grader.kind === 'judge' || part.grader.kind === 'jury');

async function aboutGrade(
  trx: Trx,
  evaluationId: string,
  { criterion, caseId, trial }: NonNullable<CreateJudgeAudit['grade']>,
  rubric: Rubric,
  rubricHash: string,
): Promise<About | Refused> {
  const judged = rubric.criteria.find(({ name }) => name === criterion);
  if (judged === undefined || !isJudged(judged)) return refuse('no_such_grade', `no judge decides the criterion "${criterion}"`);
  const grade = await trx
    .selectFrom('grade')
    .select('score')
    .where('evaluation_id', '=', evaluationId)
    .where('criterion', '=', criterion)
    .where('case_id', '=', caseId)
    .where('trial', '=', trial)
    .where('status', '=', 'graded')
    .executeTakeFirst();
  const score = grade?.score ?? null;
  if (score === null) return refuse('no_such_grade', 'the judge decided nothing there');
  const asked = await trx
    .selectFrom('model_call')
    .select('target')
    .where('evaluation_id', '=', evaluationId)
    .where('case_id', '=', caseId)
    .where('trial', '=', trial)
    .where('asked_by', '=', 'submission')
    .orderBy('target')
    .limit(1)
    .executeTakeFirst();
  return { rubricHash, target: asked?.target ?? rubric.targets[0]?.name ?? null, score, judgePassed: score >= judgePassFrom };
}

/** Null when this person has judged the same thing before: of two requests at once one wins. */
async function insertAudit(trx: Trx, { account, evaluationId, audit }: NewJudgeAudit, about: About): Promise<string | null> {
  const row = await trx
    .insertInto('judge_audit')
    .values({
      id: uuidv7(),
      evaluation_id: evaluationId,
      rubric_hash: about.rubricHash,
      criterion: audit.grade?.criterion ?? null,
      case_id: audit.grade?.caseId ?? null,
      trial: audit.grade?.trial ?? null,
      target: about.target,
      judge_score: about.score,
      judge_passed: about.judgePassed,
      human_passed: audit.passed,
      account_id: account.id,
      reason: storableText(audit.reason),
    })
    .onConflict((conflict) => conflict.constraint('once_per_person').doNothing())
    .returning('id')
    .executeTakeFirst();
  return row?.id ?? null;
}

/** Every audit of an evaluation, in the order in which they were made. */
export async function listJudgeAudits(db: Db, evaluationId: string): Promise<JudgeAuditView[]> {
  const rows = await db
    .selectFrom('judge_audit as j')
    .innerJoin('account as a', 'a.id', 'j.account_id')
    .selectAll('j')
    .select('a.name as by')
    .where('j.evaluation_id', '=', evaluationId)
    .orderBy('j.seq')
    .limit(1_000)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    grade:
      row.criterion === null || row.case_id === null || row.trial === null || row.judge_score === null
        ? null
        : { criterion: row.criterion, caseId: row.case_id, trial: row.trial, score: row.judge_score },
    target: row.target,
    judgePassed: row.judge_passed,
    humanPassed: row.human_passed,
    by: row.by,
    reason: row.reason,
    at: row.created_at.toISOString(),
  }));
}

export interface AuditedAwards {
  /** Awards that people looked at. */
  awardsAudited: number;
  /** Of these, the ones that nobody overruled. */
  awardsAgreed: number;
  /** By target, every target of the rubric among them (`''` where it has none): the last audits, in their order. */
  cells: Map<string, { judgePassed: boolean; humanPassed: boolean }[]>;
}

/** What people said of the judges of a rubric version, as the award rule needs it; audits of awards are in the cells too. */
export async function awardStanding(db: Db, rubricHash: string, last: number): Promise<AuditedAwards> {
  const { rows: counts } = await sql<{ audited: string; agreed: string }>`
    select count(*) as audited, count(*) filter (where agreed) as agreed from (
      select bool_and(human_passed) as agreed from judge_audit where rubric_hash = ${rubricHash} and criterion is null group by evaluation_id
    ) as award`.execute(db);
  const cells: AuditedAwards['cells'] = new Map();
  for (const target of await targetsOf(db, rubricHash)) {
    const { rows } = await sql<{ judge_passed: boolean; human_passed: boolean }>`
      select judge_passed, human_passed from judge_audit
      where rubric_hash = ${rubricHash} and (coalesce(target, '') = ${target} or (criterion is null and target is null))
      order by seq desc limit ${last}`.execute(db);
    cells.set(
      target,
      rows.reverse().map((row) => ({ judgePassed: row.judge_passed, humanPassed: row.human_passed })),
    );
  }
  return { awardsAudited: Number(counts[0]?.audited ?? 0), awardsAgreed: Number(counts[0]?.agreed ?? 0), cells };
}

async function targetsOf(db: Db, rubricHash: string): Promise<Set<string>> {
  const version = await db.selectFrom('rubric_version').select('document').where('hash', '=', rubricHash).executeTakeFirstOrThrow();
  const names = (version.document as unknown as Rubric).targets.map(({ name }) => name);
  const audited = await db.selectFrom('judge_audit').select('target').distinct().where('rubric_hash', '=', rubricHash).execute();
  const seen = audited.flatMap(({ target }) => target ?? []);
  return new Set([...(names.length === 0 ? [''] : names), ...seen]);
}
