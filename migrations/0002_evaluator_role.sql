-- The role of machines that run submitted code. It may take evaluations, write what it saw and hand them on. It cannot
-- decide: outcome, score, verdict, result hash and seed are not its columns, and `done` needs an outcome. The verify
-- stage, under another role, computes the verdict again from the stored grades.

revoke all on all tables in schema public from collective_evaluator;
grant usage on schema public to collective_evaluator;

grant select on rubric_version, evaluation, evaluation_seed, evaluation_budget, evaluation_transition, case_result, grade, model_call, worker to collective_evaluator;
-- Whose submission it is, is not its business.
grant select (id, challenge_id, kind, content_hash, content_bytes) on submission to collective_evaluator;

grant update (
  status, status_since, parked_from, reason, waiting, waiting_since, deadline_at, attempt, next_attempt_at, lost_leases, resent, resent_at,
  fencing, lease_holder, lease_until, event_seq, progress_done, finished_splits, first_call_at, started_at
) on evaluation to collective_evaluator;

grant insert, update on case_result, grade, evaluation_budget, worker to collective_evaluator;
grant delete on worker to collective_evaluator;
grant insert on model_call, event to collective_evaluator;
