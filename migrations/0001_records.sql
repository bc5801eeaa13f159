-- The records of the platform. A row is the truth, a queue message only says "look at this row".
--
-- What the database itself makes impossible, so that no forgotten WHERE can do it:
--   * a published rubric version or a submission that changes (triggers refuse UPDATE, DELETE, TRUNCATE);
--   * an evaluation that is done without an outcome, leased while nobody may hold it, or scored after an error (CHECKs);
--   * a transition that the state machine does not have, a fencing token that goes back, a done row that changes (trigger);
--   * a case, grade or model call written under a fencing token that is no longer the evaluation's (triggers).
-- Ids are UUIDv7 made in code; their order is the order of creation. Times are the database's.

create extension if not exists pg_trgm;

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is immutable: % refused', tg_table_name, tg_op using errcode = 'restrict_violation';
end $$;

-- array_to_string is only STABLE because of types whose output depends on settings; for text[] it is immutable.
create function words_of(text[]) returns text language sql immutable parallel safe as $$ select array_to_string($1, ' ') $$;

create table account (
  id uuid primary key,
  name text not null unique check (char_length(name) between 1 and 100),
  kind text not null check (kind in ('local', 'sample')),
  -- SHA-256 of the bearer token in hexadecimal; samples have none and cannot sign in.
  token_hash text unique check (token_hash ~ '^[0-9a-f]{64}$'),
  created_at timestamptz not null default now(),
  check ((kind = 'local') = (token_hash is not null))
);

create table challenge (
  id uuid primary key,
  slug text not null unique,
  -- The version new submissions are judged by.
  rubric_hash text not null,
  title text not null,
  summary text not null,
  tags text[] not null,
  risk_tier text not null check (risk_tier in ('low', 'moderate', 'high', 'critical')),
  demonstration boolean not null,
  created_at timestamptz not null default now(),
  search tsvector not null generated always as (
    setweight(to_tsvector('english', title), 'A')
    || setweight(to_tsvector('english', words_of(tags) || ' ' || replace(slug, '-', ' ')), 'B')
    || setweight(to_tsvector('english', summary), 'C')
  ) stored
);
create index challenge_search on challenge using gin (search);
create index challenge_title_trigrams on challenge using gin (title gin_trgm_ops);
create index challenge_tags on challenge using gin (tags);

create table rubric_version (
  hash text primary key check (hash ~ '^[0-9a-f]{64}$'),
  challenge_id uuid not null references challenge (id),
  document jsonb not null,
  readme text not null,
  -- The rubric in sentences, RubricWords.
  words jsonb not null,
  -- [{path, bytes, sha256}]; the bytes are blobs.
  files jsonb not null,
  -- Cases per split.
  counts jsonb not null,
  -- [{id, key, input}] of every public case.
  public_cases jsonb not null,
  -- Every need a submission to this version can have.
  needs text[] not null,
  created_at timestamptz not null default now()
);
alter table challenge add foreign key (rubric_hash) references rubric_version (hash) deferrable initially deferred;
create trigger rubric_version_immutable before update or delete on rubric_version for each row execute function refuse_change();
create trigger rubric_version_kept before truncate on rubric_version execute function refuse_change();

create table submission (
  id uuid primary key,
  challenge_id uuid not null references challenge (id),
  account_id uuid not null references account (id),
  title text not null check (char_length(title) between 1 and 200),
  kind text not null check (kind in ('answers', 'prompts', 'defence', 'program', 'image', 'report')),
  -- SHA-256 of the canonical JSON, which is the address of the blob.
  content_hash text not null check (content_hash ~ '^[0-9a-f]{64}$'),
  content_bytes bigint not null check (content_bytes >= 0),
  sample boolean not null default false,
  created_at timestamptz not null default now()
);
create index submission_by_challenge on submission (challenge_id, id desc);
create index submission_by_account on submission (account_id, id desc);
create trigger submission_immutable before update or delete on submission for each row execute function refuse_change();
create trigger submission_kept before truncate on submission execute function refuse_change();

