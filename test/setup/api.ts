import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect } from 'vitest';
import { Problem } from '../../contracts/api.ts';
import { caseKey } from '../../contracts/rubric.ts';
import { passStandsNow } from '../../cli/pass-stands.ts';
import { ensureLocalAccount } from '../../domain/accounts.ts';
import { storedBlobs } from '../../domain/blobs/stored.ts';
import { publishRubric } from '../../domain/challenges.ts';
import { listenForEvents } from '../../domain/events/listen.ts';
import { openInstallation } from '../../domain/installation.ts';
import { openQueues } from '../../domain/queue/backend.ts';
import { rubricFromFiles } from '../../rubrics/load.ts';
import { rubricInWords } from '../../rubrics/words.ts';
import { type App, buildApp } from '../../server/app.ts';
import type { ServerDeps } from '../../server/deps.ts';
import { bytesOf } from './rubrics.ts';
import { type TestDatabase, testDatabase } from './with-database.ts';

/** The real server on a database of its own; nothing of it is replaced unless a test says so. */
export interface Api extends AsyncDisposable {
  app: App;
  deps: ServerDeps;
  database: TestDatabase;
  account: { id: string; name: string; token: string };
  /** Header of the local account. */
  bearer: { authorization: string };
  /** Every line the server has logged so far. */
  log: string[];
  /** A further server on the same records with some dependencies changed. */
  another(changes: Partial<ServerDeps>): Promise<App>;
}

export const indexHtml = '<!doctype html><title>pages of the test</title>';

export async function startApi(): Promise<Api> {
  await using starting = new AsyncDisposableStack();
  const database = starting.use(await testDatabase({ maxConnections: 12 }));
  const folder = await mkdtemp(join(tmpdir(), 'collective-api-'));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  // "assets" above the root too: it must not make every page look as if its name carried a hash.
  const pages = join(folder, 'assets', 'pages');
  await mkdir(join(pages, 'assets'), { recursive: true });
  await writeFile(join(pages, 'index.html'), indexHtml);
  await writeFile(join(pages, 'assets', 'main-0a1b2c3d.js'), 'export {};');
  const installation = await openInstallation(folder);
  const account = await ensureLocalAccount(database.db, installation);
  const log: string[] = [];
  const deps: ServerDeps = {
    db: database.db,
    blobs: storedBlobs(database.db, join(folder, 'blobs')),
    queues: starting.use(await openQueues({ databaseUrl: database.url })),
    events: starting.use(await listenForEvents(database.url)),
    passStands: passStandsNow,
    installation,
    log: pino({ level: 'trace' }, { write: (line: string) => void log.push(line) }),
    pages,
    version: '0.0.0-test',
    hostNames: ['localhost', '127.0.0.1', '[::1]'],
    publicUrl: null,
  };
  const app = await buildApp(deps);
  starting.defer(() => app.close());
  const running = starting.move();
  return {
    app,
    deps,
    database,
    account,
    bearer: { authorization: `Bearer ${account.token}` },
    log,
    another: async (changes) => {
      const made = await buildApp({ ...deps, ...changes });
      running.defer(() => made.close());
      return made;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Publishes a rubric from its texts; returns its name. */
export const publishFiles = (api: Api, files: Readonly<Record<string, string>>): Promise<string> => publishBytes(api, bytesOf(files));

/** Publishes a rubric from its files as the library loader does; returns its name. */
export async function publishBytes({ deps }: Api, files: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const loaded = rubricFromFiles(files, 'in memory');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const { rubric, hash, readme, files: list, cases } = loaded.rubric;
  const counts = { public: cases.public.length, hidden: cases.hidden.length, holdout: cases.holdout.length };
  await publishRubric(deps.db, deps.blobs, {
    rubric,
    hash,
    readme,
    files: list.map(({ path, sha256 }) => ({ path, sha256, bytes: loaded.bytes.get(path)! })),
    counts,
    publicCases: cases.public.map((one) => ({ id: one.id, key: caseKey(one), input: one.input })),
    words: rubricInWords(rubric, counts),
  });
  return rubric.name;
}

/** A rubric that takes every kind of submission. */
export const everyKindFiles: Readonly<Record<string, string>> = {
  'rubric.yaml': `format: 1
name: every-kind
title: Every kind of submission
summary: Takes answers, prompts, a defence or a program.
tags: [kinds]
riskTier: low
submission:
  - { kind: answers, schema: { type: string } }
  - { kind: prompts }
  - { kind: defence }
  - { kind: program, schema: { type: string } }
sandbox: { profiles: [js, python] }
targets: [{ name: parrot, provider: simulated, model: cautious-assistant }]
budget: { calls: 10, inputTokens: 1000, outputTokens: 1000, costMicros: 0 }
cases: { public: cases/public.jsonl }
phases:
  - { name: open, title: Open, splits: [public] }
  - { name: second, title: Second, splits: [public] }
criteria:
  - { name: right, title: Right, grader: { kind: equals, of: answer, to: expected } }
metrics:
  - { name: accuracy, title: Accuracy, kind: mean, of: case-score }
score: accuracy
pass: { threshold: 0.5 }
`,
  'README.md': '# Every kind\n',
  'cases/public.jsonl': '{"id":"one","input":{"prompt":"say one"},"expected":"one"}\n',
};

interface Reply {
  statusCode: number;
  headers: Record<string, unknown>;
  body: string;
}

/** Checks that a reply is a problem of this code and shape; returns it. */
export function problemOf(reply: Reply, status: number, code: string): Problem {
  expect({ status: reply.statusCode, body: reply.body }).toMatchObject({ status, body: expect.stringContaining(`"code":"${code}"`) });
  expect(reply.headers['content-type']).toBe('application/problem+json');
  const problem = Problem.strict().parse(JSON.parse(reply.body));
  expect(problem).toMatchObject({ status, code, type: `urn:collective:problem:${code}` });
  expect(problem.advice).not.toBe('');
  return problem;
}
