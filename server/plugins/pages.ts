import { relative, sep } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';

/** Serves the built pages; the addresses of the single page's own routes are that page. */
export async function installPages(app: App, deps: Pick<ServerDeps, 'pages'>): Promise<void> {
  const root = deps.pages;
  if (root === null) return;
  await app.register(fastifyStatic, {
    root,
    // Looked up at each request: a list made at start would serve blank pages after a rebuild.
    wildcard: true,
    index: false,
    // The build's own manifest lies in a hidden folder and is nobody's business.
    dotfiles: 'ignore',
    setHeaders: (reply, path) => {
      // Names under assets/ carry a content hash; everything else must be asked for again.
      const isHashed = relative(root, path).startsWith(`assets${sep}`);
      reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  const page = async (_request: FastifyRequest, reply: FastifyReply) => reply.sendFile('index.html');
  for (const path of ['/', '/challenges', '/challenges/:slug', '/submissions', '/submissions/:id', '/status']) {
    app.get(path, { schema: { hide: true } }, page);
  }
}
