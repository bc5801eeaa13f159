-- Generated from migrations/ by scripts/schema-snapshot.ts, for reading. Do not edit; nothing runs this file.

create extension pg_trgm;

create table account (
  id uuid not null,
  name text not null,
  kind text not null,
  token_hash text,
  created_at timestamp with time zone not null default now(),
  constraint account_check CHECK (((kind = 'local'::text) = (token_hash IS NOT NULL))),
  constraint account_kind_check CHECK ((kind = ANY (ARRAY['local'::text, 'sample'::text]))),
  constraint account_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 100))),
  constraint account_name_key UNIQUE (name),
  constraint account_pkey PRIMARY KEY (id),
  constraint account_token_hash_check CHECK ((token_hash ~ '^[0-9a-f]{64}$'::text)),
  constraint account_token_hash_key UNIQUE (token_hash)
);

create table case_result (
  evaluation_id uuid not null,
  trial integer not null,
  case_id text not null,
  split text not null,
  "end" text not null,
  limit_kind text,
  message text,
  score double precision,
  transcript_hash text,
  log_hash text,
  calls integer not null,
  input_tokens bigint not null,
  output_tokens bigint not null,
  cost_micros bigint not null,
  wall_ms double precision not null,
  settled boolean not null,
  fencing bigint not null,
  recorded_at timestamp with time zone not null default now(),
  artifacts jsonb not null default '[]'::jsonb,
  judge_calls integer not null default 0,
  judge_input_tokens bigint not null default 0,
  judge_output_tokens bigint not null default 0,
  judge_cost_micros bigint not null default 0,
  answer_hash text,
  constraint artifacts_are_records CHECK (((jsonb_typeof(artifacts) = 'array'::text) AND (jsonb_array_length(artifacts) <= 64) AND (jsonb_array_length(artifacts) = jsonb_array_length(jsonb_path_query_array(artifacts, 'strict $[*]?(((@."path" like_regex "^[ -~]{1,200}$" && @."sha256" like_regex "^[0-9a-f]{64}$") && @."bytes".type() == "number") && @."bytes" >= 0)'::jsonpath))))),
  constraint case_result_answer_hash_check CHECK ((answer_hash ~ '^[0-9a-f]{64}$'::text)),
  constraint case_result_calls_check CHECK ((calls >= 0)),
  constraint case_result_cost_micros_check CHECK ((cost_micros >= 0)),
  constraint case_result_end_check CHECK (("end" = ANY (ARRAY['answered'::text, 'missing'::text, 'fault'::text, 'limit'::text, 'error'::text]))),
  constraint case_result_evaluation_id_fkey FOREIGN KEY (evaluation_id) REFERENCES evaluation(id),
  constraint case_result_input_tokens_check CHECK ((input_tokens >= 0)),
  constraint case_result_judge_calls_check CHECK ((judge_calls >= 0)),
  constraint case_result_judge_cost_micros_check CHECK ((judge_cost_micros >= 0)),
  constraint case_result_judge_input_tokens_check CHECK ((judge_input_tokens >= 0)),
  constraint case_result_judge_output_tokens_check CHECK ((judge_output_tokens >= 0)),
  constraint case_result_limit_kind_check CHECK ((limit_kind = ANY (ARRAY['cpu'::text, 'wall'::text, 'memory'::text, 'output'::text, 'disk'::text, 'processes'::text, 'budget'::text]))),
  constraint case_result_log_hash_check CHECK ((log_hash ~ '^[0-9a-f]{64}$'::text)),
  constraint case_result_output_tokens_check CHECK ((output_tokens >= 0)),
  constraint case_result_pkey PRIMARY KEY (evaluation_id, trial, case_id),
  constraint case_result_score_check CHECK (((score >= (0)::double precision) AND (score <= (1)::double precision))),
  constraint case_result_split_check CHECK ((split = ANY (ARRAY['public'::text, 'hidden'::text, 'holdout'::text]))),
  constraint case_result_transcript_hash_check CHECK ((transcript_hash ~ '^[0-9a-f]{64}$'::text)),
  constraint case_result_trial_check CHECK ((trial >= 0)),
  constraint case_result_wall_ms_check CHECK ((wall_ms >= (0)::double precision)),
  constraint only_answers_leave_artifacts CHECK ((("end" = 'answered'::text) OR (artifacts = '[]'::jsonb)))
);
CREATE TRIGGER case_result_inserted AFTER INSERT ON public.case_result REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION guard_fencing();
CREATE TRIGGER case_result_updated AFTER UPDATE ON public.case_result REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION guard_fencing();
grant insert, select, update on case_result to collective_evaluator;