create table evaluation (
  id uuid primary key,
  submission_id uuid not null references submission (id),
  rubric_hash text not null references rubric_version (hash),
  phase text not null,
  -- Copied from the rubric version, which cannot change: what feedback may show is decided without reading it again.
  splits text[] not null check (cardinality(splits) > 0 and splits <@ array['public', 'hidden', 'holdout']),
  hidden_rounding double precision not null check (hidden_rounding > 0),
  -- Decided by screening.
  need text check (need in ('none', 'js', 'node', 'python')),

  status text not null default 'received'
    check (status in ('received', 'screening', 'queued', 'running', 'grading', 'verifying', 'done', 'parked')),
  status_since timestamptz not null default now(),
  -- Where a parked evaluation goes on when an operator lets it.
  parked_from text check (parked_from in ('received', 'queued', 'verifying')),
  outcome text check (outcome in ('pass', 'fail', 'needs_review', 'invalid', 'limit', 'cancelled', 'error')),
  -- Why it ended so, or why the last attempt failed; complete, for operators. Participants see `shownReason` of it.
  reason jsonb,
  waiting jsonb,
  waiting_since timestamptz,
  -- When the wait ends by itself; only waits that can have no other end have one.
  deadline_at timestamptz,

  -- The try that runs or comes next, from 1.
  attempt integer not null default 1 check (attempt >= 1),
  next_attempt_at timestamptz,
  -- Leases that ran out one after another without a case recorded between them.
  lost_leases integer not null default 0 check (lost_leases >= 0),
  -- Times the sweeper has sent the message again in this status, and when last.
  resent integer not null default 0,
  resent_at timestamptz,

  fencing bigint not null default 0 check (fencing >= 0),
  lease_holder text,
  lease_until timestamptz,

  event_seq bigint not null default 0,
  progress_done integer not null default 0,
  progress_of integer not null,
  -- Splits that ran to their end: what hidden ones add to the progress is added once, at their end.
  finished_splits text[] not null default '{}',
  -- When the first budget was drawn, which is before the first model call.
  first_call_at timestamptz,

  seed_commitment text not null check (seed_commitment ~ '^[0-9a-f]{64}$'),
  seed text check (seed ~ '^[0-9a-f]{64}$'),

  verdict jsonb,
  score double precision check (score > '-Infinity' and score < 'Infinity'),
  score_lower double precision check (score_lower > '-Infinity' and score_lower < 'Infinity'),
  score_upper double precision check (score_upper > '-Infinity' and score_upper < 'Infinity'),
  usage jsonb,
  -- Usage of the public cases alone: all that is shown where hidden ones took part.
  public_usage jsonb,
  simulated boolean not null,
  result_hash text check (result_hash ~ '^[0-9a-f]{64}$'),

  created_at timestamptz not null default now(),
  started_at timestamptz,
  done_at timestamptz,

  -- What this evaluation costs the participant follows from how it ended and from nothing else.
  attempt_cost text not null generated always as (
    case
      when status = 'parked' or outcome = 'error' then 'returned'
      when outcome = 'cancelled' and first_call_at is null then 'returned'
      when status = 'done' then 'spent'
      else 'open'
    end
  ) stored,

  constraint done_has_outcome check ((status = 'done') = (outcome is not null)),
  constraint done_has_time check ((status = 'done') = (done_at is not null)),
  constraint lease_is_whole check ((lease_holder is null) = (lease_until is null)),
  constraint lease_only_where_work_is_done check (lease_holder is null or status in ('screening', 'running', 'grading', 'verifying')),
  constraint work_is_leased check (status not in ('screening', 'running', 'grading') or lease_holder is not null),
  constraint parked_knows_where_from check ((status = 'parked') = (parked_from is not null)),
  constraint screened_has_need check (need is not null or status in ('received', 'screening', 'parked', 'done')),
  constraint wait_is_whole check ((waiting is null) = (waiting_since is null) and (deadline_at is null or waiting is not null)),
  constraint retry_waits_without_lease check (next_attempt_at is null or (lease_holder is null and status in ('received', 'queued', 'verifying'))),
  constraint progress_is_bounded check (progress_done between 0 and progress_of),
  constraint scored_outcomes_have_score check (outcome not in ('pass', 'fail') or (score is not null and verdict is not null and result_hash is not null)),
  constraint unscored_outcomes_have_none check ((score is null and result_hash is null) or (outcome is not null and outcome not in ('error', 'cancelled'))),
  constraint interval_is_whole check ((score_lower is null) = (score_upper is null) and (score_lower is null or score_lower <= score_upper)),
  constraint seed_revealed_when_done check ((seed is not null) = (status = 'done')),
  constraint seed_keeps_commitment check (encode(sha256(decode(seed, 'hex')), 'hex') = seed_commitment)
);

