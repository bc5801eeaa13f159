import fastifyStatic from '@fastify/static';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';

/** Serves the built pages; every address that is not a file or an API path is the single page. */
export async function installPages(app: App, deps: ServerDeps): Promise<void> {
  if (deps.pages === null) return;
  await app.register(fastifyStatic, {
    root: deps.pages,
    wildcard: false,
    index: false,
    setHeaders: (reply, path) => {
      // Names under assets/ carry a content hash; everything else must be asked for again.
      const isHashed = path.includes('/assets/');
      reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  const page = async (_request: unknown, reply: import('fastify').FastifyReply) => reply.sendFile('index.html');
  for (const path of ['/', '/challenges', '/challenges/:slug', '/submissions', '/submissions/:id', '/status']) {
    app.get(path, { schema: { hide: true } }, page);
  }
}
