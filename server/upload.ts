import type { FastifyRequest } from 'fastify';
import { CreateSubmission } from '../contracts/api.ts';
import { readSubmissionFile } from '../contracts/submission-file.ts';
import { showChallenge } from '../domain/challenges.ts';
import type { ServerDeps } from './deps.ts';
import { ProblemError } from './errors.ts';
import { requireActor } from './plugins/identity.ts';

/**
 * Reads a multipart upload into the same body that JSON clients send. The file is held in memory, bounded by the
 * multipart limits, and only parsed; its name decides nothing but the kind of submission.
 */
export async function readUpload(request: FastifyRequest, deps: ServerDeps, slug: string): Promise<CreateSubmission> {
  // Before reading megabytes from somebody who may not submit.
  requireActor(request);
  const challenge = await showChallenge(deps.db, slug);
  if (challenge === null) throw new ProblemError('not_found', `there is no challenge "${slug}"`);
  const fields = new Map<string, string>();
  let file: { name: string; bytes: Uint8Array } | undefined;
  for await (const part of request.parts()) {
    if (part.type === 'file') file = { name: part.filename ?? '', bytes: await part.toBuffer() };
    else if (typeof part.value === 'string') fields.set(part.fieldname, part.value);
  }
  if (file === undefined) throw new ProblemError('bad_request', 'the form has no file');
  const read = readSubmissionFile(file.name, file.bytes, challenge.submissionKinds);
  if (!read.ok) throw new ProblemError('invalid_submission', read.problem, read.errors);
  const body = CreateSubmission.safeParse({
    title: fields.get('title') ?? file.name,
    phase: fields.get('phase'),
    submission: read.document,
  });
  if (body.success) return body.data;
  const errors = body.error.issues.map((issue) => ({ path: issue.path.join('/'), message: issue.message }));
  throw new ProblemError('bad_request', errors[0]?.message ?? 'the form is not valid', errors);
}
