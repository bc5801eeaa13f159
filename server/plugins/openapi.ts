import swagger from '@fastify/swagger';
import type { App } from '../app.ts';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { ServerDeps } from '../deps.ts';

/** Serves the OpenAPI 3.1 document that is made from the zod contracts. */
export async function installOpenApi(app: App, deps: Pick<ServerDeps, 'version'>): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'AI Safety Collective',
        version: deps.version,
        description:
          'Challenges, submissions, evaluations and standings. Errors are problem+json (RFC 9457) and say whose fault it is and what to do; lists are cursor pages; submitting takes an Idempotency-Key.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: [
        { name: 'challenges', description: 'What can be solved, and by which rubric it is judged' },
        { name: 'submissions', description: 'Immutable, addressed by content' },
        { name: 'evaluations', description: 'One submission against one rubric version' },
        { name: 'standings', description: 'Rankings' },
        { name: 'regradings', description: 'Evaluations graded again by a newer version: for whoever runs this server' },
        { name: 'judge audits', description: 'What people say of the grades that judges gave: for whoever runs this server' },
        { name: 'session', description: 'Sign-in of the pages' },
        { name: 'operations', description: 'For whoever runs this server' },
      ],
      components: {
        securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'The token that the server prints at start.' } },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => withoutUnused(withUpload(jsonSchemaTransformObject(document))),
  });
  let text: string | undefined;
  app.get('/api/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    // The routes do not change any more; made once.
    text ??= JSON.stringify(app.swagger());
    return reply.type('application/json').send(text);
  });
}

type Document = ReturnType<typeof jsonSchemaTransformObject>;

/** The form that `server/upload.ts` reads: fastify validates one body schema per route, this one has a second form. */
const uploadForm = {
  schema: {
    type: 'object',
    required: ['file'],
    additionalProperties: false,
    properties: {
      file: { type: 'string', contentMediaType: 'application/octet-stream', description: 'One .json, .js, .mjs, .py, .txt or .md file' },
      title: { type: 'string', maxLength: 200, description: 'The file name when absent' },
      phase: { type: 'string', maxLength: 64, description: "The challenge's first phase when absent" },
    },
  },
} as const;

function withUpload(document: Document): Document {
  if (!('paths' in document) || document.paths === undefined) return document;
  for (const [path, item] of Object.entries(document.paths)) {
    const body = path.endsWith('/submissions') ? item?.post?.requestBody : undefined;
    if (body !== undefined && 'content' in body) body.content['multipart/form-data'] = uploadForm;
  }
  return document;
}

const componentPrefix = '#/components/schemas/';

/** Every contract is made in two forms, as sent and as answered; most are only ever one of them. */
function withoutUnused(document: Document): Document {
  if (!('components' in document)) return document;
  const schemas = document.components?.schemas;
  if (schemas === undefined) return document;
  const used = new Set<string>();
  const follow = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    for (const [key, inner] of Object.entries(value)) {
      if (key !== '$ref' || typeof inner !== 'string' || !inner.startsWith(componentPrefix)) follow(inner);
      else if (!used.has(inner)) {
        used.add(inner);
        follow(schemas[inner.slice(componentPrefix.length)]);
      }
    }
  };
  follow(document.paths);
  for (const name of Object.keys(schemas)) if (!used.has(componentPrefix + name)) delete schemas[name];
  return document;
}
