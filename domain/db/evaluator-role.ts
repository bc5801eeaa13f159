import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import pg from 'pg';

/*
 * A machine that runs strangers' programs must not be able to read ledger, accounts or keys, whatever escapes there. It
 * connects as a role that holds only what the migrations grant to `collective_evaluator`. That one cannot log in; each
 * database has a login role that is a member of it, because roles belong to the whole server and two installations on
 * one server would otherwise overwrite each other's password.
 */

export const evaluatorGroup = 'collective_evaluator';

/**
 * Makes the login role of this database, or gives it `password`, and returns the database's address under it.
 * The statement carries the SCRAM verifier, never the password, so no statement log can hold it.
 */
export async function ensureEvaluatorRole(ownerUrl: string, password: string): Promise<string> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'collective roles' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ database: string }>('select current_database() as database');
    const role = evaluatorRoleOf(rows[0]!.database);
    const secret = pg.escapeLiteral(scramVerifier(password));
    await client.query('begin');
    // Two starts at once: the second waits here, then only sets the password again.
    await client.query('select pg_advisory_xact_lock(hashtext($1))', [role]);
    const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [role]);
    await client.query(`${rowCount === 1 ? 'alter' : 'create'} role ${role} login password ${secret}`);
    await client.query(`grant ${evaluatorGroup} to ${role}`);
    await client.query('commit');
    const url = new URL(ownerUrl);
    url.username = role;
    url.password = password;
    return url.href;
  } finally {
    await client.end();
  }
}

/** Name of the login role that belongs to `database`; a database's name is not always a plain word, so it is hashed. */
export function evaluatorRoleOf(database: string): string {
  return `${evaluatorGroup}_${createHash('sha256').update(database).digest('hex').slice(0, 12)}`;
}

/** What PostgreSQL stores for SCRAM-SHA-256: RFC 5802, section 3, and RFC 7677. `password` must be ASCII (no SASLprep here). */
function scramVerifier(password: string): string {
  const iterations = 4096;
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const hmac = (label: string) => createHmac('sha256', salted).update(label).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`;
}
