import type { ArtifactRecord, CaseEnd, CaseResult, Grade } from '../contracts/evaluation.ts';
import type { Split } from '../contracts/rubric.ts';
import type { LimitKind } from '../contracts/status.ts';

/** A row of `case_result` with its grades in the order of the rubric. Its values were checked when they were written. */
export interface CaseRow {
  trial: number;
  case_id: string;
  split: Split;
  end: CaseEnd;
  limit_kind: LimitKind | null;
  message: string | null;
  score: number | null;
  transcript_hash: string | null;
  log_hash: string | null;
  answer_hash: string | null;
  artifacts: ArtifactRecord[];
  calls: number;
  input_tokens: string;
  output_tokens: string;
  cost_micros: string;
  judge_calls: number;
  judge_input_tokens: string;
  judge_output_tokens: string;
  judge_cost_micros: string;
  wall_ms: number;
  grades: Grade[] | null;
}

export function toCaseResult(row: CaseRow): CaseResult {
  return {
    caseId: row.case_id,
    split: row.split,
    trial: row.trial,
    end: row.end,
    limit: row.limit_kind,
    message: row.message,
    grades: row.grades ?? [],
    score: row.score,
    transcriptHash: row.transcript_hash,
    logHash: row.log_hash,
    ...(row.answer_hash !== null && { answerHash: row.answer_hash }),
    artifacts: row.artifacts.map(toRecord),
    usage: {
      calls: row.calls,
      inputTokens: Number(row.input_tokens),
      outputTokens: Number(row.output_tokens),
      costMicros: row.cost_micros,
    },
    ...judgingOf(row),
    wallMs: row.wall_ms,
  };
}

/** Absent where no judge was paid. */
function judgingOf(row: CaseRow): Pick<CaseResult, 'judging'> {
  const judging = {
    calls: row.judge_calls,
    inputTokens: Number(row.judge_input_tokens),
    outputTokens: Number(row.judge_output_tokens),
    costMicros: row.judge_cost_micros,
  };
  return judging.calls === 0 ? {} : { judging };
}

/** `jsonb` keeps no order of keys; a result read back is the same as the one that was written. */
const toRecord = ({ path, sha256, bytes }: ArtifactRecord): ArtifactRecord => ({ path, sha256, bytes });
