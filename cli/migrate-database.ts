import { migrate } from '../domain/db/migrate.ts';
import { exitCodes, InputError } from './exit-codes.ts';

/** Migrates; a database that cannot be reached or refuses the account is told in one line, which never holds the address. */
export async function migrateDatabase(url: string): Promise<string[]> {
  try {
    return (await migrate(url)).applied;
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    // The network's and PostgreSQL's own errors carry a code; what has none is a fault of ours.
    if (typeof code !== 'string') throw error;
    throw new InputError(`the database (DATABASE_URL) cannot be used: ${message === '' ? code : message}`, exitCodes.error);
  }
}
