import multipart from '@fastify/multipart';
import type { App } from '../app.ts';
import { parseBoundedJson } from '../../contracts/json.ts';
import { maxSubmissionValues } from '../../contracts/submission-file.ts';
import { ProblemError } from '../errors.ts';

/** Largest request body; the largest form of a rubric is 16 MiB and JSON escapes can double text. */
export const maxBodyBytes = 33_554_432;
/** Largest uploaded file, as `readSubmissionFile` takes it. */
const maxFileBytes = 16_777_216;

/**
 * Reads bodies. Depth is bounded before parsing and reserved keys are refused (contracts/json.ts): fastify's own parser
 * would build a 100,000-level value first and let a later walk overflow. Its text/plain parser goes too: that type needs
 * no permission from a browser, so any site could send it.
 */
export async function installBodies(app: App): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit: maxBodyBytes }, (_request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    const parsed = parseBoundedJson(body as Buffer, { maxBytes: maxBodyBytes, maxDepth: 40, maxValues: maxSubmissionValues });
    if (parsed.ok) done(null, parsed.value);
    else done(new ProblemError('bad_request', `the body ${parsed.problem}`), undefined);
  });
  await app.register(multipart, { limits: { files: 1, fileSize: maxFileBytes, fields: 8, fieldSize: 4_096, parts: 9, headerPairs: 50 } });
}
