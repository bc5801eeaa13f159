import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openDatabase } from '../domain/db/client.ts';
import { startEmbedded } from '../domain/db/embedded.ts';
import { migrate } from '../domain/db/migrate.ts';
import type { DockerDriver } from '../sandboxes/docker/driver.ts';
import { wordCases, wordFiles } from '../test/setup/evaluation.ts';
import { type House, openHouse } from '../test/setup/stages.ts';
import { type BenchSetup, median, mebibyte, quantile, type Row, timed } from './sandbox-setup.ts';

/**
 * From a submission that is stored and queued to its verdict, on a real database and queue, all stages in this process:
 * screening, one case in a sandbox of its own, grading, verification, verdict. With a pool and without.
 */
const program = { kind: 'program', language: 'python', source: 'def solve(task, target):\n    return "word-" + task["id"]\n' } as const;
const files = wordFiles({ sandbox: { profiles: ['python'] } }, { public: wordCases('p', 1) });
const askMs = 2;
const part = 'verdict';

export async function benchVerdict(setup: BenchSetup, { warm, cold }: { warm: number; cold: number }): Promise<Row[]> {
  await using stack = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), 'bench-verdict-'));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  // Started by root, the database runs under another account, which must be able to pass through.
  await chmod(home, 0o711);
  const cluster = await startEmbedded({ folder: join(home, 'postgres'), log: () => {} });
  stack.defer(() => cluster.stop());
  await migrate(cluster.url);
  const database = stack.use(openDatabase(cluster.url, { maxConnections: 12, name: 'bench' }));
  const house = stack.use(await openHouse({ url: cluster.url, name: 'bench', ...database }));
  await house.publish(files);
  const pooled = await judged(house, setup.driver({ poolBytes: 256 * mebibyte }), warm);
  const fresh = await judged(house, setup.driver({ poolBytes: 0 }), cold);
  return [
    { part, what: 'queued to verdict, warm pool, p50', value: median(pooled), unit: 'ms', target: { most: 100 } },
    { part, what: 'queued to verdict, warm pool, p99', value: quantile(pooled, 0.99), unit: 'ms' },
    { part, what: 'queued to verdict, cold, p50', value: median(fresh), unit: 'ms', target: { most: 400 } },
  ];
}

async function judged(house: House, given: DockerDriver, count: number): Promise<number[]> {
  await using driver = given;
  await using _stages = await house.start({ sandboxes: [driver] });
  const times: number[] = [];
  for (let i = -4; i < count; i++) {
    const participant = `participant ${randomBytes(4).toString('hex')}`;
    const ms = await timed(async () => {
      await verdictOf(house, await house.submit('say-the-word', program, { phase: 'open', participant }));
    });
    if (i >= 0) times.push(ms);
    // Time for the pool to make the next one, as between jobs of a worker that is not full.
    await pause(300);
  }
  return times;
}

async function verdictOf({ db }: House, id: string): Promise<void> {
  for (;;) {
    const row = await db.selectFrom('evaluation').select(['status', 'outcome']).where('id', '=', id).executeTakeFirstOrThrow();
    if (row.status === 'done' && row.outcome === 'pass') return;
    if (row.status === 'done' || row.status === 'parked') throw new Error(`an evaluation of the bench ended ${row.status} ${row.outcome}`);
    await pause(askMs);
  }
}