create table challenge (
  id uuid not null,
  slug text not null,
  rubric_hash text not null,
  title text not null,
  summary text not null,
  tags text[] not null,
  risk_tier text not null,
  demonstration boolean not null,
  created_at timestamp with time zone not null default now(),
  search tsvector not null generated always as (((setweight(to_tsvector('english'::regconfig, title), 'A'::"char") || setweight(to_tsvector('english'::regconfig, ((words_of(tags) || ' '::text) || replace(slug, '-'::text, ' '::text))), 'B'::"char")) || setweight(to_tsvector('english'::regconfig, summary), 'C'::"char"))) stored,
  constraint challenge_pkey PRIMARY KEY (id),
  constraint challenge_risk_tier_check CHECK ((risk_tier = ANY (ARRAY['low'::text, 'moderate'::text, 'high'::text, 'critical'::text]))),
  constraint challenge_rubric_hash_fkey FOREIGN KEY (rubric_hash) REFERENCES rubric_version(hash) DEFERRABLE INITIALLY DEFERRED,
  constraint challenge_slug_key UNIQUE (slug)
);
CREATE INDEX challenge_search ON public.challenge USING gin (search);
CREATE INDEX challenge_tags ON public.challenge USING gin (tags);
CREATE INDEX challenge_title_trigrams ON public.challenge USING gin (title gin_trgm_ops);

create table evaluation (
  id uuid not null,
  submission_id uuid not null,
  rubric_hash text not null,
  phase text not null,
  splits text[] not null,
  hidden_rounding double precision not null,
  need text,
  status text not null default 'received'::text,
  status_since timestamp with time zone not null default now(),
  parked_from text,
  outcome text,
  reason jsonb,
  waiting jsonb,
  waiting_since timestamp with time zone,
  deadline_at timestamp with time zone,
  attempt integer not null default 1,
  next_attempt_at timestamp with time zone,
  lost_leases integer not null default 0,
  resent integer not null default 0,
  resent_at timestamp with time zone,
  fencing bigint not null default 0,
  lease_holder text,
  lease_until timestamp with time zone,
  event_seq bigint not null default 0,
  progress_done integer not null default 0,
  progress_of integer not null,
  finished_splits text[] not null default '{}'::text[],
  first_call_at timestamp with time zone,
  seed_commitment text not null,
  seed text,
  verdict jsonb,
  score double precision,
  score_lower double precision,
  score_upper double precision,
  usage jsonb,
  public_usage jsonb,
  simulated boolean not null,
  result_hash text,
  created_at timestamp with time zone not null default now(),
  started_at timestamp with time zone,
  done_at timestamp with time zone,
  attempt_cost text not null generated always as (
CASE
    WHEN ((status = 'parked'::text) OR (outcome = 'error'::text)) THEN 'returned'::text
    WHEN ((outcome = 'cancelled'::text) AND (first_call_at IS NULL)) THEN 'returned'::text
    WHEN (status = 'done'::text) THEN 'spent'::text
    ELSE 'open'::text
END) stored,
  refusal jsonb,
  sandbox jsonb not null default '[]'::jsonb,
  regraded_by uuid,
  constraint done_has_outcome CHECK (((status = 'done'::text) = (outcome IS NOT NULL))),
  constraint done_has_time CHECK (((status = 'done'::text) = (done_at IS NOT NULL))),
  constraint evaluation_attempt_check CHECK ((attempt >= 1)),
  constraint evaluation_fencing_check CHECK ((fencing >= 0)),
  constraint evaluation_hidden_rounding_check CHECK ((hidden_rounding > (0)::double precision)),
  constraint evaluation_lost_leases_check CHECK ((lost_leases >= 0)),
  constraint evaluation_need_check CHECK ((need = ANY (ARRAY['none'::text, 'js'::text, 'node'::text, 'node-gvisor'::text, 'node-bounty'::text, 'node-gvisor-bounty'::text, 'python'::text, 'python-gvisor'::text, 'python-bounty'::text, 'python-gvisor-bounty'::text, 'image'::text, 'image-gvisor'::text, 'image-bounty'::text, 'image-gvisor-bounty'::text]))),
  constraint evaluation_outcome_check CHECK ((outcome = ANY (ARRAY['pass'::text, 'fail'::text, 'needs_review'::text, 'invalid'::text, 'limit'::text, 'cancelled'::text, 'error'::text]))),
  constraint evaluation_parked_from_check CHECK ((parked_from = ANY (ARRAY['received'::text, 'queued'::text, 'verifying'::text]))),
  constraint evaluation_pkey PRIMARY KEY (id),
  constraint evaluation_regraded_by_fkey FOREIGN KEY (regraded_by) REFERENCES regrading(id),
  constraint evaluation_result_hash_check CHECK ((result_hash ~ '^[0-9a-f]{64}$'::text)),
  constraint evaluation_rubric_hash_fkey FOREIGN KEY (rubric_hash) REFERENCES rubric_version(hash),
  constraint evaluation_sandbox_check CHECK ((jsonb_typeof(sandbox) = 'array'::text)),
  constraint evaluation_score_check CHECK (((score > '-Infinity'::double precision) AND (score < 'Infinity'::double precision))),
  constraint evaluation_score_lower_check CHECK (((score_lower > '-Infinity'::double precision) AND (score_lower < 'Infinity'::double precision))),
  constraint evaluation_score_upper_check CHECK (((score_upper > '-Infinity'::double precision) AND (score_upper < 'Infinity'::double precision))),
  constraint evaluation_seed_check CHECK ((seed ~ '^[0-9a-f]{64}$'::text)),
  constraint evaluation_seed_commitment_check CHECK ((seed_commitment ~ '^[0-9a-f]{64}$'::text)),
  constraint evaluation_splits_check CHECK (((cardinality(splits) > 0) AND (splits <@ ARRAY['public'::text, 'hidden'::text, 'holdout'::text]))),
  constraint evaluation_status_check CHECK ((status = ANY (ARRAY['received'::text, 'screening'::text, 'queued'::text, 'running'::text, 'grading'::text, 'verifying'::text, 'done'::text, 'parked'::text]))),
  constraint evaluation_submission_id_fkey FOREIGN KEY (submission_id) REFERENCES submission(id),
  constraint interval_is_whole CHECK ((((score_lower IS NULL) = (score_upper IS NULL)) AND ((score_lower IS NULL) OR (score_lower <= score_upper)))),
  constraint lease_is_whole CHECK (((lease_holder IS NULL) = (lease_until IS NULL))),
  constraint lease_only_where_work_is_done CHECK (((lease_holder IS NULL) OR (status = ANY (ARRAY['screening'::text, 'running'::text, 'grading'::text, 'verifying'::text])))),
  constraint parked_knows_where_from CHECK (((status = 'parked'::text) = (parked_from IS NOT NULL))),
  constraint progress_is_bounded CHECK (((progress_done >= 0) AND (progress_done <= progress_of))),
  constraint retry_waits_without_lease CHECK (((next_attempt_at IS NULL) OR ((lease_holder IS NULL) AND (status = ANY (ARRAY['received'::text, 'queued'::text, 'verifying'::text]))))),
  constraint scored_outcomes_have_score CHECK (((outcome <> ALL (ARRAY['pass'::text, 'fail'::text])) OR ((score IS NOT NULL) AND (verdict IS NOT NULL) AND (result_hash IS NOT NULL)))),
  constraint screened_has_need CHECK (((need IS NOT NULL) OR (status = ANY (ARRAY['received'::text, 'screening'::text, 'parked'::text, 'done'::text])))),
  constraint seed_keeps_commitment CHECK ((encode(sha256(decode(seed, 'hex'::text)), 'hex'::text) = seed_commitment)),
  constraint seed_revealed_when_done CHECK (((seed IS NOT NULL) = (status = 'done'::text))),
  constraint unscored_outcomes_have_none CHECK ((((score IS NULL) AND (result_hash IS NULL)) OR ((outcome IS NOT NULL) AND (outcome <> ALL (ARRAY['error'::text, 'cancelled'::text]))))),
  constraint wait_is_whole CHECK ((((waiting IS NULL) = (waiting_since IS NULL)) AND ((deadline_at IS NULL) OR (waiting IS NOT NULL)))),
  constraint work_is_leased CHECK (((status <> ALL (ARRAY['screening'::text, 'running'::text, 'grading'::text])) OR (lease_holder IS NOT NULL)))
);
CREATE INDEX evaluation_by_rubric ON public.evaluation USING btree (rubric_hash, phase);
CREATE INDEX evaluation_by_submission ON public.evaluation USING btree (submission_id);
CREATE INDEX evaluation_deadline ON public.evaluation USING btree (deadline_at) WHERE (deadline_at IS NOT NULL);
CREATE INDEX evaluation_leased ON public.evaluation USING btree (lease_until) WHERE (lease_holder IS NOT NULL);
CREATE INDEX evaluation_queue ON public.evaluation USING btree (need, id) WHERE (status = 'queued'::text);
CREATE INDEX evaluation_waiting ON public.evaluation USING btree (status_since) WHERE ((status = ANY (ARRAY['received'::text, 'queued'::text, 'verifying'::text])) AND (lease_holder IS NULL));
CREATE TRIGGER evaluation_guard BEFORE UPDATE ON public.evaluation FOR EACH ROW EXECUTE FUNCTION guard_evaluation();
grant select on evaluation to collective_evaluator;
grant update (attempt, deadline_at, event_seq, fencing, finished_splits, first_call_at, lease_holder, lease_until, lost_leases, next_attempt_at, parked_from, progress_done, reason, refusal, resent, resent_at, sandbox, started_at, status, status_since, waiting, waiting_since) on evaluation to collective_evaluator;