-- What randomness an evaluation runs with. Apart from its row, so that nothing that shows evaluations can show it early.
create table evaluation_seed (
  evaluation_id uuid primary key references evaluation (id),
  seed text not null check (seed ~ '^[0-9a-f]{64}$')
);
create trigger evaluation_seed_immutable before update or delete on evaluation_seed for each row execute function refuse_change();
create index evaluation_by_submission on evaluation (submission_id);
create index evaluation_by_rubric on evaluation (rubric_hash, phase);
create index evaluation_waiting on evaluation (status_since) where status in ('received', 'queued', 'verifying') and lease_holder is null;
create index evaluation_leased on evaluation (lease_until) where lease_holder is not null;
create index evaluation_queue on evaluation (need, id) where status = 'queued';
create index evaluation_deadline on evaluation (deadline_at) where deadline_at is not null;

-- The state machine. `domain/transitions.ts` says the same in TypeScript; a test compares the two.
create table evaluation_transition (
  from_status text not null,
  to_status text not null,
  -- May a role make this step that may not write `outcome`: the one of machines that run submitted code.
  evaluator boolean not null,
  primary key (from_status, to_status)
);
insert into evaluation_transition values
  ('received', 'screening', false), ('received', 'done', false),
  ('screening', 'queued', false), ('screening', 'received', false), ('screening', 'parked', false), ('screening', 'done', false),
  ('queued', 'running', true), ('queued', 'done', false),
  ('running', 'grading', true), ('running', 'verifying', true), ('running', 'queued', true), ('running', 'parked', true), ('running', 'done', false),
  ('grading', 'running', true), ('grading', 'verifying', true), ('grading', 'queued', true), ('grading', 'parked', true), ('grading', 'done', false),
  ('verifying', 'done', false), ('verifying', 'parked', false),
  ('parked', 'received', false), ('parked', 'queued', false), ('parked', 'verifying', false), ('parked', 'done', false);

create function guard_evaluation() returns trigger language plpgsql as $$
begin
  -- Generated columns are not computed yet in a BEFORE trigger; this one follows from the others.
  if old.status = 'done' and to_jsonb(old) - array['event_seq', 'attempt_cost'] is distinct from to_jsonb(new) - array['event_seq', 'attempt_cost'] then
    raise exception 'evaluation % is done and cannot change', old.id using errcode = 'restrict_violation';
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
end $$;
create trigger evaluation_guard before update on evaluation for each row execute function guard_evaluation();

create table case_result (
  evaluation_id uuid not null references evaluation (id),
  trial integer not null check (trial >= 0),
  case_id text not null,
  split text not null check (split in ('public', 'hidden', 'holdout')),
  "end" text not null check ("end" in ('answered', 'missing', 'fault', 'limit', 'error')),
  limit_kind text check (limit_kind in ('cpu', 'wall', 'memory', 'output', 'disk', 'processes', 'budget')),
  message text,
  score double precision check (score between 0 and 1),
  transcript_hash text check (transcript_hash ~ '^[0-9a-f]{64}$'),
  log_hash text check (log_hash ~ '^[0-9a-f]{64}$'),
  calls integer not null check (calls >= 0),
  input_tokens bigint not null check (input_tokens >= 0),
  output_tokens bigint not null check (output_tokens >= 0),
  cost_micros bigint not null check (cost_micros >= 0),
  wall_ms double precision not null check (wall_ms >= 0),
  -- False when the platform failed here: the case is run again by the next attempt and this row overwritten.
  settled boolean not null,
  fencing bigint not null,
  recorded_at timestamptz not null default now(),
  primary key (evaluation_id, trial, case_id)
);

create table grade (
  evaluation_id uuid not null,
  trial integer not null,
  case_id text not null,
  criterion text not null,
  -- Order of the criterion in the rubric.
  position integer not null,
  grader text not null,
  status text not null check (status in ('graded', 'needs_review', 'error')),
  score double precision check (score between 0 and 1),
  evidence jsonb not null,
  fencing bigint not null,
  primary key (evaluation_id, trial, case_id, criterion),
  foreign key (evaluation_id, trial, case_id) references case_result (evaluation_id, trial, case_id),
  check ((status = 'graded') = (score is not null))
);

