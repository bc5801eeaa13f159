import { z } from 'zod';
import { evaluateStage } from '../workers/evaluate.ts';
import { screenStage } from '../workers/screen.ts';
import { openWorker } from './stage-setup.ts';

/**
 * A process that does what a worker does for the given evaluations, one after another, and prints what that took:
 * one JSON line per evaluation, with the highest memory so far. Its start is not in the figures; it is printed apart.
 */
const Task = z.object({
  folder: z.string(),
  databaseUrl: z.string(),
  openaiBaseUrl: z.string().optional(),
  evaluationIds: z.array(z.string()),
});

const task = Task.parse(JSON.parse(process.argv[2] ?? '{}'));
const startMs = performance.now();
await using worker = await openWorker(task, task.openaiBaseUrl);
print({ startMs: Math.round(startMs) });
for (const evaluationId of task.evaluationIds) {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await screenStage({ evaluationId }, worker.deps);
  await evaluateStage({ evaluationId }, worker.deps, { need: 'none', stopping: new AbortController().signal });
  const used = process.cpuUsage(cpu);
  print({
    evaluationId,
    wallMs: performance.now() - startedAt,
    cpuMs: (used.user + used.system) / 1000,
    residentMb: process.resourceUsage().maxRSS / 1024,
  });
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
