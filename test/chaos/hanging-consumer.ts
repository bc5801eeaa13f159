import { openQueues } from '../../domain/queue/backend.ts';

/** Takes one message, says so on stdout and never ends: to be killed by a test. Argument: JSON of QueueOptions. */
const queues = await openQueues(JSON.parse(process.argv[2] ?? '{}'));
await queues.consume('evaluate-js', 1, async ({ evaluationId }) => {
  process.stdout.write(`${evaluationId}\n`);
  await new Promise(() => undefined);
});
