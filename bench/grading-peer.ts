import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { compiledCode, workerFlags } from '../cli/child.ts';
import { ensureSampleAccount } from '../domain/accounts.ts';
import { openInstallation } from '../domain/installation.ts';
import { createSubmission } from '../domain/submissions.ts';
import { loadRubric } from '../rubrics/load.ts';
import { printMemory } from './grading-memory.ts';
import { printStarts } from './grading-start.ts';
import { writeCallRubric } from './peers/call-rubric.ts';
import { installPromptfoo, promptfooVersion, runPromptfoo, writePromptfooConfig } from './peers/promptfoo.ts';
import { type BenchHome, median, openHome, openWorker, publish } from './stage-setup.ts';

/**
 * Grading with calls to a model against promptfoo, in one run, with one mock model on loopback for both: the same
 * number of cases, one call and three string checks each, and once more with a question to a judge. Ours stores every
 * result, grade and call in PostgreSQL. Start-up is taken out of both: of the peer by a run with a single case. Each round is
 * a process of its own, so what is compiled and loaded at the first call is in the figures.
 */
const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    /** Folder that holds or gets the peer. */
    peer: { type: 'string', default: join(tmpdir(), 'collective-bench-peer') },
    /** Only how a worker's memory grows over 10,000 cases, and how long starts take; without the peer. */
    memory: { type: 'boolean', default: false },
  },
});
const cases = Number(values.cases);
const rounds = Number(values.rounds);
const concurrency = 32;
const Printed = z.object({ wallMs: z.number(), cpuMs: z.number(), residentMb: z.number() });

type Sample = z.infer<typeof Printed>;

await using home = await openHome();
console.log(`load before: ${loadavg()[0]?.toFixed(1)}`);
if (values.memory) {
  await printStarts(home);
  await printMemory(home);
} else {
  await compare(home);
}
console.log(`load after: ${loadavg()[0]?.toFixed(1)}`);

async function compare(home: BenchHome): Promise<void> {
  const entry = await installPromptfoo(values.peer);
  await using mock = await startMock();
  for (const judged of [false, true]) {
    const evaluations = await submitAll(home, judged);
    const [ours, warm, peer, idle]: [Sample[], Sample[], Sample[], Sample[]] = [[], [], [], []];
    const folder = join(home.folder, judged ? 'peer-judged' : 'peer-plain');
    const whole = await writePromptfooConfig(join(folder, 'whole'), { cases, judged, baseUrl: mock.baseUrl });
    const single = await writePromptfooConfig(join(folder, 'single'), { cases: 1, judged, baseUrl: mock.baseUrl });
    for (const pair of evaluations) {
      const [first, second] = await runWorker(home, pair, mock.baseUrl);
      ours.push(first);
      warm.push(second);
      peer.push(await runPromptfoo(entry, whole, join(folder, 'whole'), concurrency));
      idle.push(await runPromptfoo(entry, single, join(folder, 'single'), concurrency));
    }
    print(judged, ours, warm, peer, idle);
  }
}

async function startMock(): Promise<{ baseUrl: string } & AsyncDisposable> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'peers', 'mock-model.ts')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    baseUrl: line.toString('utf8').trim(),
    [Symbol.asyncDispose]: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/** Publishes the rubric and stores two submissions per round. */
async function submitAll(home: BenchHome, judged: boolean): Promise<[string, string][]> {
  const folder = join(home.folder, judged ? 'judged' : 'calls');
  const prompts = await writeCallRubric(folder, { cases, judged });
  const loaded = await loadRubric(folder);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  await using worker = await openWorker(home);
  const { deps } = worker;
  await publish(loaded.rubric, deps);
  const installation = await openInstallation(home.folder);
  const account = await ensureSampleAccount(deps.db, 'bench');
  const submitOne = async () => {
    const document = { kind: 'prompts' as const, prompts };
    const created = await createSubmission(deps.db, deps.blobs, installation, { account, slug: loaded.rubric.rubric.name, document });
    if (!created.ok) throw new Error(created.message);
    return created.evaluationId;
  };
  const pairs: [string, string][] = [];
  for (let round = 0; round < rounds; round++) pairs.push([await submitOne(), await submitOne()]);
  return pairs;
}

/** A worker process of its own for two evaluations, one after the other; checks that everything was stored and right. */
async function runWorker(home: BenchHome, evaluationIds: [string, string], openaiBaseUrl: string): Promise<[Sample, Sample]> {
  const task = { folder: home.folder, databaseUrl: home.databaseUrl, openaiBaseUrl, evaluationIds };
  const child = spawn(process.execPath, [...workerFlags, join(import.meta.dirname, 'grading-worker.ts'), JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: compiledCode },
  });
  const parts: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => parts.push(part));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the worker ended with ${code}`);
  const lines = Buffer.concat(parts).toString('utf8').trim().split('\n');
  for (const id of evaluationIds) await checkStored(home, id);
  const printed = lines.map((line) => Printed.safeParse(JSON.parse(line))).flatMap((one) => (one.success ? [one.data] : []));
  const [first, second] = printed;
  if (first === undefined || second === undefined) throw new Error('the worker did not say what it used');
  return [first, second];
}

async function checkStored(home: BenchHome, evaluationId: string): Promise<void> {
  await using worker = await openWorker(home);
  const graded = await worker.deps.db
    .selectFrom('grade')
    .select((eb) => [eb.fn.countAll<string>().as('all'), eb.fn.sum<string>('score').as('right')])
    .where('evaluation_id', '=', evaluationId)
    .executeTakeFirstOrThrow();
  if (Number(graded.all) < cases * 3 || Number(graded.right) !== Number(graded.all))
    throw new Error(`${graded.right} of ${graded.all} stored grades are right, ${cases} cases`);
}

function print(judged: boolean, ours: Sample[], warm: Sample[], peer: Sample[], idle: Sample[]): void {
  const of = (samples: Sample[], field: keyof Sample) => median(samples.map((sample) => sample[field]));
  const line = (name: string, wall: number, cpu: number, residentMb: number) =>
    console.log(
      `${name.padEnd(40)} ${(cases / (wall / 1000)).toFixed(0).padStart(6)} cases/s  ${(cpu / cases).toFixed(2).padStart(6)} ms CPU/case  ${residentMb.toFixed(0).padStart(4)} MB`,
    );
  console.log(`${cases} cases, 1 call and 3 string checks${judged ? ', 1 judge' : ''}, ${concurrency} side by side, medians of ${rounds}`);
  const [cpu, peerCpu] = [of(ours, 'cpuMs'), of(peer, 'cpuMs') - of(idle, 'cpuMs')];
  const [wall, peerWall] = [of(ours, 'wallMs'), of(peer, 'wallMs') - of(idle, 'wallMs')];
  line('ours, all grades in PostgreSQL', wall, cpu, of(ours, 'residentMb'));
  line('ours, second evaluation of the process', of(warm, 'wallMs'), of(warm, 'cpuMs'), of(warm, 'residentMb'));
  line(`promptfoo ${promptfooVersion}, less its start`, peerWall, peerCpu, of(peer, 'residentMb'));
  console.log(`ratio: ${(peerCpu / cpu).toFixed(1)} times the CPU per case, ${(peerWall / wall).toFixed(1)} times the wall time`);
}
