-- What cases left behind: path, hash and size of each file; the content is a blob. Paths are participants' claims. The
-- evaluator's grants on the table cover the column.
alter table case_result add column artifacts jsonb not null default '[]';

alter table case_result add constraint artifacts_are_records check (
  jsonb_typeof(artifacts) = 'array' and jsonb_array_length(artifacts) <= 64
  -- As many as there are must fit; a negated "none is wrong" would let through what has no such field at all.
  and jsonb_array_length(artifacts) = jsonb_array_length(jsonb_path_query_array(artifacts,
    'strict $[*] ? (@.path like_regex "^[ -~]{1,200}$" && @.sha256 like_regex "^[0-9a-f]{64}$" && @.bytes.type() == "number" && @.bytes >= 0)'))
);
alter table case_result add constraint only_answers_leave_artifacts check ("end" = 'answered' or artifacts = '[]');

-- Why the evaluate stage could not open the submission (an archive that does not unpack, an image that is not accepted):
-- a word to verification, which alone may say `invalid`.
alter table evaluation add column refusal jsonb;
grant update (refusal) on evaluation to collective_evaluator;
