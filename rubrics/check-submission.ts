import { canonicalJson } from '../contracts/canonical.ts';
import type { Json } from '../contracts/json.ts';
import { slotText, templateKey } from '../contracts/prompt-slots.ts';
import { caseKey, type Case, type Rubric, type SubmissionForm } from '../contracts/rubric.ts';
import type { Profile } from '../contracts/sandbox.ts';
import type { SubmissionDocument } from '../contracts/submission.ts';
import { archiveHeadBytes, archiveKind } from '../contracts/submission-file.ts';
import { type CompiledSchema, compileSchema } from './schemas.ts';

export interface SubmissionError {
  /** Path inside the submission document, slash-separated. */
  path: string;
  message: string;
}

export type CheckedSubmission = { ok: true; form: SubmissionForm } | { ok: false; errors: SubmissionError[] };

const maxErrors = 20;
const unstorable = 'the text holds a NUL character or half of a surrogate pair';
type Complain = (path: string, message: string) => void;
type FormOf<K extends SubmissionForm['kind']> = Extract<SubmissionForm, { kind: K }>;
type DocumentOf<K extends SubmissionDocument['kind']> = Extract<SubmissionDocument, { kind: K }>;

/**
 * Holds a submission against the rubric's form and the cases of its phase: accepted kind, sizes, known case keys,
 * answers of the right shape, texts that can be stored. At most 20 errors are listed.
 */
export function checkSubmission(rubric: Rubric, phaseCases: readonly Case[], document: SubmissionDocument): CheckedSubmission {
  const form = rubric.submission.find(({ kind }) => kind === document.kind);
  if (!form) {
    const kinds = rubric.submission.map(({ kind }) => `"${kind}"`).join(', ');
    return { ok: false, errors: [{ path: 'kind', message: `this challenge takes ${kinds}, not "${document.kind}"` }] };
  }
  const errors: SubmissionError[] = [];
  let more = 0;
  const complain: Complain = (path, message) => {
    if (errors.length < maxErrors) errors.push({ path, message });
    else more++;
  };
  if (form.kind === 'answers' && document.kind === 'answers') checkAnswers(form, document, phaseCases, complain);
  else if (form.kind === 'prompts' && document.kind === 'prompts') checkPrompts(form, document, phaseCases, complain);
  else if (form.kind === 'defence' && document.kind === 'defence')
    checkText(document.systemPrompt, form.maxCharacters, 'systemPrompt', complain);
  else if (form.kind === 'program' && document.kind === 'program') checkProgram(rubric, form, document, complain);
  // Its reference has its form already; whether such an image may run is decided where it is pulled.
  else if (form.kind === 'image' && document.kind === 'image') return { ok: true, form };
  else if (form.kind === 'report' && document.kind === 'report') checkReport(form, document, complain);
  if (more > 0) errors.push({ path: '', message: `and ${more} more problems` });
  return errors.length === 0 ? { ok: true, form } : { ok: false, errors };
}

function checkKeys(given: readonly string[], phaseCases: readonly Case[], field: string, complain: Complain): string[] {
  const known = new Set(phaseCases.map(caseKey));
  for (const key of given) if (!known.has(key)) complain(`${field}/${shown(key)}`, 'no case of this phase has this key');
  return given.filter((key) => known.has(key));
}

const shown = (key: string): string => (key.length <= 100 ? key : `${key.slice(0, 100)}…`).toWellFormed();

function checkAnswers(form: FormOf<'answers'>, { answers }: DocumentOf<'answers'>, phaseCases: readonly Case[], complain: Complain): void {
  if (!storable(answers)) {
    complain('answers', unstorable);
    return;
  }
  const bytes = Buffer.byteLength(canonicalJson(answers), 'utf8');
  if (bytes > form.maxBytes) {
    complain('answers', `the answers have ${bytes} bytes, at most ${form.maxBytes} are accepted`);
    return;
  }
  const problemOf = compileAnswerSchema(form.schema);
  for (const key of checkKeys(Object.keys(answers), phaseCases, 'answers', complain)) {
    const problem = problemOf(answers[key] as Json);
    if (problem !== null) complain(`answers/${shown(key)}`, problem);
  }
}

function checkPrompts(form: FormOf<'prompts'>, { prompts }: DocumentOf<'prompts'>, phaseCases: readonly Case[], complain: Complain): void {
  const keys = form.template ? checkTemplateKeys(prompts, form.template.slot, complain) : Object.keys(prompts);
  const known = form.template ? keys : checkKeys(keys, phaseCases, 'prompts', complain);
  for (const key of known) {
    const prompt = prompts[key] as string | string[];
    const messages = typeof prompt === 'string' ? [prompt] : prompt;
    const path = `prompts/${shown(key)}`;
    if (messages.length > form.maxMessages) complain(path, `has ${messages.length} messages, at most ${form.maxMessages} are accepted`);
    for (const [i, message] of messages.slice(0, form.maxMessages).entries()) {
      if (message.trim() === '') complain(`${path}/${i}`, 'the message is empty');
      else checkText(message, form.maxCharacters, typeof prompt === 'string' ? path : `${path}/${i}`, complain);
    }
  }
}

