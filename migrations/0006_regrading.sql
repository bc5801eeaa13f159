-- A stored evaluation is graded again with a newer rubric version, from what was kept of its run. What is made impossible here:
--   * a preview that changes after it is complete, or is filled afterwards: what an operator read is what is applied;
--   * a second verdict without a complete preview behind it, or one that differs from it;
--   * a verdict that is forgotten: each stays a row, and the first keeps its grades in `grade`.
-- The role of hosts that run submitted code is granted nothing of this.

-- What submitted code answered, for later graders; the content is a blob. The evaluator's grants on the table cover the column.
alter table case_result add column answer_hash text check (answer_hash ~ '^[0-9a-f]{64}$');

create table regrading (
  id uuid primary key,
  challenge_id uuid not null references challenge (id),
  to_rubric_hash text not null references rubric_version (hash),
  reason text not null check (char_length(reason) between 1 and 500),
  created_by uuid not null references account (id),
  created_at timestamptz not null default now(),
  -- SHA-256 over all items. Null while the preview is being made; nothing can be applied or shown of it until then.
  content_hash text check (content_hash ~ '^[0-9a-f]{64}$'),
  sealed_at timestamptz,
  -- When all of it that could be applied was.
  applied_by uuid references account (id),
  applied_at timestamptz,
  constraint sealed_is_whole check ((content_hash is null) = (sealed_at is null)),
  constraint applied_is_whole check ((applied_by is null) = (applied_at is null) and (applied_at is null or sealed_at is not null))
);
create index regrading_by_challenge on regrading (challenge_id, id desc);

create table regrading_item (
  regrading_id uuid not null references regrading (id),
  evaluation_id uuid not null references evaluation (id),
  -- The state that was previewed: nothing is applied to another one.
  from_rubric_hash text not null references rubric_version (hash),
  from_outcome text not null check (from_outcome in ('pass', 'fail', 'needs_review')),
  from_result_hash text not null check (from_result_hash ~ '^[0-9a-f]{64}$'),
  from_verdict jsonb not null,
  from_regrading_id uuid references regrading (id),
  -- Why it cannot be graded again, a Reason; else what it comes to.
  problem jsonb,
  verdict jsonb,
  result_hash text check (result_hash ~ '^[0-9a-f]{64}$'),
  simulated boolean,
  cases integer not null check (cases >= 0),
  changed_cases integer not null check (changed_cases between 0 and cases),
  -- What judges were asked, the sponsor's cost.
  judging jsonb not null,
  content_hash text not null check (content_hash ~ '^[0-9a-f]{64}$'),
  primary key (regrading_id, evaluation_id),
  constraint problem_or_verdict check ((problem is null) = (verdict is not null)),
  constraint verdict_is_whole check ((verdict is null) = (result_hash is null) and (verdict is null) = (simulated is null)),
  constraint no_verdict_by_error check (verdict is null or verdict->>'outcome' in ('pass', 'fail', 'needs_review', 'invalid', 'limit'))
);
create index regrading_item_by_evaluation on regrading_item (evaluation_id);

create table regraded_case (
  regrading_id uuid not null,
  evaluation_id uuid not null,
  trial integer not null,
  case_id text not null,
  score double precision check (score between 0 and 1),
  -- Grade[], in the order of the rubric.
  grades jsonb not null check (jsonb_typeof(grades) = 'array'),
  changed boolean not null,
  -- What judges were asked this time: a blob like `transcript_hash` of case_result.
  transcript_hash text check (transcript_hash ~ '^[0-9a-f]{64}$'),
  primary key (regrading_id, evaluation_id, trial, case_id),
  foreign key (regrading_id, evaluation_id) references regrading_item (regrading_id, evaluation_id),
  foreign key (evaluation_id, trial, case_id) references case_result (evaluation_id, trial, case_id)
);

-- Every verdict of an evaluation that was graded again, the first one as `seq` 1. The row in `evaluation` holds the last.
create table evaluation_verdict (
  evaluation_id uuid not null references evaluation (id),
  seq integer not null check (seq >= 1),
  rubric_hash text not null references rubric_version (hash),
  hidden_rounding double precision not null check (hidden_rounding > 0),
  outcome text not null,
  reason jsonb,
  verdict jsonb not null,
  result_hash text not null check (result_hash ~ '^[0-9a-f]{64}$'),
  simulated boolean not null,
  given_at timestamptz not null,
  regrading_id uuid references regrading (id),
  applied_by uuid references account (id),
  primary key (evaluation_id, seq),
  constraint first_is_of_the_run check ((seq = 1) = (regrading_id is null) and (seq = 1) = (applied_by is null)),
  unique (evaluation_id, regrading_id)
);
create trigger evaluation_verdict_immutable before update or delete on evaluation_verdict for each row execute function refuse_change();
create trigger evaluation_verdict_kept before truncate on evaluation_verdict execute function refuse_change();

-- A preview grows until it is sealed; afterwards only the note that it was applied may be added, once.
create function guard_regrading() returns trigger language plpgsql as $$
declare
  changed text[];
begin
  select coalesce(array_agg(n.key), '{}') into changed from jsonb_each(to_jsonb(new)) n where to_jsonb(old) -> n.key is distinct from n.value;
  if old.content_hash is null and changed <@ array['content_hash', 'sealed_at'] then return new; end if;
  if old.content_hash is not null and old.applied_at is null and changed <@ array['applied_by', 'applied_at'] then return new; end if;
  if changed = '{}' then return new; end if;
  raise exception 'regrading % is complete and cannot change', old.id using errcode = 'restrict_violation';
end $$;
create trigger regrading_guard before update on regrading for each row execute function guard_regrading();
create trigger regrading_kept before delete on regrading for each row execute function refuse_change();
create trigger regrading_not_emptied before truncate on regrading execute function refuse_change();

create function guard_regrading_part() returns trigger language plpgsql as $$
begin
  -- The lock keeps a seal from coming in between.
  perform from regrading where id = new.regrading_id and content_hash is null for share;
  if not found then
    raise exception 'regrading % is complete: nothing can be added to it', new.regrading_id using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger regrading_item_added before insert on regrading_item for each row execute function guard_regrading_part();
create trigger regrading_item_immutable before update or delete on regrading_item for each row execute function refuse_change();
create trigger regrading_item_kept before truncate on regrading_item execute function refuse_change();
create trigger regraded_case_added before insert on regraded_case for each row execute function guard_regrading_part();
create trigger regraded_case_immutable before update or delete on regraded_case for each row execute function refuse_change();
create trigger regraded_case_kept before truncate on regraded_case execute function refuse_change();

-- The regrading whose grades count; null for the run's own.
alter table evaluation add column regraded_by uuid references regrading (id);

-- A superseding verdict is what a complete preview holds for exactly the state that it supersedes.
create function guard_verdict() returns trigger language plpgsql as $$
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
end $$;
create trigger evaluation_verdict_previewed before insert on evaluation_verdict for each row execute function guard_verdict();

create or replace function guard_evaluation() returns trigger language plpgsql as $$
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
end $$;
