import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { openDatabase } from '../domain/db/client.ts';
import { buildApp } from '../server/app.ts';

/**
 * The OpenAPI document as the server gives it, as text. No request reaches a route, so nothing is connected: a pool
 * connects at its first query, and whatever else a route would call says that it is not there.
 */
export async function openApiDocument(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as { version: string };
  const absent = () => {
    throw new Error('the document is made without a database, queues and blobs');
  };
  await using database = openDatabase('postgresql://127.0.0.1:1/none', { maxConnections: 1, name: 'openapi document' });
  const app = await buildApp({
    db: database.db,
    blobs: { put: absent, putSmall: absent, get: absent },
    queues: { publish: absent, waiting: absent },
    events: { subscribe: absent },
    // The name of the session cookie is made from it, which the document does not tell.
    passStands: () => Promise.resolve(false),
    installation: { sub: (label) => label },
    log: pino({ level: 'silent' }),
    pages: null,
    version,
    hostNames: [],
    publicUrl: null,
  });
  try {
    const reply = await app.inject({ method: 'GET', url: '/api/openapi.json' });
    if (reply.statusCode !== 200) throw new Error(`the server answered ${reply.statusCode}: ${reply.body}`);
    return `${JSON.stringify(JSON.parse(reply.body), null, 2)}\n`;
  } finally {
    await app.close();
  }
}