create table evaluation_budget (
  evaluation_id uuid not null,
  drawn_calls bigint not null default 0,
  drawn_input_tokens bigint not null default 0,
  drawn_output_tokens bigint not null default 0,
  drawn_cost_micros bigint not null default 0,
  crashed boolean not null default false,
  purse text not null,
  constraint evaluation_budget_drawn_calls_check CHECK ((drawn_calls >= 0)),
  constraint evaluation_budget_drawn_cost_micros_check CHECK ((drawn_cost_micros >= 0)),
  constraint evaluation_budget_drawn_input_tokens_check CHECK ((drawn_input_tokens >= 0)),
  constraint evaluation_budget_drawn_output_tokens_check CHECK ((drawn_output_tokens >= 0)),
  constraint evaluation_budget_evaluation_id_fkey FOREIGN KEY (evaluation_id) REFERENCES evaluation(id),
  constraint evaluation_budget_pkey PRIMARY KEY (evaluation_id, purse),
  constraint evaluation_budget_purse_check CHECK ((purse = ANY (ARRAY['targets'::text, 'judges'::text])))
);
grant insert, select, update on evaluation_budget to collective_evaluator;

create table evaluation_seed (
  evaluation_id uuid not null,
  seed text not null,
  constraint evaluation_seed_evaluation_id_fkey FOREIGN KEY (evaluation_id) REFERENCES evaluation(id),
  constraint evaluation_seed_pkey PRIMARY KEY (evaluation_id),
  constraint evaluation_seed_seed_check CHECK ((seed ~ '^[0-9a-f]{64}$'::text))
);
CREATE TRIGGER evaluation_seed_immutable BEFORE DELETE OR UPDATE ON public.evaluation_seed FOR EACH ROW EXECUTE FUNCTION refuse_change();
grant select on evaluation_seed to collective_evaluator;

