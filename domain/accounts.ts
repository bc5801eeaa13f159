import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { Db } from './db/client.ts';
import { storableText } from './db/storable-text.ts';
import type { Installation } from './installation.ts';

export interface Account {
  id: string;
  name: string;
  kind: 'local' | 'sample';
}

const localName = 'local';
const tokenPrefix = 'collective_';

/**
 * The one account of this machine. Its token is derived from the installation's key, so that it can be printed at every
 * start; the database holds only its SHA-256 (a token of 256 random bits needs no slow hash). A new key means a new
 * token: the old one stops working.
 */
export async function ensureLocalAccount(
  db: Db,
  installation: Pick<Installation, 'sub'>,
): Promise<{ id: string; name: string; token: string }> {
  const token = `${tokenPrefix}${installation.sub('token of the local account')}`;
  const row = await db
    .insertInto('account')
    .values({ id: uuidv7(), name: localName, kind: 'local', token_hash: tokenHash(token) })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ token_hash: tokenHash(token) }))
    .returning(['id', 'name'])
    .executeTakeFirstOrThrow();
  return { ...row, token };
}

/** The account a bearer token belongs to. Looked up by hash: how long it takes tells nothing about the token. */
export async function authenticate(db: Db, token: string): Promise<Account | null> {
  const row = await db.selectFrom('account').select(['id', 'name', 'kind']).where('token_hash', '=', tokenHash(token)).executeTakeFirst();
  return row === undefined ? null : toAccount(row);
}

/** An account that owns a shipped sample and cannot sign in. Throws when the name is a person's. */
export async function ensureSampleAccount(db: Db, name: string): Promise<Account> {
  const stored = storableText(name).slice(0, 100);
  await db
    .insertInto('account')
    .values({ id: uuidv7(), name: stored, kind: 'sample', token_hash: null })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const row = await db.selectFrom('account').select(['id', 'name', 'kind']).where('name', '=', stored).executeTakeFirstOrThrow();
  if (row.kind !== 'sample') throw new Error(`the account "${stored}" belongs to a person and cannot own samples`);
  return toAccount(row);
}

const toAccount = (row: { id: string; name: string; kind: string }): Account => ({
  id: row.id,
  name: row.name,
  kind: row.kind as Account['kind'],
});
const tokenHash = (token: string): string => createHash('sha256').update(token).digest('hex');
