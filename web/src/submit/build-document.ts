import type { ChallengeDetail } from '../../../contracts/api.ts';
import type { Json } from '../../../contracts/json.ts';
import { parseBoundedJson } from '../../../contracts/json.ts';
import type { SubmissionForm } from '../../../contracts/rubric.ts';
import { ImageReference } from '../../../contracts/sandbox.ts';
import { readSubmissionFile } from '../../../contracts/submission-file.ts';
import type { SubmissionDocument } from '../../../contracts/submission.ts';
import { type AnswerShape, answerShape } from './answer-shape.ts';
import type { Draft } from './draft.ts';
import { type Field, fieldsOf } from './field-list.ts';

export interface FieldError {
  path: string;
  message: string;
}
export type BuiltDocument = { ok: true; document: SubmissionDocument } | { ok: false; problem: string; errors: FieldError[] };
type PublicCases = ChallengeDetail['publicCases'];

/** Lines that stand alone with this between the messages of one conversation. */
export const messageBreak = '---';

/**
 * Makes the submission document of a draft, with the checks the server will make again: shape, sizes and counts.
 * Answers are not checked against their JSON Schema here; the server does and its errors name the same paths.
 */
export function buildDocument(draft: Draft, form: SubmissionForm, cases: PublicCases): BuiltDocument {
  switch (form.kind) {
    case 'answers':
    case 'prompts':
      return buildMap(draft, form, cases);
    case 'defence':
      return checkDefence(draft.systemPrompt, form.maxCharacters);
    case 'program':
      return checkProgram(draft, form.maxBytes);
    case 'image':
      return checkImage(draft.image);
    case 'report':
      return checkReport(draft.report, form);
  }
}

type MapForm = Extract<SubmissionForm, { kind: 'answers' | 'prompts' }>;

function buildMap(draft: Draft, form: MapForm, cases: PublicCases): BuiltDocument {
  const built = draft.file ? { ok: true as const, document: draft.file.document } : typed(draft, form, cases);
  if (!built.ok) return built;
  if (built.document.kind !== form.kind) return refuse(`This is a "${built.document.kind}" submission, the form asks for "${form.kind}".`);
  const errors = built.document.kind === 'prompts' && form.kind === 'prompts' ? promptErrors(built.document.prompts, form) : [];
  if (errors.length > 0) return { ok: false, problem: 'Some prompts are too long or too many.', errors };
  const map = built.document.kind === 'answers' ? built.document.answers : built.document.kind === 'prompts' ? built.document.prompts : {};
  if (Object.keys(map).length === 0) return refuse('Nothing is filled in yet.');
  const bytes = utf8Bytes(JSON.stringify(map));
  if (form.kind === 'answers' && bytes > form.maxBytes) {
    return refuse(`The answers have ${bytes} bytes, at most ${form.maxBytes} are accepted.`);
  }
  return built;
}

function typed(draft: Draft, form: MapForm, cases: PublicCases): BuiltDocument {
  if (draft.mode === 'fields')
    return form.kind === 'answers'
      ? answersOf(draft, answerShape(form.schema), fieldsOf(form, cases))
      : promptsOf(draft, fieldsOf(form, cases));
  const read = readSubmissionFile('submission.json', new TextEncoder().encode(draft.json), [form.kind]);
  if (read.ok) return read;
  return { ok: false, problem: sentence(read.problem.replace(/^the file/, 'The JSON')), errors: read.errors };
}

function answersOf(draft: Draft, shape: AnswerShape, fields: readonly Field[]): BuiltDocument {
  const answers: Record<string, Json> = Object.create(null) as Record<string, Json>;
  const errors: FieldError[] = [];
  for (const { key } of fields) {
    const text = draft.fields[key] ?? '';
    if (text.trim() === '') continue;
    if (shape === 'text') answers[key] = text;
    else if (shape === 'lines') answers[key] = text.split('\n').filter((line) => line !== '');
    else {
      const parsed = parseBoundedJson(new TextEncoder().encode(text), { maxBytes: 1_048_576, maxDepth: 30 });
      if (parsed.ok) answers[key] = parsed.value;
      else errors.push({ path: `answers/${key}`, message: `the answer ${parsed.problem}` });
    }
  }
  if (errors.length > 0) return { ok: false, problem: 'Some answers are not JSON.', errors };
  return { ok: true, document: { kind: 'answers', answers: { ...answers } } };
}

function promptsOf(draft: Draft, fields: readonly Field[]): BuiltDocument {
  const entries = fields.flatMap(({ key }) => {
    const text = draft.fields[key] ?? '';
    if (text.trim() === '') return [];
    const messages = splitMessages(text);
    return [[key, messages.length === 1 ? (messages[0] ?? '') : messages] as const];
  });
  return { ok: true, document: { kind: 'prompts', prompts: Object.fromEntries(entries) } };
}

