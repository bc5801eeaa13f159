// Generated from migrations/ by scripts/generate-db-types.ts. Do not edit.

import type { ColumnType } from "kysely";

type Generated<T> = T extends ColumnType<infer S, infer I, infer U>
  ? ColumnType<S, I | undefined, U>
  : ColumnType<T, T | undefined, T>;

type Int8 = ColumnType<string, bigint | number | string, bigint | number | string>;

export type Json = JsonValue;

type JsonArray = JsonValue[];

type JsonObject = {
  [x: string]: JsonValue | undefined;
};

type JsonPrimitive = boolean | number | string | null;

type JsonValue = JsonArray | JsonObject | JsonPrimitive;

type Timestamp = ColumnType<Date, Date | string, Date | string>;

interface Account {
  created_at: Generated<Timestamp>;
  id: string;
  kind: string;
  name: string;
  token_hash: string | null;
}

interface CaseResult {
  answer_hash: string | null;
  artifacts: Generated<Json>;
  calls: number;
  case_id: string;
  cost_micros: Int8;
  end: string;
  evaluation_id: string;
  fencing: Int8;
  input_tokens: Int8;
  judge_calls: Generated<number>;
  judge_cost_micros: Generated<Int8>;
  judge_input_tokens: Generated<Int8>;
  judge_output_tokens: Generated<Int8>;
  limit_kind: string | null;
  log_hash: string | null;
  message: string | null;
  output_tokens: Int8;
  recorded_at: Generated<Timestamp>;
  score: number | null;
  settled: boolean;
  split: string;
  transcript_hash: string | null;
  trial: number;
  wall_ms: number;
}

interface Challenge {
  created_at: Generated<Timestamp>;
  demonstration: boolean;
  id: string;
  risk_tier: string;
  rubric_hash: string;
  search: Generated<string>;
  slug: string;
  summary: string;
  tags: string[];
  title: string;
}

interface Evaluation {
  attempt: Generated<number>;
  attempt_cost: Generated<string>;
  created_at: Generated<Timestamp>;
  deadline_at: Timestamp | null;
  done_at: Timestamp | null;
  event_seq: Generated<Int8>;
  fencing: Generated<Int8>;
  finished_splits: Generated<string[]>;
  first_call_at: Timestamp | null;
  hidden_rounding: number;
  id: string;
  lease_holder: string | null;
  lease_until: Timestamp | null;
  lost_leases: Generated<number>;
  need: string | null;
  next_attempt_at: Timestamp | null;
  outcome: string | null;
  parked_from: string | null;
  phase: string;
  progress_done: Generated<number>;
  progress_of: number;
  public_usage: Json | null;
  reason: Json | null;
  refusal: Json | null;
  regraded_by: string | null;
  resent: Generated<number>;
  resent_at: Timestamp | null;
  result_hash: string | null;
  rubric_hash: string;
  sandbox: Generated<Json>;
  score: number | null;
  score_lower: number | null;
  score_upper: number | null;
  seed: string | null;
  seed_commitment: string;
  simulated: boolean;
  splits: string[];
  started_at: Timestamp | null;
  status: Generated<string>;
  status_since: Generated<Timestamp>;
  submission_id: string;
  usage: Json | null;
  verdict: Json | null;
  waiting: Json | null;
  waiting_since: Timestamp | null;
}

interface EvaluationBudget {
  crashed: Generated<boolean>;
  drawn_calls: Generated<Int8>;
  drawn_cost_micros: Generated<Int8>;
  drawn_input_tokens: Generated<Int8>;
  drawn_output_tokens: Generated<Int8>;
  evaluation_id: string;
  purse: string;
}

interface EvaluationSeed {
  evaluation_id: string;
  seed: string;
}

interface EvaluationTransition {
  evaluator: boolean;
  from_status: string;
  to_status: string;
}

interface EvaluationVerdict {
  applied_by: string | null;
  evaluation_id: string;
  given_at: Timestamp;
  hidden_rounding: number;
  outcome: string;
  reason: Json | null;
  regrading_id: string | null;
  result_hash: string;
  rubric_hash: string;
  seq: number;
  simulated: boolean;
  verdict: Json;
}

interface Event {
  at: Generated<Timestamp>;
  data: Json;
  evaluation_id: string;
  seq: Int8;
}

