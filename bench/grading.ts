import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import pLimit from 'p-limit';
import { ensureSampleAccount } from '../domain/accounts.ts';
import { openInstallation } from '../domain/installation.ts';
import { createSubmission } from '../domain/submissions.ts';
import { compileCriteria, gradeCase } from '../rubrics/grade-case.ts';
import { loadRubric } from '../rubrics/load.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';
import { gradingContext } from '../test/setup/rubrics.ts';
import { evaluateStage } from '../workers/evaluate.ts';
import { screenStage } from '../workers/screen.ts';
import { writeScratchRubric } from './scratch-rubric.ts';
import { type BenchHome, median, openHome, openWorker, publish } from './stage-setup.ts';

/**
 * Grading throughput: cases with three string graders each, every grade stored in PostgreSQL, against the floor of the
 * same graders in a plain loop that stores nothing. Both in one process, one after the other, medians of several rounds.
 * Figures and their meaning: bench/README.md.
 */
const cases = 1_000;
const concurrency = 32;
const rounds = 7;

await using home = await openHome();
await bench(home);

async function bench(home: BenchHome): Promise<void> {
  const folder = join(home.folder, 'rubric');
  const answers = await writeScratchRubric(folder, cases);
  const loaded = await loadRubric(folder);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  await using worker = await openWorker(home);
  const { deps } = worker;
  const installation = await openInstallation(home.folder);
  await publish(loaded.rubric, deps);
  const account = await ensureSampleAccount(deps.db, 'bench');
  const stored: Sample[] = [];
  const floor: Sample[] = [];
  const memory: Memory = { residentMb: 0, liveMb: [] };
  // The first round warms up code and cache and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const created = await createSubmission(deps.db, deps.blobs, installation, {
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
    const { count } = await deps.db
      .selectFrom('grade')
      .select((eb) => eb.fn.countAll<string>().as('count'))
      .where('evaluation_id', '=', created.evaluationId)
      .executeTakeFirstOrThrow();
    if (Number(count) !== cases * 3) throw new Error(`${count} of ${cases * 3} grades are stored`);
  }
  print(stored, floor, memory);
}

/** The floor: the same compiled graders, nothing stored, nothing resumable. */
async function plainLoop(rubric: LoadedRubric, answers: Record<string, string>): Promise<void> {
  const criteria = compileCriteria(rubric);
  const limit = pLimit(concurrency);
  await limit.map([...rubric.cases.public], (one) =>
    gradeCase(criteria, gradingContext({ case: one, answer: answers[one.id] }), 'answers'),
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
