import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { dropDatabase, onServer } from '../../test/setup/server-sql.ts';
import { migrate } from './migrate.ts';

const name = `collective_migrate_${process.pid}`;
let folder: string;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'collective-migrations-'));
  const address = new URL(inject('serverUrl'));
  address.pathname = `/${name}`;
  url = address.href;
});
afterAll(async () => {
  await dropDatabase(inject('serverUrl'), name);
  await rm(folder, { recursive: true });
});

async function fresh(files: Record<string, string>): Promise<void> {
  await dropDatabase(inject('serverUrl'), name);
  await onServer(inject('serverUrl'), `create database ${name}`);
  await rm(folder, { recursive: true });
  folder = await mkdtemp(path.join(os.tmpdir(), 'collective-migrations-'));
  for (const [file, sql] of Object.entries(files)) await writeFile(path.join(folder, file), sql);
}

describe('migrate', () => {
  it('applies files in order, once, and prepares the queue and the evaluator group', async () => {
    await fresh({
      '0001_one.sql': 'create table one (id int); grant select on one to collective_evaluator;',
      '0002_two.sql': 'alter table one add column two text;',
      'schema.sql': 'this is not a migration',
    });
    expect(await migrate(url, folder)).toEqual({ applied: ['0001_one.sql', '0002_two.sql'] });
    expect(await migrate(url, folder)).toEqual({ applied: [] });
    const tables = await onServer(url, "select table_schema as s from information_schema.tables where table_name in ('job', 'one')");
    expect(tables.map((row) => row.s).sort()).toEqual(['bullmq', 'public']);
    const [allowed] = await onServer(url, "select has_schema_privilege('collective_evaluator', 'bullmq', 'usage') as ok");
    expect(allowed).toEqual({ ok: true });
  });

  it('applies each file once when two processes start at the same time', async () => {
    await fresh({ '0001_one.sql': 'create table one (id int);', '0002_two.sql': 'insert into one values (1);' });
    const results = await Promise.all([migrate(url, folder), migrate(url, folder), migrate(url, folder)]);
    expect(results.map((result) => result.applied.length).sort()).toEqual([0, 0, 2]);
    expect(await onServer(url, 'select count(*)::int as n from one')).toEqual([{ n: 1 }]);
  });

  it('rolls a failing file back whole and says where it failed', async () => {
    await fresh({ '0001_one.sql': 'create table one (id int);', '0002_bad.sql': 'create table two (id int);\n\nselct 1;' });
    await expect(migrate(url, folder)).rejects.toThrow('migrations/0002_bad.sql:3: syntax error');
    expect(await onServer(url, "select to_regclass('one')::text as one, to_regclass('two')::text as two")).toEqual([
      { one: 'one', two: null },
    ]);
    await writeFile(path.join(folder, '0002_bad.sql'), 'create table two (id int);');
    expect(await migrate(url, folder)).toEqual({ applied: ['0002_bad.sql'] });
  });

  it('refuses an applied file that was edited', async () => {
    await fresh({ '0001_one.sql': 'create table one (id int);' });
    await migrate(url, folder);
    await writeFile(path.join(folder, '0001_one.sql'), 'create table one (id bigint);');
    await expect(migrate(url, folder)).rejects.toThrow('migrations/0001_one.sql was edited');
  });

  it('refuses a database that is newer, and a file that comes too late', async () => {
    await fresh({ '0002_two.sql': 'create table two (id int);' });
    await migrate(url, folder);
    await writeFile(path.join(folder, '0001_late.sql'), 'create table late (id int);');
    await expect(migrate(url, folder)).rejects.toThrow('renumber it');
    await rm(path.join(folder, '0001_late.sql'));
    await rm(path.join(folder, '0002_two.sql'));
    await expect(migrate(url, folder)).rejects.toThrow('start a newer version');
  });
});