create table evaluation_transition (
  from_status text not null,
  to_status text not null,
  evaluator boolean not null,
  constraint evaluation_transition_pkey PRIMARY KEY (from_status, to_status)
);
grant select on evaluation_transition to collective_evaluator;

create table evaluation_verdict (
  evaluation_id uuid not null,
  seq integer not null,
  rubric_hash text not null,
  hidden_rounding double precision not null,
  outcome text not null,
  reason jsonb,
  verdict jsonb not null,
  result_hash text not null,
  simulated boolean not null,
  given_at timestamp with time zone not null,
  regrading_id uuid,
  applied_by uuid,
  constraint evaluation_verdict_applied_by_fkey FOREIGN KEY (applied_by) REFERENCES account(id),
  constraint evaluation_verdict_evaluation_id_fkey FOREIGN KEY (evaluation_id) REFERENCES evaluation(id),
  constraint evaluation_verdict_evaluation_id_regrading_id_key UNIQUE (evaluation_id, regrading_id),
  constraint evaluation_verdict_hidden_rounding_check CHECK ((hidden_rounding > (0)::double precision)),
  constraint evaluation_verdict_pkey PRIMARY KEY (evaluation_id, seq),
  constraint evaluation_verdict_regrading_id_fkey FOREIGN KEY (regrading_id) REFERENCES regrading(id),
  constraint evaluation_verdict_result_hash_check CHECK ((result_hash ~ '^[0-9a-f]{64}$'::text)),
  constraint evaluation_verdict_rubric_hash_fkey FOREIGN KEY (rubric_hash) REFERENCES rubric_version(hash),
  constraint evaluation_verdict_seq_check CHECK ((seq >= 1)),
  constraint first_is_of_the_run CHECK ((((seq = 1) = (regrading_id IS NULL)) AND ((seq = 1) = (applied_by IS NULL))))
);
CREATE TRIGGER evaluation_verdict_immutable BEFORE DELETE OR UPDATE ON public.evaluation_verdict FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evaluation_verdict_kept BEFORE TRUNCATE ON public.evaluation_verdict FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evaluation_verdict_previewed BEFORE INSERT ON public.evaluation_verdict FOR EACH ROW EXECUTE FUNCTION guard_verdict();

create table event (
  evaluation_id uuid not null,
  seq bigint not null,
  at timestamp with time zone not null default now(),
  data jsonb not null,
  constraint event_pkey PRIMARY KEY (evaluation_id, seq),
  constraint event_seq_check CHECK ((seq > 0))
) partition by RANGE (evaluation_id);
grant insert on event to collective_evaluator;

create table grade (
  evaluation_id uuid not null,
  trial integer not null,
  case_id text not null,
  criterion text not null,
  "position" integer not null,
  grader text not null,
  status text not null,
  score double precision,
  evidence jsonb not null,
  fencing bigint not null,
  constraint grade_check CHECK (((status = 'graded'::text) = (score IS NOT NULL))),
  constraint grade_evaluation_id_trial_case_id_fkey FOREIGN KEY (evaluation_id, trial, case_id) REFERENCES case_result(evaluation_id, trial, case_id),
  constraint grade_pkey PRIMARY KEY (evaluation_id, trial, case_id, criterion),
  constraint grade_score_check CHECK (((score >= (0)::double precision) AND (score <= (1)::double precision))),
  constraint grade_status_check CHECK ((status = ANY (ARRAY['graded'::text, 'needs_review'::text, 'error'::text])))
);
CREATE TRIGGER grade_inserted AFTER INSERT ON public.grade REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION guard_fencing();
CREATE TRIGGER grade_updated AFTER UPDATE ON public.grade REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION guard_fencing();
grant insert, select, update on grade to collective_evaluator;

create table idempotency (
  account_id uuid not null,
  key text not null,
  request_hash text not null,
  response jsonb,
  created_at timestamp with time zone not null default now(),
  constraint idempotency_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  constraint idempotency_key_check CHECK (((char_length(key) >= 1) AND (char_length(key) <= 255))),
  constraint idempotency_pkey PRIMARY KEY (account_id, key)
);
CREATE INDEX idempotency_age ON public.idempotency USING btree (created_at);