interface Grade {
  case_id: string;
  criterion: string;
  evaluation_id: string;
  evidence: Json;
  fencing: Int8;
  grader: string;
  position: number;
  score: number | null;
  status: string;
  trial: number;
}

interface Idempotency {
  account_id: string;
  created_at: Generated<Timestamp>;
  key: string;
  request_hash: string;
  response: Json | null;
}

interface JudgeAudit {
  account_id: string;
  case_id: string | null;
  created_at: Generated<Timestamp>;
  criterion: string | null;
  evaluation_id: string;
  human_passed: boolean;
  id: string;
  judge_passed: boolean;
  judge_score: number | null;
  reason: string;
  rubric_hash: string;
  seq: Generated<Int8>;
  target: string | null;
  trial: number | null;
}

interface JudgeReply {
  created_at: Generated<Timestamp>;
  key: string;
  reply: string;
}

interface ModelCall {
  asked_by: string;
  cached: Generated<boolean>;
  case_id: string;
  cost_micros: Int8;
  duration_ms: number;
  evaluation_id: string;
  fault_kind: string | null;
  fencing: Int8;
  fingerprint: string | null;
  id: string;
  input_tokens: Int8 | null;
  output_tokens: Int8 | null;
  request_hash: string;
  requested_model: string | null;
  returned_model: string | null;
  simulated: boolean;
  split: string;
  started_at: Timestamp;
  stop_reason: string | null;
  target: string;
  tokens_estimated: boolean | null;
  trial: number;
}

interface RegradedCase {
  case_id: string;
  changed: boolean;
  evaluation_id: string;
  grades: Json;
  regrading_id: string;
  score: number | null;
  transcript_hash: string | null;
  trial: number;
}

interface Regrading {
  applied_at: Timestamp | null;
  applied_by: string | null;
  challenge_id: string;
  content_hash: string | null;
  created_at: Generated<Timestamp>;
  created_by: string;
  id: string;
  reason: string;
  sealed_at: Timestamp | null;
  to_rubric_hash: string;
}

interface RegradingItem {
  cases: number;
  changed_cases: number;
  content_hash: string;
  evaluation_id: string;
  from_outcome: string;
  from_regrading_id: string | null;
  from_result_hash: string;
  from_rubric_hash: string;
  from_verdict: Json;
  judging: Json;
  problem: Json | null;
  regrading_id: string;
  result_hash: string | null;
  simulated: boolean | null;
  verdict: Json | null;
}

interface RubricVersion {
  challenge_id: string;
  counts: Json;
  created_at: Generated<Timestamp>;
  document: Json;
  files: Json;
  hash: string;
  judge_money: Generated<Json>;
  needs: string[];
  public_cases: Json;
  readme: string;
  words: Json;
}

interface SchemaMigration {
  applied_at: Generated<Timestamp>;
  name: string;
  sha256: string;
}

interface SmallBlob {
  bytes: Buffer;
  hash: string;
}

interface Standing {
  account_id: string;
  at: Timestamp;
  challenge_id: string;
  evaluation_id: string;
  has_interval: boolean;
  lower: number;
  outcome: string;
  phase: string;
  score: number;
  submission_id: string;
  upper: number;
}

interface Submission {
  account_id: string;
  challenge_id: string;
  content_bytes: Int8;
  content_hash: string;
  created_at: Generated<Timestamp>;
  id: string;
  kind: string;
  sample: Generated<boolean>;
  title: string;
}

interface Worker {
  doctor: Json | null;
  id: string;
  last_seen_at: Generated<Timestamp>;
  name: string;
  needs: string[];
  stages: string[];
  started_at: Generated<Timestamp>;
  unavailable: Json;
}

export interface DB {
  account: Account;
  case_result: CaseResult;
  challenge: Challenge;
  evaluation: Evaluation;
  evaluation_budget: EvaluationBudget;
  evaluation_seed: EvaluationSeed;
  evaluation_transition: EvaluationTransition;
  evaluation_verdict: EvaluationVerdict;
  event: Event;
  grade: Grade;
  idempotency: Idempotency;
  judge_audit: JudgeAudit;
  judge_reply: JudgeReply;
  model_call: ModelCall;
  regraded_case: RegradedCase;
  regrading: Regrading;
  regrading_item: RegradingItem;
  rubric_version: RubricVersion;
  schema_migration: SchemaMigration;
  small_blob: SmallBlob;
  standing: Standing;
  submission: Submission;
  worker: Worker;
}
