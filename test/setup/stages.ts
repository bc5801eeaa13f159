import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { caseKey } from '../../contracts/rubric.ts';
import { queueName } from '../../contracts/queue.ts';
import type { SubmissionDocument } from '../../contracts/submission.ts';
import { ensureSampleAccount } from '../../domain/accounts.ts';
import type { Blobs } from '../../domain/blobs/blobs.ts';
import { storedBlobs } from '../../domain/blobs/stored.ts';
import { publishRubric } from '../../domain/challenges.ts';
import type { Db } from '../../domain/db/client.ts';
import { openQueues, type QueueOptions, type Queues } from '../../domain/queue/backend.ts';
import { createSubmission } from '../../domain/submissions.ts';
import { judgeMoney } from '../../rubrics/calibration/judge-money.ts';
import { rubricFromFiles } from '../../rubrics/load.ts';
import type { LoadedRubric } from '../../rubrics/rubric.ts';
import { rubricInWords } from '../../rubrics/words.ts';
import type { EvaluatorDeps } from '../../workers/deps.ts';
import { rubricCache } from '../../workers/rubric-cache.ts';
import { startStages, type StageOptions } from '../../workers/stages.ts';
import { sweep } from '../../workers/sweep.ts';
import { parrot, scriptedGateway } from './evaluation.ts';
import { doctorOf } from './machine.ts';
import { installation, rowOf } from './records.ts';
import { bytesOf } from './rubrics.ts';
import { until } from './until.ts';
import type { TestDatabase } from './with-database.ts';

/** Publishes a rubric given as files, as a sponsor's client would. */
export async function publishFiles(db: Db, blobs: Blobs, files: Record<string, string>): Promise<LoadedRubric> {
  const bytes = bytesOf(files);
  const loaded = rubricFromFiles(bytes, '/nowhere');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const { rubric } = loaded;
  const counts = { public: rubric.cases.public.length, hidden: rubric.cases.hidden.length, holdout: rubric.cases.holdout.length };
  await publishRubric(db, blobs, {
    rubric: rubric.rubric,
    hash: rubric.hash,
    readme: rubric.readme,
    files: [...bytes].map(([path, content]) => ({ path, bytes: content, sha256: createHash('sha256').update(content).digest('hex') })),
    counts,
    publicCases: rubric.cases.public.map((one) => ({ id: one.id, key: caseKey(one), input: one.input })),
    words: rubricInWords(rubric.rubric, counts),
    judgeMoney: judgeMoney(rubric.rubric, (path) => bytes.get(path)),
  });
  return rubric;
}

export interface House extends AsyncDisposable {
  db: Db;
  blobs: Blobs;
  queues: Queues;
  folder: string;
  publish(files: Record<string, string>): Promise<LoadedRubric>;
  /** Stores a submission and sends it to screening; gives the evaluation's id. */
  submit(slug: string, document: SubmissionDocument, options?: { phase?: string; participant?: string }): Promise<string>;
  deps(changes?: Partial<EvaluatorDeps>): EvaluatorDeps;
  /** Starts stages in this process; disposed with the house if not before. */
  start(changes?: Partial<EvaluatorDeps>, options?: Partial<StageOptions>): Promise<AsyncDisposable>;
  /** Waits until the evaluation is done or parked. The waits between attempts are cut short. */
  settled(evaluationId: string, timeoutMs?: number): ReturnType<typeof rowOf>;
}

/** Everything the workers need, on a database of the test's own and a folder that is removed. */
export async function openHouse(database: TestDatabase, queueOptions: Partial<QueueOptions> = {}): Promise<House> {
  const folder = await mkdtemp(join(tmpdir(), 'collective-house-'));
  const blobs = storedBlobs(database.db, join(folder, 'blobs'));
  const queues = await openQueues({ databaseUrl: database.url, ...queueOptions });
  const resources = new AsyncDisposableStack();
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  resources.use(queues);
  const { db, pool } = database;
  const house: House = {
    db,
    blobs,
    queues,
    folder,
    publish: (files) => publishFiles(db, blobs, files),
    submit: async (slug, document, { phase, participant = 'somebody' } = {}) => {
      const account = await ensureSampleAccount(db, participant);
      const created = await createSubmission(db, blobs, installation, { account, slug, phase, document });
      if (!created.ok) throw new Error(created.message);
      await queues.publish(queueName.screen, { evaluationId: created.evaluationId });
      return created.evaluationId;
    },
    deps: (changes = {}) => ({
      workerId: uuidv7(),
      db,
      pool,
      blobs,
      queues,
      rubrics: rubricCache(db, blobs),
      log: pino({ level: 'silent' }),
      gateway: scriptedGateway(parrot),
      sandboxes: [],
      doctor: doctorOf(),
      ...changes,
    }),
    start: async (changes = {}, options = {}) => {
      const stages = await startStages({
        stages: ['screen', 'evaluate', 'verify'],
        concurrency: 2,
        name: 'test',
        installation: null,
        library: '',
        deps: house.deps(changes),
        ...options,
      });
      const once = { [Symbol.asyncDispose]: oneTime(() => stages[Symbol.asyncDispose]()) };
      return resources.use(once);
    },
    settled: async (evaluationId, timeoutMs = 20_000) => {
      await until(
        `evaluation ${evaluationId} is settled`,
        async () => {
          const row = await rowOf(db, evaluationId);
          if (row.status === 'done' || row.status === 'parked') return true;
          if (row.next_attempt_at !== null) {
            // Only while it still waits: a sweep of somebody else may have sent it already.
            await db
              .updateTable('evaluation')
              .set({ next_attempt_at: sql`clock_timestamp()` })
              .where('id', '=', evaluationId)
              .where('next_attempt_at', 'is not', null)
              .execute();
            await sweep({ db, queues, log: pino({ level: 'silent' }) });
          }
          return false;
        },
        timeoutMs,
      );
      return rowOf(db, evaluationId);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
  return house;
}

function oneTime(work: () => PromiseLike<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= Promise.resolve(work());
    return done;
  };
}
