-- Money hangs on what judges say only where people have looked. What is made impossible here:
--   * a judgement of a person that changes or disappears, or one person who judges one thing twice;
--   * a judgement about a grade that does not exist.
-- The role of hosts that run submitted code is granted nothing of this.

-- Whether money may hang on the scores of this version, { judged, holdsMoney, reasons }; found when it was published.
-- Versions from before have no judges.
alter table rubric_version add column judge_money jsonb not null
  default '{"judged": false, "holdsMoney": true, "reasons": []}' check (jsonb_typeof(judge_money) = 'object');

create table judge_audit (
  id uuid primary key,
  -- The order in which they were made; "the last 50" go by it.
  seq bigint generated always as identity,
  evaluation_id uuid not null references evaluation (id),
  rubric_hash text not null references rubric_version (hash),
  -- Of one grade; all null where the award as a whole was judged.
  criterion text,
  case_id text,
  trial integer,
  -- The target whose answers were graded; null for submissions that ask none.
  target text,
  judge_score double precision check (judge_score between 0 and 1),
  judge_passed boolean not null,
  human_passed boolean not null,
  account_id uuid not null references account (id),
  reason text not null check (char_length(reason) between 1 and 2000),
  created_at timestamptz not null default clock_timestamp(),
  constraint grade_or_award check (
    (criterion is null) = (case_id is null) and (criterion is null) = (trial is null) and (criterion is null) = (judge_score is null)
  ),
  -- Only what a judge would have paid for is an award.
  constraint award_was_passed check (criterion is not null or judge_passed),
  constraint once_per_person unique nulls not distinct (evaluation_id, criterion, case_id, trial, account_id),
  foreign key (evaluation_id, trial, case_id, criterion) references grade (evaluation_id, trial, case_id, criterion)
);
create index judge_audit_by_rubric on judge_audit (rubric_hash, seq desc);
create trigger judge_audit_immutable before update or delete on judge_audit for each row execute function refuse_change();
create trigger judge_audit_kept before truncate on judge_audit execute function refuse_change();
