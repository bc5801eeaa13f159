import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import pLimit from 'p-limit';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { ensureSampleAccount } from '../domain/accounts.ts';
import { folderBlobs } from '../domain/blobs/blobs.ts';
import { publishRubric } from '../domain/challenges.ts';
import { openDatabase } from '../domain/db/client.ts';
import { startEmbedded } from '../domain/db/embedded.ts';
import { migrate } from '../domain/db/migrate.ts';
import { openInstallation } from '../domain/installation.ts';
import { openQueues } from '../domain/queue/backend.ts';
import { createSubmission } from '../domain/submissions.ts';
import { createGateway } from '../gateway/gateway.ts';
import { createProviders } from '../gateway/providers/create.ts';
import { compileCriteria, gradeCase } from '../rubrics/grade-case.ts';
import { loadRubric } from '../rubrics/load.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';
import { rubricInWords } from '../rubrics/words.ts';
import { doctorOf } from '../test/setup/machine.ts';
import { evaluateStage } from '../workers/evaluate.ts';
import { rubricCache } from '../workers/rubric-cache.ts';
import { screenStage } from '../workers/screen.ts';
import { writeScratchRubric } from './scratch-rubric.ts';

/**
 * Grading throughput: cases with three string graders each, every grade stored in PostgreSQL, against the floor of the
 * same graders in a plain loop that stores nothing. Both in one process, one after the other, medians of several rounds.
 * Figures and their meaning: bench/README.md.
 */
const cases = 1_000;
const concurrency = 32;
const rounds = 7;

const home = await mkdtemp(join(tmpdir(), 'collective-bench-'));
// Started by root, the database runs under another account, which must be able to pass through.
await chmod(home, 0o711);
const cluster = await startEmbedded({ folder: join(home, 'postgres'), log: () => {} });
try {
  await migrate(cluster.url);
  await bench();
} finally {
  await cluster.stop();
  await rm(home, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  const folder = join(home, 'rubric');
  const answers = await writeScratchRubric(folder, cases);
  const loaded = await loadRubric(folder);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  await using database = openDatabase(cluster.url, { maxConnections: 10, name: 'bench' });
  await using queues = await openQueues({ databaseUrl: cluster.url });
  const blobs = folderBlobs(join(home, 'blobs'));
  const installation = await openInstallation(home);
  await publish(loaded.rubric, database.db, blobs);
  const account = await ensureSampleAccount(database.db, 'bench');
  const deps = {
    workerId: uuidv7(),
    db: database.db,
    pool: database.pool,
    blobs,
    queues,
    rubrics: rubricCache(database.db, blobs),
    log: pino({ level: 'silent' }),
    gateway: createGateway(createProviders({})),
    sandboxes: [],
    doctor: doctorOf(),
  };
  const stored: Sample[] = [];
  const floor: Sample[] = [];
  const memory: Memory = { residentMb: 0, liveMb: [] };
  // The first round warms up code and cache and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const created = await createSubmission(database.db, blobs, installation, {
      account,
      slug: 'bench-strings',
      document: { kind: 'answers', answers },
    });
    if (!created.ok) throw new Error(created.message);
    await screenStage(created, deps);
    const sample = await measure(() => evaluateStage(created, deps, { need: 'none', stopping: new AbortController().signal }));
    const plain = await measure(() => plainLoop(loaded.rubric, answers));
    if (round > 0) {
      stored.push(sample);
      floor.push(plain);
    }
    memory.residentMb = Math.max(memory.residentMb, process.memoryUsage.rss() / 1e6);
    memory.liveMb.push(liveHeapMb());
    const { count } = await database.db
      .selectFrom('grade')
      .select((eb) => eb.fn.countAll<string>().as('count'))
      .where('evaluation_id', '=', created.evaluationId)
      .executeTakeFirstOrThrow();
    if (Number(count) !== cases * 3) throw new Error(`${count} of ${cases * 3} grades are stored`);
  }
  print(stored, floor, memory);
}

async function publish(
  rubric: LoadedRubric,
  db: Parameters<typeof publishRubric>[0],
  blobs: Parameters<typeof publishRubric>[1],
): Promise<void> {
  const counts = { public: cases, hidden: 0, holdout: 0 };
  const files = await Promise.all(
    rubric.files.map(async ({ path, sha256 }) => ({ path, sha256, bytes: await readFile(join(rubric.folder, path)) })),
  );
  const publicCases = rubric.cases.public.map((one) => ({ id: one.id, key: one.id, input: one.input }));
  await publishRubric(db, blobs, {
    rubric: rubric.rubric,
    hash: rubric.hash,
    readme: rubric.readme,
    files,
    counts,
    publicCases,
    words: rubricInWords(rubric.rubric, counts),
  });
}

/** The floor: the same compiled graders, nothing stored, nothing resumable. */
async function plainLoop(rubric: LoadedRubric, answers: Record<string, string>): Promise<void> {
  const criteria = compileCriteria(rubric);
  const limit = pLimit(concurrency);
  await limit.map([...rubric.cases.public], (one) =>
    gradeCase(
      criteria,
      {
        case: one,
        split: 'public',
        trial: 0,
        answer: answers[one.id],
        transcript: [],
        secrets: {},
        ask: () => Promise.reject(new Error('no model here')),
      },
      'answers',
    ),
  );
}

interface Sample {
  wallMs: number;
  cpuMs: number;
}

async function measure(work: () => Promise<void>): Promise<Sample> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const used = process.cpuUsage(cpu);
  return { wallMs: performance.now() - startedAt, cpuMs: (used.user + used.system) / 1000 };
}

interface Memory {
  /** Highest seen, before any collection was forced. */
  residentMb: number;
  /** Heap in use after a full collection, round by round: a leak would make it grow. */
  liveMb: number[];
}

function liveHeapMb(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed / 1e6;
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function print(stored: Sample[], floor: Sample[], { residentMb, liveMb }: Memory): void {
  const row = (name: string, samples: Sample[]) => {
    const wall = median(samples.map((one) => one.wallMs));
    const cpu = median(samples.map((one) => one.cpuMs));
    console.log(
      `${name.padEnd(28)} ${wall.toFixed(0).padStart(6)} ms  ${(cases / (wall / 1000)).toFixed(0).padStart(7)} cases/s  ${(cpu / cases).toFixed(3)} ms CPU/case`,
    );
    return wall;
  };
  console.log(`${cases} cases, 3 deterministic graders each, concurrency ${concurrency}, median of ${rounds} rounds`);
  const ours = row('all grades in PostgreSQL', stored);
  const plain = row('floor: plain loop, no store', floor);
  console.log(`ratio to the floor: ${(ours / plain).toFixed(1)}`);
  const [first = 0, last = 0] = [liveMb[1], liveMb.at(-1)];
  console.log(`heap in use after collection: ${first.toFixed(1)} MB after round 1, ${last.toFixed(1)} MB after round ${rounds}`);
  console.log(`highest resident memory: ${residentMb.toFixed(0)} MB`);
}