-- What was asked of which model, without its text: texts are transcript blobs.
create table model_call (
  evaluation_id uuid not null references evaluation (id),
  -- Names case, asker and order within the case; the same call recorded twice is one row.
  id text not null,
  fencing bigint not null,
  trial integer not null,
  case_id text not null,
  split text not null check (split in ('public', 'hidden', 'holdout')),
  target text not null,
  asked_by text not null check (asked_by in ('submission', 'grader')),
  simulated boolean not null,
  requested_model text,
  returned_model text,
  fingerprint text,
  input_tokens bigint check (input_tokens >= 0),
  output_tokens bigint check (output_tokens >= 0),
  tokens_estimated boolean,
  stop_reason text,
  fault_kind text,
  cost_micros bigint not null check (cost_micros >= 0),
  started_at timestamptz not null,
  duration_ms double precision not null,
  request_hash text not null,
  primary key (evaluation_id, fencing, id),
  check (fault_kind is not null or stop_reason is not null)
);

create function guard_fencing() returns trigger language plpgsql as $$
begin
  if exists (
    select 1 from (select distinct evaluation_id, fencing from written) w
    left join evaluation e on e.id = w.evaluation_id and e.fencing = w.fencing and e.status in ('running', 'grading')
    where e.id is null
  ) then
    raise exception 'write to % without the lease of its evaluation', tg_table_name using errcode = 'restrict_violation';
  end if;
  return null;
end $$;
create trigger case_result_inserted after insert on case_result referencing new table as written for each statement execute function guard_fencing();
create trigger case_result_updated after update on case_result referencing new table as written for each statement execute function guard_fencing();
create trigger grade_inserted after insert on grade referencing new table as written for each statement execute function guard_fencing();
create trigger grade_updated after update on grade referencing new table as written for each statement execute function guard_fencing();
create trigger model_call_inserted after insert on model_call referencing new table as written for each statement execute function guard_fencing();
create trigger model_call_immutable before update or delete on model_call for each row execute function refuse_change();

-- How much of an evaluation's budget was handed out. What was drawn and neither used nor given back is spent.
create table evaluation_budget (
  evaluation_id uuid primary key references evaluation (id),
  drawn_calls bigint not null default 0 check (drawn_calls >= 0),
  drawn_input_tokens bigint not null default 0 check (drawn_input_tokens >= 0),
  drawn_output_tokens bigint not null default 0 check (drawn_output_tokens >= 0),
  drawn_cost_micros bigint not null default 0 check (drawn_cost_micros >= 0),
  -- A worker died while it held some of it.
  crashed boolean not null default false
);

create table event (
  evaluation_id uuid not null,
  seq bigint not null check (seq > 0),
  at timestamptz not null default now(),
  data jsonb not null,
  primary key (evaluation_id, seq)
) partition by range (evaluation_id);

create table worker (
  id uuid primary key,
  name text not null,
  stages text[] not null,
  needs text[] not null,
  -- [{need, reason, install}]
  unavailable jsonb not null,
  started_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now()
);

-- The best shown result per participant under the challenge's current rubric version. Scores here are already rounded as
-- the phase's feedback says: a rank made from exact hidden scores would give back what rounding takes away.
create table standing (
  challenge_id uuid not null references challenge (id),
  phase text not null,
  account_id uuid not null references account (id),
  evaluation_id uuid not null references evaluation (id),
  submission_id uuid not null references submission (id),
  score double precision not null,
  -- Without an interval both are the score, so that ranges of ranks are one comparison.
  lower double precision not null,
  upper double precision not null,
  has_interval boolean not null,
  outcome text not null check (outcome in ('pass', 'fail')),
  at timestamptz not null,
  primary key (challenge_id, phase, account_id),
  check (lower <= upper)
);
create index standing_by_score on standing (challenge_id, phase, score desc, at, account_id);
create index standing_by_lower on standing (challenge_id, phase, lower);
create index standing_by_upper on standing (challenge_id, phase, upper);

create table idempotency (
  account_id uuid not null references account (id),
  key text not null check (char_length(key) between 1 and 255),
  request_hash text not null,
  -- Null only inside the transaction that acts.
  response jsonb,
  created_at timestamptz not null default now(),
  primary key (account_id, key)
);
create index idempotency_age on idempotency (created_at);
