-- Judges are paid from a purse of their own: no submission can use it up, and no judge uses up a submission's.
alter table evaluation_budget add column purse text not null default 'targets' check (purse in ('targets', 'judges'));
alter table evaluation_budget alter column purse drop default;
alter table evaluation_budget drop constraint evaluation_budget_pkey;
alter table evaluation_budget add primary key (evaluation_id, purse);

-- What judges were asked for a case, apart from what the submission used: it is the sponsor's cost, and what a failed
-- attempt leaves spent of the judges' purse.
alter table case_result
  add column judge_calls integer not null default 0 check (judge_calls >= 0),
  add column judge_input_tokens bigint not null default 0 check (judge_input_tokens >= 0),
  add column judge_output_tokens bigint not null default 0 check (judge_output_tokens >= 0),
  add column judge_cost_micros bigint not null default 0 check (judge_cost_micros >= 0);

alter table model_call drop constraint model_call_asked_by_check;
alter table model_call add constraint model_call_asked_by_check check (asked_by in ('submission', 'grader', 'judge'));
-- The reply was one of judge_reply: no provider was asked and nothing charged.
alter table model_call add column cached boolean not null default false;

-- Replies of judges by the hash of all that was asked, so that a killed evaluation that goes on does not pay twice.
-- Hosts that run submitted code write here: verification must never read it. Text, not jsonb: what comes back is what was
-- kept, NUL characters and order included.
create table judge_reply (
  key text primary key check (key ~ '^[0-9a-f]{64}$'),
  reply text not null check (octet_length(reply) <= 262144),
  created_at timestamptz not null default now()
);
create index judge_reply_age on judge_reply (created_at);
grant select, insert, delete on judge_reply to collective_evaluator;