create table judge_audit (
  id uuid not null,
  seq bigint not null generated as identity,
  evaluation_id uuid not null,
  rubric_hash text not null,
  criterion text,
  case_id text,
  trial integer,
  target text,
  judge_score double precision,
  judge_passed boolean not null,
  human_passed boolean not null,
  account_id uuid not null,
  reason text not null,
  created_at timestamp with time zone not null default clock_timestamp(),
  constraint award_was_passed CHECK (((criterion IS NOT NULL) OR judge_passed)),
  constraint grade_or_award CHECK ((((criterion IS NULL) = (case_id IS NULL)) AND ((criterion IS NULL) = (trial IS NULL)) AND ((criterion IS NULL) = (judge_score IS NULL)))),
  constraint judge_audit_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  constraint judge_audit_evaluation_id_fkey FOREIGN KEY (evaluation_id) REFERENCES evaluation(id),
  constraint judge_audit_evaluation_id_trial_case_id_criterion_fkey FOREIGN KEY (evaluation_id, trial, case_id, criterion) REFERENCES grade(evaluation_id, trial, case_id, criterion),
  constraint judge_audit_judge_score_check CHECK (((judge_score >= (0)::double precision) AND (judge_score <= (1)::double precision))),
  constraint judge_audit_pkey PRIMARY KEY (id),
  constraint judge_audit_reason_check CHECK (((char_length(reason) >= 1) AND (char_length(reason) <= 2000))),
  constraint judge_audit_rubric_hash_fkey FOREIGN KEY (rubric_hash) REFERENCES rubric_version(hash),
  constraint once_per_person UNIQUE NULLS NOT DISTINCT (evaluation_id, criterion, case_id, trial, account_id)
);
CREATE INDEX judge_audit_by_rubric ON public.judge_audit USING btree (rubric_hash, seq DESC);
CREATE TRIGGER judge_audit_immutable BEFORE DELETE OR UPDATE ON public.judge_audit FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER judge_audit_kept BEFORE TRUNCATE ON public.judge_audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

create table judge_reply (
  key text not null,
  reply text not null,
  created_at timestamp with time zone not null default now(),
  constraint judge_reply_key_check CHECK ((key ~ '^[0-9a-f]{64}$'::text)),
  constraint judge_reply_pkey PRIMARY KEY (key),
  constraint judge_reply_reply_check CHECK ((octet_length(reply) <= 262144))
);
CREATE INDEX judge_reply_age ON public.judge_reply USING btree (created_at);
grant delete, insert, select on judge_reply to collective_evaluator;

create table model_call (
  evaluation_id uuid not null,
  id text not null,
  fencing bigint not null,
  trial integer not null,
  case_id text not null,
  split text not null,
  target text not null,
  asked_by text not null,
  simulated boolean not null,
  requested_model text,
  returned_model text,
  fingerprint text,
  input_tokens bigint,
  output_tokens bigint,
  tokens_estimated boolean,
  stop_reason text,
  fault_kind text,
  cost_micros bigint not null,
  started_at timestamp with time zone not null,
  duration_ms double precision not null,
  request_hash text not null,
  cached boolean not null default false,
  constraint model_call_asked_by_check CHECK ((asked_by = ANY (ARRAY['submission'::text, 'grader'::text, 'judge'::text]))),
  constraint model_call_check CHECK (((fault_kind IS NOT NULL) OR (stop_reason IS NOT NULL))),
  constraint model_call_cost_micros_check CHECK ((cost_micros >= 0)),
  constraint model_call_evaluation_id_fkey FOREIGN KEY (evaluation_id) REFERENCES evaluation(id),
  constraint model_call_input_tokens_check CHECK ((input_tokens >= 0)),
  constraint model_call_output_tokens_check CHECK ((output_tokens >= 0)),
  constraint model_call_pkey PRIMARY KEY (evaluation_id, fencing, id),
  constraint model_call_split_check CHECK ((split = ANY (ARRAY['public'::text, 'hidden'::text, 'holdout'::text])))
);
CREATE TRIGGER model_call_immutable BEFORE DELETE OR UPDATE ON public.model_call FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER model_call_inserted AFTER INSERT ON public.model_call REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION guard_fencing();
grant insert, select on model_call to collective_evaluator;

create table regraded_case (
  regrading_id uuid not null,
  evaluation_id uuid not null,
  trial integer not null,
  case_id text not null,
  score double precision,
  grades jsonb not null,
  changed boolean not null,
  transcript_hash text,
  constraint regraded_case_evaluation_id_trial_case_id_fkey FOREIGN KEY (evaluation_id, trial, case_id) REFERENCES case_result(evaluation_id, trial, case_id),
  constraint regraded_case_grades_check CHECK ((jsonb_typeof(grades) = 'array'::text)),
  constraint regraded_case_pkey PRIMARY KEY (regrading_id, evaluation_id, trial, case_id),
  constraint regraded_case_regrading_id_evaluation_id_fkey FOREIGN KEY (regrading_id, evaluation_id) REFERENCES regrading_item(regrading_id, evaluation_id),
  constraint regraded_case_score_check CHECK (((score >= (0)::double precision) AND (score <= (1)::double precision))),
  constraint regraded_case_transcript_hash_check CHECK ((transcript_hash ~ '^[0-9a-f]{64}$'::text))
);
CREATE TRIGGER regraded_case_added BEFORE INSERT ON public.regraded_case FOR EACH ROW EXECUTE FUNCTION guard_regrading_part();
CREATE TRIGGER regraded_case_immutable BEFORE DELETE OR UPDATE ON public.regraded_case FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER regraded_case_kept BEFORE TRUNCATE ON public.regraded_case FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