/** One text under one key; without its slot it would ask every case the same. */
function checkTemplateKeys(prompts: DocumentOf<'prompts'>['prompts'], slot: string, complain: Complain): string[] {
  for (const key of Object.keys(prompts)) {
    if (key !== templateKey)
      complain(`prompts/${shown(key)}`, `this challenge takes one text for all cases, under the key "${templateKey}"`);
  }
  if (!Object.hasOwn(prompts, templateKey)) return [];
  const given = prompts[templateKey];
  const text = typeof given === 'string' ? given : (given ?? []).join('');
  if (!text.includes(slotText(slot))) complain(`prompts/${templateKey}`, `the text has no ${slotText(slot)}, where each case puts its own`);
  return [templateKey];
}

function checkText(text: string, maxCharacters: number, path: string, complain: Complain): void {
  if (!storable(text)) complain(path, unstorable);
  const characters = text.length <= maxCharacters ? text.length : Array.from(text).length;
  if (characters > maxCharacters) complain(path, `has ${characters} characters, at most ${maxCharacters} are accepted`);
}

/** What a person needs to be able to read it at all; whether it is true is for that person to say. */
function checkReport(form: FormOf<'report'>, { title, body, evidence }: DocumentOf<'report'>, complain: Complain): void {
  if (!storable(title)) complain('title', unstorable);
  checkText(body, form.maxCharacters, 'body', complain);
  if (evidence.length < form.minEvidence)
    complain(
      'evidence',
      `has ${evidence.length} pieces of evidence, at least ${form.minEvidence} are asked for: a transcript, a log, steps`,
    );
  for (const [i, piece] of evidence.entries()) {
    if (!storable(piece.title)) complain(`evidence/${i}/title`, unstorable);
    checkText(piece.text, form.maxCharacters, `evidence/${i}/text`, complain);
  }
}

const profilesOf = { javascript: ['js', 'node'], python: ['python'] } as const satisfies Record<string, readonly Profile[]>;

function checkProgram(rubric: Rubric, form: FormOf<'program'>, document: DocumentOf<'program'>, complain: Complain): void {
  const { language, profile, source, archive } = document;
  if (!form.languages.includes(language)) complain('language', `this challenge takes ${form.languages.join(' or ')}`);
  const offered = rubric.sandbox?.profiles ?? [];
  const speaking = offered.filter((name) => profilesOf[language].some((own) => own === name));
  // The profile "js" is one module with the helper API and nothing to import from.
  const fitting = archive === undefined ? speaking : speaking.filter((name) => name !== 'js');
  if (speaking.length === 0) complain('language', `none of this challenge's sandbox profiles (${offered.join(', ')}) runs ${language}`);
  else if (fitting.length === 0) complain('archive', `this challenge runs ${language} as a single file only`);
  else if (profile !== undefined && !fitting.includes(profile)) complain('profile', `expected ${fitting.join(' or ')}`);
  if (source !== undefined) checkSource(source, form.maxBytes, complain);
  if (archive !== undefined) checkArchive(archive, form.maxBytes, complain);
}

function checkSource(source: string, maxBytes: number, complain: Complain): void {
  if (!storable(source)) complain('source', unstorable);
  const bytes = Buffer.byteLength(source, 'utf8');
  if (bytes > maxBytes) complain('source', `the program has ${bytes} bytes, at most ${maxBytes} are accepted`);
}

/** Size and first bytes, nothing else: archives of participants are opened in a sandbox only. */
function checkArchive(archive: string, maxBytes: number, complain: Complain): void {
  const bytes = Buffer.byteLength(archive, 'base64');
  if (bytes > maxBytes) complain('archive', `the archive has ${bytes} bytes, at most ${maxBytes} are accepted`);
  const kind = archiveKind(Buffer.from(archive.slice(0, Math.ceil(archiveHeadBytes / 3) * 4), 'base64'));
  if (kind?.accepted !== true)
    complain('archive', `the archive is ${kind === null ? 'neither a zip nor a tar' : `a ${kind.name}`}; pack it as zip, tar or tar.gz`);
}

/** What is wrong with an answer by the form's schema, in one sentence; null when it fits. */
export function compileAnswerSchema(schema: Readonly<Record<string, Json>>): (answer: Json) => string | null {
  const compiled = compiledOnce(schema);
  if (!compiled.ok) throw new Error(`the rubric's answer schema does not compile: ${compiled.problem}`);
  return (answer) => {
    const [first] = compiled.check(answer);
    if (first) return first.path === '' ? first.message : `${first.path}: ${first.message}`;
    return storable(answer) ? null : unstorable;
  };
}

/** Databases refuse NUL in text, and UTF-8 has no half pairs: both would fail long after the submission was accepted. */
function storable(value: Json): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0');
  if (value === null || typeof value !== 'object') return true;
  if (Array.isArray(value)) return value.every(storable);
  return Object.entries(value).every(([key, inner]) => storable(key) && storable(inner));
}

const schemaCache = new WeakMap<object, CompiledSchema>();

/** Compiled once per rubric object: ajv needs milliseconds for what then takes microseconds. */
function compiledOnce(schema: Readonly<Record<string, Json>>): CompiledSchema {
  const known = schemaCache.get(schema);
  if (known) return known;
  const compiled = compileSchema(schema);
  schemaCache.set(schema, compiled);
  return compiled;
}
