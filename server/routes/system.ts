import { SystemView } from '../../contracts/api.ts';
import { paths } from '../../contracts/paths.ts';
import { Need, queueName } from '../../contracts/queue.ts';
import { samplesJudged } from '../../domain/samples.ts';
import { liveWorkers } from '../../domain/workers.ts';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';
import { problemReplies } from '../problem-replies.ts';

/** What an operator looks at first: workers, what waits, and how far the first start is. */
export async function systemRoutes(app: App, deps: ServerDeps): Promise<void> {
  const names = [queueName.screen, queueName.verify, ...Need.options.map((need) => queueName.evaluate(need))];
  const schema = {
    tags: ['operations'],
    summary: 'Version, workers, what waits in each queue, and how far the first start is',
    response: { 200: SystemView, ...problemReplies() },
  };
  app.get(paths.system, { schema }, async (request) => ({
    version: deps.version,
    firstStart: await samplesJudged(deps.db),
    queues: await Promise.all(names.map(async (name) => ({ name, waiting: await deps.queues.waiting(name) }))),
    workers: await liveWorkers(deps.db),
    account: request.actor?.name ?? null,
  }));
}