create table regrading (
  id uuid not null,
  challenge_id uuid not null,
  to_rubric_hash text not null,
  reason text not null,
  created_by uuid not null,
  created_at timestamp with time zone not null default now(),
  content_hash text,
  sealed_at timestamp with time zone,
  applied_by uuid,
  applied_at timestamp with time zone,
  constraint applied_is_whole CHECK ((((applied_by IS NULL) = (applied_at IS NULL)) AND ((applied_at IS NULL) OR (sealed_at IS NOT NULL)))),
  constraint regrading_applied_by_fkey FOREIGN KEY (applied_by) REFERENCES account(id),
  constraint regrading_challenge_id_fkey FOREIGN KEY (challenge_id) REFERENCES challenge(id),
  constraint regrading_content_hash_check CHECK ((content_hash ~ '^[0-9a-f]{64}$'::text)),
  constraint regrading_created_by_fkey FOREIGN KEY (created_by) REFERENCES account(id),
  constraint regrading_pkey PRIMARY KEY (id),
  constraint regrading_reason_check CHECK (((char_length(reason) >= 1) AND (char_length(reason) <= 500))),
  constraint regrading_to_rubric_hash_fkey FOREIGN KEY (to_rubric_hash) REFERENCES rubric_version(hash),
  constraint sealed_is_whole CHECK (((content_hash IS NULL) = (sealed_at IS NULL)))
);
CREATE INDEX regrading_by_challenge ON public.regrading USING btree (challenge_id, id DESC);
CREATE TRIGGER regrading_guard BEFORE UPDATE ON public.regrading FOR EACH ROW EXECUTE FUNCTION guard_regrading();
CREATE TRIGGER regrading_kept BEFORE DELETE ON public.regrading FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER regrading_not_emptied BEFORE TRUNCATE ON public.regrading FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

create table regrading_item (
  regrading_id uuid not null,
  evaluation_id uuid not null,
  from_rubric_hash text not null,
  from_outcome text not null,
  from_result_hash text not null,
  from_verdict jsonb not null,
  from_regrading_id uuid,
  problem jsonb,
  verdict jsonb,
  result_hash text,
  simulated boolean,
  cases integer not null,
  changed_cases integer not null,
  judging jsonb not null,
  content_hash text not null,
  constraint no_verdict_by_error CHECK (((verdict IS NULL) OR ((verdict ->> 'outcome'::text) = ANY (ARRAY['pass'::text, 'fail'::text, 'needs_review'::text, 'invalid'::text, 'limit'::text])))),
  constraint problem_or_verdict CHECK (((problem IS NULL) = (verdict IS NOT NULL))),
  constraint regrading_item_cases_check CHECK ((cases >= 0)),
  constraint regrading_item_check CHECK (((changed_cases >= 0) AND (changed_cases <= cases))),
  constraint regrading_item_content_hash_check CHECK ((content_hash ~ '^[0-9a-f]{64}$'::text)),
  constraint regrading_item_evaluation_id_fkey FOREIGN KEY (evaluation_id) REFERENCES evaluation(id),
  constraint regrading_item_from_outcome_check CHECK ((from_outcome = ANY (ARRAY['pass'::text, 'fail'::text, 'needs_review'::text]))),
  constraint regrading_item_from_regrading_id_fkey FOREIGN KEY (from_regrading_id) REFERENCES regrading(id),
  constraint regrading_item_from_result_hash_check CHECK ((from_result_hash ~ '^[0-9a-f]{64}$'::text)),
  constraint regrading_item_from_rubric_hash_fkey FOREIGN KEY (from_rubric_hash) REFERENCES rubric_version(hash),
  constraint regrading_item_pkey PRIMARY KEY (regrading_id, evaluation_id),
  constraint regrading_item_regrading_id_fkey FOREIGN KEY (regrading_id) REFERENCES regrading(id),
  constraint regrading_item_result_hash_check CHECK ((result_hash ~ '^[0-9a-f]{64}$'::text)),
  constraint verdict_is_whole CHECK ((((verdict IS NULL) = (result_hash IS NULL)) AND ((verdict IS NULL) = (simulated IS NULL))))
);
CREATE INDEX regrading_item_by_evaluation ON public.regrading_item USING btree (evaluation_id);
CREATE TRIGGER regrading_item_added BEFORE INSERT ON public.regrading_item FOR EACH ROW EXECUTE FUNCTION guard_regrading_part();
CREATE TRIGGER regrading_item_immutable BEFORE DELETE OR UPDATE ON public.regrading_item FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER regrading_item_kept BEFORE TRUNCATE ON public.regrading_item FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

