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
  artifacts: Generated<Json>;
  calls: number;
  case_id: string;
  cost_micros: Int8;
  end: string;
  evaluation_id: string;
  fencing: Int8;
  input_tokens: Int8;
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

interface ModelCall {
  asked_by: string;
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

interface RubricVersion {
  challenge_id: string;
  counts: Json;
  created_at: Generated<Timestamp>;
  document: Json;
  files: Json;
  hash: string;
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
  event: Event;
  grade: Grade;
  idempotency: Idempotency;
  model_call: ModelCall;
  rubric_version: RubricVersion;
  schema_migration: SchemaMigration;
  standing: Standing;
  submission: Submission;
  worker: Worker;
}
