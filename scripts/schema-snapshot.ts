import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { scratchDatabase } from './scratch-database.ts';

/*
 * migrations/schema.sql shows the shape that all migrations together make, for people who read and for reviews: a change
 * of the schema is visible as a difference of one file. It is read from the catalogue of a freshly migrated database
 * (the embedded PostgreSQL brings no pg_dump), and nothing ever runs it. The queue's own schema is BullMQ's and left out,
 * as are the monthly partitions of `event`, which depend on the date.
 */

const target = path.join(import.meta.dirname, '..', 'migrations', 'schema.sql');
const header = '-- Generated from migrations/ by scripts/schema-snapshot.ts, for reading. Do not edit; nothing runs this file.\n';

/** Not what an extension brought. */
const ours = (catalogue: string, oid: string) =>
  `not exists (select from pg_depend d where d.classid = '${catalogue}'::regclass and d.objid = ${oid} and d.deptype = 'e')`;

const tablesQuery = `
  select c.oid::int as oid, c.relname as name, pg_get_partkeydef(c.oid) as partition
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 2`;

const linesQuery = `
  select 1 as part, a.attnum::int as position, '  ' || quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
    || case when a.attnotnull then ' not null' else '' end
    || case when a.attgenerated = 's' then ' generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ') stored'
            when d.adbin is not null then ' default ' || pg_get_expr(d.adbin, d.adrelid) else '' end
    || case when a.attidentity <> '' then ' generated as identity' else '' end as line
  from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
  union all
  select 2, 0, '  constraint ' || quote_ident(conname) || ' ' || pg_get_constraintdef(oid)
  from pg_constraint where conrelid = $1 and contype <> 'n' and contype <> 't'
  order by 1, 2, 3`;

const afterTableQuery = `
  select 1 as part, pg_get_indexdef(i.indexrelid) || ';' as line from pg_index i
  where i.indrelid = $1 and not exists (select from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x'))
  union all
  select 2, pg_get_triggerdef(oid) || ';' from pg_trigger where tgrelid = $1 and not tgisinternal
  union all
  select 3, 'grant ' || lower(string_agg(g.privilege_type, ', ' order by g.privilege_type)) || ' on ' || c.relname || ' to ' || r.rolname || ';'
  from pg_class c, aclexplode(c.relacl) g join pg_roles r on r.oid = g.grantee
  where c.oid = $1 and g.grantee <> c.relowner group by c.relname, r.rolname
  union all
  select 4, 'grant ' || lower(g.privilege_type) || ' (' || string_agg(quote_ident(a.attname), ', ' order by a.attname) || ') on ' || c.relname || ' to ' || r.rolname || ';'
  from pg_class c join pg_attribute a on a.attrelid = c.oid, aclexplode(a.attacl) g join pg_roles r on r.oid = g.grantee
  where c.oid = $1 group by c.relname, r.rolname, g.privilege_type
  order by 1, 2`;

const functionsQuery = `
  select pg_get_functiondef(p.oid) || ';' as line from pg_proc p
  where p.pronamespace = 'public'::regnamespace and ${ours('pg_proc', 'p.oid')} order by p.proname, 1`;

const extensionsQuery = `select 'create extension ' || extname || ';' as line from pg_extension where extname <> 'plpgsql' order by 1`;

/** The schema of the database at `url` as text; the same for the same migrations, on any day. */
export async function describeSchema(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const lines = async (text: string, values: unknown[] = []) =>
      (await client.query<{ line: string }>(text, values)).rows.map((row) => row.line.trimEnd());
    const sections = [header, ...(await lines(extensionsQuery))];
    const { rows: tables } = await client.query<{ oid: number; name: string; partition: string | null }>(tablesQuery);
    for (const { oid, name, partition } of tables) {
      const body = (await lines(linesQuery, [oid])).map((line) => `  ${line.trim()}`).join(',\n');
      const after = (await lines(afterTableQuery, [oid])).join('\n');
      sections.push(
        `\ncreate table ${name} (\n${body}\n)${partition === null ? '' : ` partition by ${partition}`};`,
        ...(after ? [after] : []),
      );
    }
    const functions = await lines(functionsQuery);
    return `${[...sections, ...functions.map((text) => `\n${text}`)].join('\n')}\n`;
  } finally {
    await client.end();
  }
}

/** Writes migrations/schema.sql, or with `check` says whether it is current. */
export async function updateSchemaSnapshot(url: string, check: boolean): Promise<boolean> {
  const text = await describeSchema(url);
  if (check) return (await readFile(target, 'utf8').catch(() => '')) === text;
  await writeFile(target, text);
  return true;
}

if (import.meta.main) {
  await using database = await scratchDatabase();
  if (!(await updateSchemaSnapshot(database.url, process.argv.includes('--check')))) {
    console.error('migrations/schema.sql is not current: run npm run generate');
    process.exitCode = 1;
  }
}