create table rubric_version (
  hash text not null,
  challenge_id uuid not null,
  document jsonb not null,
  readme text not null,
  words jsonb not null,
  files jsonb not null,
  counts jsonb not null,
  public_cases jsonb not null,
  needs text[] not null,
  created_at timestamp with time zone not null default now(),
  judge_money jsonb not null default '{"judged": false, "reasons": [], "holdsMoney": true}'::jsonb,
  constraint rubric_version_challenge_id_fkey FOREIGN KEY (challenge_id) REFERENCES challenge(id),
  constraint rubric_version_hash_check CHECK ((hash ~ '^[0-9a-f]{64}$'::text)),
  constraint rubric_version_judge_money_check CHECK ((jsonb_typeof(judge_money) = 'object'::text)),
  constraint rubric_version_pkey PRIMARY KEY (hash)
);
CREATE TRIGGER rubric_version_immutable BEFORE DELETE OR UPDATE ON public.rubric_version FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rubric_version_kept BEFORE TRUNCATE ON public.rubric_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
grant select on rubric_version to collective_evaluator;

create table schema_migration (
  name text not null,
  sha256 text not null,
  applied_at timestamp with time zone not null default now(),
  constraint schema_migration_pkey PRIMARY KEY (name)
);

create table small_blob (
  hash text not null,
  bytes bytea not null,
  constraint hash_is_of_the_bytes CHECK ((hash = encode(sha256(bytes), 'hex'::text))),
  constraint small_blob_bytes_check CHECK ((octet_length(bytes) <= 32768)),
  constraint small_blob_pkey PRIMARY KEY (hash)
);
CREATE TRIGGER small_blob_immutable BEFORE UPDATE ON public.small_blob FOR EACH ROW EXECUTE FUNCTION refuse_change();
grant insert, select on small_blob to collective_evaluator;

create table standing (
  challenge_id uuid not null,
  phase text not null,
  account_id uuid not null,
  evaluation_id uuid not null,
  submission_id uuid not null,
  score double precision not null,
  lower double precision not null,
  upper double precision not null,
  has_interval boolean not null,
  outcome text not null,
  at timestamp with time zone not null,
  constraint standing_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  constraint standing_challenge_id_fkey FOREIGN KEY (challenge_id) REFERENCES challenge(id),
  constraint standing_check CHECK ((lower <= upper)),
  constraint standing_evaluation_id_fkey FOREIGN KEY (evaluation_id) REFERENCES evaluation(id),
  constraint standing_outcome_check CHECK ((outcome = ANY (ARRAY['pass'::text, 'fail'::text]))),
  constraint standing_pkey PRIMARY KEY (challenge_id, phase, account_id),
  constraint standing_submission_id_fkey FOREIGN KEY (submission_id) REFERENCES submission(id)
);
CREATE INDEX standing_by_lower ON public.standing USING btree (challenge_id, phase, lower);
CREATE INDEX standing_by_score ON public.standing USING btree (challenge_id, phase, score DESC, at, account_id);
CREATE INDEX standing_by_upper ON public.standing USING btree (challenge_id, phase, upper);

create table submission (
  id uuid not null,
  challenge_id uuid not null,
  account_id uuid not null,
  title text not null,
  kind text not null,
  content_hash text not null,
  content_bytes bigint not null,
  sample boolean not null default false,
  created_at timestamp with time zone not null default now(),
  constraint submission_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  constraint submission_challenge_id_fkey FOREIGN KEY (challenge_id) REFERENCES challenge(id),
  constraint submission_content_bytes_check CHECK ((content_bytes >= 0)),
  constraint submission_content_hash_check CHECK ((content_hash ~ '^[0-9a-f]{64}$'::text)),
  constraint submission_kind_check CHECK ((kind = ANY (ARRAY['answers'::text, 'prompts'::text, 'defence'::text, 'program'::text, 'image'::text, 'report'::text]))),
  constraint submission_pkey PRIMARY KEY (id),
  constraint submission_title_check CHECK (((char_length(title) >= 1) AND (char_length(title) <= 200)))
);
CREATE INDEX submission_by_account ON public.submission USING btree (account_id, id DESC);
CREATE INDEX submission_by_challenge ON public.submission USING btree (challenge_id, id DESC);
CREATE TRIGGER submission_immutable BEFORE DELETE OR UPDATE ON public.submission FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER submission_kept BEFORE TRUNCATE ON public.submission FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
grant select (challenge_id, content_bytes, content_hash, id, kind) on submission to collective_evaluator;

create table worker (
  id uuid not null,
  name text not null,
  stages text[] not null,
  needs text[] not null,
  unavailable jsonb not null,
  started_at timestamp with time zone not null default now(),
  last_seen_at timestamp with time zone not null default now(),
  doctor jsonb,
  constraint worker_pkey PRIMARY KEY (id)
);
grant delete, insert, select, update on worker to collective_evaluator;

CREATE OR REPLACE FUNCTION public.guard_evaluation()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  -- Generated columns are not computed yet in a BEFORE trigger; this one follows from the others.
  may_change text[] := array['event_seq', 'attempt_cost'];
