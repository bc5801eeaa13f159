import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { queueName } from '../contracts/queue.ts';
import { ensureSampleAccount } from '../domain/accounts.ts';
import { openInstallation } from '../domain/installation.ts';
import { openQueues } from '../domain/queue/backend.ts';
import { createSubmission } from '../domain/submissions.ts';
import { loadRubric } from '../rubrics/load.ts';
import { startRealWorker } from './real-worker.ts';
import { writeScratchRubric } from './scratch-rubric.ts';
import { type BenchHome, openWorker, publish } from './stage-setup.ts';

/** Memory of a worker process that grades one submission of 10,000 cases, three string graders each, at the marks. */
const cases = 10_000;
const marks = [1_000, 5_000, 10_000];

export async function printMemory(home: BenchHome): Promise<void> {
  const folder = join(home.folder, 'many');
  const answers = await writeScratchRubric(folder, cases);
  const loaded = await loadRubric(folder);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  await using bench = await openWorker(home);
  await using queues = await openQueues({ databaseUrl: home.databaseUrl });
  const { db, blobs } = bench.deps;
  await publish(loaded.rubric, bench.deps);
  const account = await ensureSampleAccount(db, 'bench');
  const document = { kind: 'answers' as const, answers };
  const installation = await openInstallation(home.folder);
  await using worker = await startRealWorker(home, 'screen,evaluate');
  console.log(`worker with nothing to do: ${(await worker.memory()).nowMb.toFixed(0)} MB`);
  // The second submission finds the code compiled and the rubric loaded: what it adds to the first is what a case leaves behind.
  for (const round of ['first', 'second']) {
    const created = await createSubmission(db, blobs, installation, { account, slug: loaded.rubric.rubric.name, document });
    if (!created.ok) throw new Error(created.message);
    await queues.publish(queueName.screen, { evaluationId: created.evaluationId });
    for (const mark of marks) {
      await untilGraded(mark, created.evaluationId);
      const { nowMb, highestMb } = await worker.memory();
      console.log(`${round} submission, after ${mark} cases: ${nowMb.toFixed(0)} MB, highest so far ${highestMb.toFixed(0)} MB`);
    }
  }

  async function untilGraded(count: number, id: string): Promise<void> {
    for (;;) {
      const row = await db
        .selectFrom('evaluation')
        .select(['progress_done', 'status', 'reason'])
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      if (row.status === 'verifying' || (row.progress_done >= count && count < cases)) return;
      if (row.status === 'parked' || row.status === 'done') throw new Error(JSON.stringify(row.reason));
      await pause(10);
    }
  }
}
