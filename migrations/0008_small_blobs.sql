-- Transcripts, logs and answers are a few kilobytes each and come by the thousand: as files they cost more than the grading
-- itself, as rows they are written in the statement and the transaction of the results that name them, so a crash leaves
-- both or neither. Larger blobs stay files.
--
-- Hosts that run submitted code write here. The CHECK makes an address that means other bytes impossible, whoever inserts:
-- else a row put there first, under the hash of somebody's transcript, would stand in its place (`on conflict do nothing`).

create table small_blob (
  hash text primary key,
  bytes bytea not null check (octet_length(bytes) <= 32768),
  constraint hash_is_of_the_bytes check (hash = encode(sha256(bytes), 'hex'))
);
create trigger small_blob_immutable before update on small_blob for each row execute function refuse_change();

grant select, insert on small_blob to collective_evaluator;