begin
  if old.status = 'done' then
    if new.regraded_by is distinct from old.regraded_by then
      may_change := may_change || array['regraded_by', 'rubric_hash', 'hidden_rounding', 'outcome', 'reason', 'verdict',
        'score', 'score_lower', 'score_upper', 'result_hash', 'simulated'];
      -- What it was and what it becomes are both kept, one after the other.
      if not exists (
        select from evaluation_verdict n join evaluation_verdict p on p.evaluation_id = n.evaluation_id and p.seq = n.seq - 1
        where n.evaluation_id = old.id and n.regrading_id = new.regraded_by
          and n.seq = (select max(seq) from evaluation_verdict where evaluation_id = old.id)
          and n.rubric_hash = new.rubric_hash and n.hidden_rounding = new.hidden_rounding and n.outcome = new.outcome
          and n.reason is not distinct from new.reason and n.verdict = new.verdict and n.result_hash = new.result_hash
          and n.simulated = new.simulated and new.score is not distinct from (nullif(n.verdict->'score', 'null'))::float8
          and p.rubric_hash = old.rubric_hash and p.hidden_rounding = old.hidden_rounding and p.outcome = old.outcome
          and p.reason is not distinct from old.reason and p.verdict = old.verdict and p.result_hash = old.result_hash
          and p.regrading_id is not distinct from old.regraded_by
      ) then
        raise exception 'evaluation % gets no verdict that its history does not hold', old.id using errcode = 'restrict_violation';
      end if;
    end if;
    if to_jsonb(old) - may_change is distinct from to_jsonb(new) - may_change then
      raise exception 'evaluation % is done and cannot change', old.id using errcode = 'restrict_violation';
    end if;
  elsif new.regraded_by is not null then
    raise exception 'evaluation % is not done: there is nothing to grade again', old.id using errcode = 'restrict_violation';
  end if;
  if new.fencing < old.fencing or new.event_seq < old.event_seq then
    raise exception 'fencing and event_seq of evaluation % only grow', old.id using errcode = 'restrict_violation';
  end if;
  if new.status is distinct from old.status then
    if not exists (
      select 1 from evaluation_transition t
      where t.from_status = old.status and t.to_status = new.status and (t.evaluator or has_column_privilege('evaluation', 'outcome', 'update'))
    ) then
      raise exception 'evaluation % cannot go from % to %', old.id, old.status, new.status using errcode = 'restrict_violation';
    end if;
    new.status_since := clock_timestamp();
    new.resent := 0;
    new.resent_at := null;
  end if;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.guard_fencing()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if exists (
    select 1 from (select distinct evaluation_id, fencing from written) w
    left join evaluation e on e.id = w.evaluation_id and e.fencing = w.fencing and e.status in ('running', 'grading')
    where e.id is null
  ) then
    raise exception 'write to % without the lease of its evaluation', tg_table_name using errcode = 'restrict_violation';
  end if;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.guard_regrading()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  changed text[];
begin
  select coalesce(array_agg(n.key), '{}') into changed from jsonb_each(to_jsonb(new)) n where to_jsonb(old) -> n.key is distinct from n.value;
  if old.content_hash is null and changed <@ array['content_hash', 'sealed_at'] then return new; end if;
  if old.content_hash is not null and old.applied_at is null and changed <@ array['applied_by', 'applied_at'] then return new; end if;
  if changed = '{}' then return new; end if;
  raise exception 'regrading % is complete and cannot change', old.id using errcode = 'restrict_violation';
end $function$
;

CREATE OR REPLACE FUNCTION public.guard_regrading_part()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  -- The lock keeps a seal from coming in between.
  perform from regrading where id = new.regrading_id and content_hash is null for share;
  if not found then
    raise exception 'regrading % is complete: nothing can be added to it', new.regrading_id using errcode = 'restrict_violation';
  end if;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.guard_verdict()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.seq = 1 then return new; end if;
  if not exists (
    select from regrading r
    join regrading_item i on i.regrading_id = r.id and i.evaluation_id = new.evaluation_id
    join evaluation_verdict p on p.evaluation_id = new.evaluation_id and p.seq = new.seq - 1
    where r.id = new.regrading_id and r.content_hash is not null and r.to_rubric_hash = new.rubric_hash
      and i.verdict = new.verdict and i.result_hash = new.result_hash and i.simulated = new.simulated
      and new.outcome = i.verdict->>'outcome' and new.reason is not distinct from nullif(i.verdict->'reason', 'null')
      and p.rubric_hash = i.from_rubric_hash and p.outcome = i.from_outcome and p.result_hash = i.from_result_hash
      and p.regrading_id is not distinct from i.from_regrading_id
  ) then
    raise exception 'the verdict of evaluation % is not the one that was previewed', new.evaluation_id using errcode = 'restrict_violation';
  end if;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception '% is immutable: % refused', tg_table_name, tg_op using errcode = 'restrict_violation';
end $function$
;

CREATE OR REPLACE FUNCTION public.words_of(text[])
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select array_to_string($1, ' ') $function$
;