/** The messages of one conversation, in order. */
function splitMessages(text: string): string[] {
  const messages: string[][] = [[]];
  for (const line of text.split('\n')) {
    if (line.trim() === messageBreak) messages.push([]);
    else messages.at(-1)?.push(line);
  }
  return messages.map((lines) => lines.join('\n').trim()).filter((message) => message !== '');
}

function promptErrors(
  prompts: Readonly<Record<string, string | string[]>>,
  form: Extract<SubmissionForm, { kind: 'prompts' }>,
): FieldError[] {
  return Object.entries(prompts).flatMap(([key, given]) => {
    const messages = typeof given === 'string' ? [given] : given;
    const path = `prompts/${key}`;
    if (messages.length > form.maxMessages)
      return [{ path, message: `has ${messages.length} messages, at most ${form.maxMessages} are accepted` }];
    const long = messages.find((message) => characters(message) > form.maxCharacters);
    return long === undefined ? [] : [{ path, message: `has ${characters(long)} characters, at most ${form.maxCharacters} are accepted` }];
  });
}

function checkDefence(systemPrompt: string, maxCharacters: number): BuiltDocument {
  const path = 'systemPrompt';
  const length = characters(systemPrompt);
  if (systemPrompt.trim() === '')
    return { ok: false, problem: 'The system prompt is empty.', errors: [{ path, message: 'write the system prompt' }] };
  if (length <= maxCharacters) return { ok: true, document: { kind: 'defence', systemPrompt } };
  const message = `has ${length} characters, at most ${maxCharacters} are accepted`;
  return { ok: false, problem: 'The system prompt is too long.', errors: [{ path, message }] };
}

function checkProgram(draft: Draft, maxBytes: number): BuiltDocument {
  const { language, source, archive } = draft;
  if (archive !== null) {
    if (archive.bytes <= maxBytes) return { ok: true, document: { kind: 'program', language, archive: archive.base64 } };
    const message = `has ${archive.bytes} bytes, at most ${maxBytes} are accepted`;
    return { ok: false, problem: 'The archive is too large.', errors: [{ path: 'archive', message }] };
  }
  const bytes = utf8Bytes(source);
  if (source.trim() === '')
    return { ok: false, problem: 'The program is empty.', errors: [{ path: 'source', message: 'write or choose a program' }] };
  if (bytes <= maxBytes) return { ok: true, document: { kind: 'program', language, source } };
  const message = `has ${bytes} bytes, at most ${maxBytes} are accepted`;
  return { ok: false, problem: 'The program is too large.', errors: [{ path: 'source', message }] };
}

function checkImage(image: string): BuiltDocument {
  const parsed = ImageReference.safeParse(image.trim());
  if (parsed.success) return { ok: true, document: { kind: 'image', image: parsed.data } };
  const message = parsed.error.issues[0]?.message ?? 'not a reference';
  return { ok: false, problem: 'The image is not named by its digest.', errors: [{ path: 'image', message }] };
}

function checkReport(report: Draft['report'], form: Extract<SubmissionForm, { kind: 'report' }>): BuiltDocument {
  const evidence = report.evidence.filter(({ title, text }) => title.trim() !== '' || text.trim() !== '');
  const errors: FieldError[] = [];
  const tooLong = (path: string, text: string) => {
    const length = characters(text);
    if (length > form.maxCharacters) errors.push({ path, message: `has ${length} characters, at most ${form.maxCharacters} are accepted` });
  };
  if (report.title.trim().length < 8) errors.push({ path: 'title', message: 'say in one line what was found (8 characters at least)' });
  if (report.body.trim() === '') errors.push({ path: 'body', message: 'write the report' });
  tooLong('body', report.body);
  for (const [i, { title, text }] of evidence.entries()) {
    if (title.trim() === '') errors.push({ path: `evidence/${i}/title`, message: 'name this piece of evidence' });
    if (text.trim() === '') errors.push({ path: `evidence/${i}/text`, message: 'this piece of evidence is empty' });
    tooLong(`evidence/${i}/text`, text);
  }
  if (evidence.length < form.minEvidence)
    errors.push({ path: 'evidence', message: `has ${evidence.length} pieces of evidence, at least ${form.minEvidence} are asked for` });
  if (errors.length > 0) return { ok: false, problem: 'The report is not complete.', errors };
  return { ok: true, document: { kind: 'report', title: report.title.trim(), body: report.body.trim(), evidence } };
}

/** Unicode code points, as the server counts them. */
export const characters = (text: string): number => [...text].length;
export const utf8Bytes = (text: string): number => new TextEncoder().encode(text).byteLength;
const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
const refuse = (problem: string): BuiltDocument => ({ ok: false, problem, errors: [] });
