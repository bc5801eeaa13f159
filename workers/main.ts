import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { type Config, readConfig } from '../contracts/config.ts';
import { storedBlobs } from '../domain/blobs/stored.ts';
import { openDatabase } from '../domain/db/client.ts';
import { databaseTime } from '../domain/workers.ts';
import { openInstallation } from '../domain/installation.ts';
import { openQueues } from '../domain/queue/backend.ts';
import { createGateway } from '../gateway/gateway.ts';
import { providersOf } from '../gateway/providers/create.ts';
import { diagnose, engineVersionOf } from '../sandboxes/doctor.ts';
import { whenToldToStop } from './lifetime.ts';
import { rubricCache } from './rubric-cache.ts';
import { keepDoctor } from './doctor-keeper.ts';
import { dockerSetting, drivers } from './sandbox-drivers.ts';
import { startStages } from './stages.ts';

const parsed = readConfig(process.env);
if (!parsed.ok) {
  for (const problem of parsed.problems) process.stderr.write(`configuration: ${problem}\n`);
  process.exit(78);
}
await main(parsed.config);

/** Reads the configuration, builds what the stages need, runs them until told to stop. */
async function main(config: Config): Promise<void> {
  const workerId = uuidv7();
  const log = pino({ level: config.LOG_LEVEL, base: { part: 'worker', stages: config.WORKER_STAGES.join(',') } });
  const databaseUrl = config.DATABASE_URL;
  if (databaseUrl === undefined) {
    process.stderr.write('configuration: DATABASE_URL: a worker needs the address of the database; `collective start` sets it\n');
    process.exit(78);
  }
  const home = config.COLLECTIVE_HOME;
  await mkdir(home, { recursive: true, mode: 0o711 });
  await using database = openDatabase(databaseUrl, {
    maxConnections: 8 + config.WORKER_CONCURRENCY,
    name: `worker ${config.WORKER_STAGES.join(',')}`,
  });
  await using queues = await openQueues({
    databaseUrl,
    redisUrl: config.REDIS_URL,
    onError: (error, where) => log.warn({ err: error, where }, 'queue'),
  });
  const blobs = storedBlobs(database.db, join(home, 'blobs'));
  const evaluates = config.WORKER_STAGES.includes('evaluate');
  const docker = await dockerSetting({ home, workerId, config, onProblem: (problem) => log.warn(problem) });
  await using sandboxes = drivers(docker);
  await using _stages = await startStages({
    stages: config.WORKER_STAGES,
    concurrency: config.WORKER_CONCURRENCY,
    name: hostname(),
    // The key that seeds are drawn from never enters a process that only runs strangers' code.
    installation: config.WORKER_STAGES.includes('library') ? await openInstallation(home) : null,
    library: join(import.meta.dirname, '..', 'rubrics', 'library'),
    deps: {
      workerId,
      db: database.db,
      pool: database.pool,
      blobs,
      queues,
      rubrics: rubricCache(database.db, blobs),
      log,
      gateway: createGateway(providersOf(config)),
      sandboxes: evaluates ? sandboxes.all : [],
      doctor: keepDoctor({
        examine: (signal) => diagnose({ ...docker, home, databaseTime: () => databaseTime(database.db), signal }),
        engineVersion: () => engineVersionOf(docker),
        accepted: config.ACCEPTED_SANDBOX_RISKS,
        log,
      }),
    },
  });
  log.info({ workerId }, 'worker is ready');
  process.send?.({ kind: 'ready' });
  await whenToldToStop();
  log.info('worker is stopping: running evaluations are handed back');
}
