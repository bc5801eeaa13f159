import type { Command } from 'commander';
import type { Config } from '../contracts/config.ts';
import { ensureEvaluatorRole } from '../domain/db/evaluator-role.ts';
import { InputError } from './exit-codes.ts';
import { migrateDatabase } from './migrate-database.ts';

/** `collective migrate`: brings the database of DATABASE_URL to this version; for installations without `start`. */
export function describeMigrate(command: Command, config: Config): void {
  command.option('--json', 'print one JSON document instead of text').action(async (options: { json?: boolean }) => {
    if (config.DATABASE_URL === undefined)
      throw new InputError('DATABASE_URL is not set; `npx collective start` migrates its own database');
    const applied = await migrateDatabase(config.DATABASE_URL);
    if (config.EVALUATOR_DATABASE_URL !== undefined) await ensureRole(config.DATABASE_URL, config.EVALUATOR_DATABASE_URL);
    if (options.json === true) process.stdout.write(`${JSON.stringify({ applied })}\n`);
    else process.stdout.write(applied.length === 0 ? 'nothing to migrate\n' : `applied ${applied.join(', ')}\n`);
  });
}

async function ensureRole(ownerUrl: string, evaluatorUrl: string): Promise<void> {
  const wanted = new URL(evaluatorUrl);
  if (wanted.password === '') throw new InputError('EVALUATOR_DATABASE_URL: the role needs a password');
  const made = new URL(await ensureEvaluatorRole(ownerUrl, decodeURIComponent(wanted.password)));
  if (made.username !== wanted.username)
    throw new InputError(`EVALUATOR_DATABASE_URL: the role of this database is called ${made.username}`);
}
