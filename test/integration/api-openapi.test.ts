import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openApiDocument } from '../../scripts/openapi-document.ts';

interface Media {
  schema: object;
}
interface Operation {
  summary?: string;
  tags?: string[];
  security?: object[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { description: string; content?: Record<string, Media> }>;
  parameters?: { in: string; name: string; required: boolean }[];
}
interface Document {
  openapi: string;
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: Record<string, object> };
}

let text: string;
let document: Document;
let operations: [string, Operation][];
beforeAll(async () => {
  text = await openApiDocument();
  document = JSON.parse(text) as Document;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [`${method.toUpperCase()} ${path}`, operation]),
  );
});

function refsIn(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === '$ref' ? [String(inner)] : refsIn(inner)));
}

describe('the OpenAPI document', () => {
  it('is 3.1 and has every route of the API, and no other', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(operations.map(([name]) => name).toSorted()).toEqual([
      'DELETE /api/session',
      'GET /api/challenges',
      'GET /api/challenges/{slug}',
      'GET /api/challenges/{slug}/regradings',
      'GET /api/challenges/{slug}/rubric',
      'GET /api/challenges/{slug}/standings',
      'GET /api/evaluations/{id}',
      'GET /api/evaluations/{id}/cases',
      'GET /api/evaluations/{id}/cases/{caseId}/{trial}',
      'GET /api/evaluations/{id}/cases/{caseId}/{trial}/artifacts/{index}',
      'GET /api/evaluations/{id}/events',
      'GET /api/evaluations/{id}/judge-audits',
      'GET /api/regradings/{id}',
      'GET /api/regradings/{id}/items',
      'GET /api/submissions',
      'GET /api/submissions/{id}',
      'GET /api/system',
      'GET /healthz',
      'GET /readyz',
      'POST /api/challenges/{slug}/submissions',
      'POST /api/evaluations/{id}/judge-audits',
      'POST /api/regradings/{id}/apply',
      'POST /api/session',
      'POST /api/submissions/{id}/cancel',
    ]);
  });

  it('resolves every reference inside itself, and has no schema that nothing uses', () => {
    const refs = new Set(refsIn(document));
    for (const ref of refs) {
      const found = ref
        .replace(/^#\//, '')
        .split('/')
        .reduce<unknown>(
          (at, key) => (at as Record<string, unknown> | undefined)?.[key.replaceAll('~1', '/').replaceAll('~0', '~')],
          document,
        );
      expect(found, ref).toBeTypeOf('object');
    }
    for (const name of Object.keys(document.components.schemas)) expect(refs).toContain(`#/components/schemas/${name}`);
  });

  it('gives every route one known tag, a summary, path parameters, and a schema for each success', () => {
    const tags = new Set(document.tags.map((tag) => tag.name));
    for (const [name, operation] of operations) {
      expect(operation.summary, name).toMatch(/\w{3}/);
      expect(operation.tags, name).toHaveLength(1);
      expect(tags).toContain(operation.tags?.[0]);
      const inPath = [...name.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      expect((operation.parameters ?? []).filter((one) => one.in === 'path' && one.required).map((one) => one.name)).toEqual(inPath);
      for (const [status, reply] of Object.entries(operation.responses).filter(([status]) => status < '300')) {
        expect(reply.content === undefined, `${name} ${status}`).toBe(status === '204');
      }
    }
  });

  it('says of every failure that it is a problem, and of every route which there may be', () => {
    for (const [name, operation] of operations) {
      const failures = Object.entries(operation.responses).filter(([status]) => status >= '400');
      for (const status of ['400', '403', '429', '500']) expect(Object.keys(operation.responses), name).toContain(status);
      for (const [status, reply] of failures) {
        expect(reply.content, `${name} ${status}`).toEqual({
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        });
        expect(reply.description).not.toMatch(/default/i);
      }
    }
  });

  it('asks for the token where something is changed or only operators may look; signing in and out need none', () => {
    const operatorsAlone = /\/(regradings|judge-audits)/;
    for (const [name, operation] of operations) {
      const needsToken = operatorsAlone.test(name) || (name.startsWith('POST') && !name.endsWith('/session'));
      expect(operation.security, name).toEqual(needsToken ? [{ token: [] }] : undefined);
      if (needsToken) expect(Object.keys(operation.responses)).toContain('401');
    }
    expect(document.components.securitySchemes).toHaveProperty('token');
  });

  it('describes both forms of a submission and the Idempotency-Key', () => {
    const operation = document.paths['/api/challenges/{slug}/submissions']?.post;
    expect(Object.keys(operation?.requestBody?.content ?? {})).toEqual(['application/json', 'multipart/form-data']);
    expect(operation?.parameters?.map((one) => one.name)).toContain('idempotency-key');
  });

  it('is current in the repository', async () => {
    expect(await readFile(join(import.meta.dirname, '..', '..', 'docs', 'reference', 'openapi.json'), 'utf8')).toBe(text);
  });
});
