-- Rubrics demand more of a machine than a profile: gVisor, and for bounties a machine whose doctor found nothing in the way.
alter table evaluation drop constraint evaluation_need_check;
alter table evaluation add constraint evaluation_need_check check (need in (
  'none', 'js',
  'node', 'node-gvisor', 'node-bounty', 'node-gvisor-bounty',
  'python', 'python-gvisor', 'python-bounty', 'python-gvisor-bounty',
  'image', 'image-gvisor', 'image-bounty', 'image-gvisor-bounty'
));

-- Where submitted code ran, one entry per split and worker; empty where none ran.
alter table evaluation add column sandbox jsonb not null default '[]' check (jsonb_typeof(sandbox) = 'array');
grant update (sandbox) on evaluation to collective_evaluator;

-- What the doctor found on the worker's machine; null for workers that run no submitted code.
alter table worker add column doctor jsonb;
