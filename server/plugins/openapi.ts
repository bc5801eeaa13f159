import swagger from '@fastify/swagger';
import type { App } from '../app.ts';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { ServerDeps } from '../deps.ts';

/** Serves the OpenAPI 3.1 document that is made from the zod contracts. */
export async function installOpenApi(app: App, deps: ServerDeps): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'AI Safety Collective',
        version: deps.version,
        description:
          'Challenges, submissions, evaluations and standings. Errors are problem+json; lists are cursor pages; POST takes an Idempotency-Key.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'The token that the server prints at start.' } },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  app.get('/api/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(app.swagger())),
  );
}
