import type { FastifyRequest } from 'fastify';
import { type ChallengeDetail, CreateSubmission } from '../contracts/api.ts';
import { SubmissionForm, acceptedLanguages } from '../contracts/rubric.ts';
import { Language } from '../contracts/sandbox.ts';
import { readSubmissionFile } from '../contracts/submission-file.ts';
import { showChallenge } from '../domain/challenges.ts';
import type { ServerDeps } from './deps.ts';
import { ProblemError } from './errors.ts';

interface Form {
  fields: ReadonlyMap<string, string>;
  file: { name: string; bytes: Uint8Array };
}

const knownFields: ReadonlySet<string> = new Set(['title', 'phase', 'language']);

/**
 * Reads a multipart upload into the same body that JSON clients send. The file is held in memory, bounded by the
 * multipart limits, and only parsed; its name decides nothing but the kind of submission and the title.
 */
export async function readUpload(request: FastifyRequest, deps: Pick<ServerDeps, 'db'>, slug: string): Promise<CreateSubmission> {
  const challenge = await showChallenge(deps.db, slug);
  if (challenge === null) throw new ProblemError('not_found', `there is no challenge "${slug.slice(0, 64)}"`);
  const { fields, file } = await readForm(request).catch(refuseForm);
  const read = readSubmissionFile(file.name, file.bytes, challenge.submissionKinds, languagesOf(challenge, fields.get('language')));
  if (!read.ok) throw new ProblemError('invalid_submission', read.problem, read.errors);
  const title = fields.get('title') ?? file.name.slice(0, 200);
  const body = CreateSubmission.safeParse({
    ...(title.trim() === '' ? {} : { title }),
    ...(fields.has('phase') ? { phase: fields.get('phase') } : {}),
    submission: read.document,
  });
  if (body.success) return body.data;
  const errors = body.error.issues.map((issue) => ({ path: issue.path.join('/'), message: issue.message }));
  throw new ProblemError('bad_request', errors[0] ? `${errors[0].path}: ${errors[0].message}` : 'the form is not valid', errors);
}

/** What an archive may be written in: what was asked for, else what the challenge's form takes. */
function languagesOf(challenge: ChallengeDetail, asked: string | undefined): Language[] {
  if (asked !== undefined && asked !== '') {
    const language = Language.safeParse(asked);
    if (!language.success) throw new ProblemError('bad_request', `the field "language" must be ${Language.options.join(' or ')}`);
    return [language.data];
  }
  return acceptedLanguages(challenge.forms.flatMap((form) => SubmissionForm.safeParse(form).data ?? []));
}

/** What the parser throws without a status (a form that is cut off, a broken header) is the sender's mistake. */
function refuseForm(error: Error & { statusCode?: number }): never {
  if (error instanceof ProblemError || error.statusCode !== undefined) throw error;
  throw new ProblemError('bad_request', `the form cannot be read: ${error.message}`);
}

async function readForm(request: FastifyRequest): Promise<Form> {
  const fields = new Map<string, string>();
  let file: Form['file'] | undefined;
  for await (const part of request.parts()) {
    if (part.type === 'file') {
      if (part.fieldname !== 'file') throw new ProblemError('bad_request', `the form's file must be named "file", not "${part.fieldname}"`);
      file = { name: part.filename ?? '', bytes: await part.toBuffer() };
      continue;
    }
    const name = part.fieldname;
    if (!knownFields.has(name))
      throw new ProblemError('bad_request', `the form has the unknown field "${name}"; it takes file, title, phase and language`);
    if (typeof part.value !== 'string' || part.valueTruncated) throw new ProblemError('bad_request', `the field "${name}" is too long`);
    fields.set(name, part.value);
  }
  if (file === undefined) throw new ProblemError('bad_request', 'the form has no file');
  return { fields, file };
}
