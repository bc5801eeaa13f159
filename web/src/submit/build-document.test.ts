import { describe, expect, it } from 'vitest';
import { SubmissionForm } from '../../../contracts/rubric.ts';
import { answerShape, exampleOf } from './answer-shape.ts';
import { buildDocument } from './build-document.ts';
import type { Draft } from './draft.ts';

const cases = ['a', 'b'].map((key) => ({ id: key, key, input: {} }));
const blank: Draft = {
  kind: 'answers',
  title: '',
  phase: 'dev',
  mode: 'fields',
  fields: {},
  json: '',
  file: null,
  systemPrompt: '',
  language: 'javascript',
  source: '',
  archive: null,
  image: '',
  report: { title: '', body: '', evidence: [] },
};
const form = (value: object): SubmissionForm => SubmissionForm.parse(value);
const texts = form({ kind: 'answers', schema: { type: 'string' } });
const lists = form({ kind: 'answers', schema: { type: 'array', items: { type: 'string' } } });

describe('answers', () => {
  it('takes texts, lines or JSON by the schema and leaves out empty fields', () => {
    expect(buildDocument({ ...blank, fields: { a: ' x ', b: ' ' } }, texts, cases)).toEqual({
      ok: true,
      document: { kind: 'answers', answers: { a: ' x ' } },
    });
    expect(buildDocument({ ...blank, fields: { a: 'one\n\ntwo' } }, lists, cases)).toMatchObject({
      document: { answers: { a: ['one', 'two'] } },
    });
    const objects = form({ kind: 'answers', schema: { type: 'object' } });
    expect(buildDocument({ ...blank, fields: { a: '{"g":1}' } }, objects, cases)).toMatchObject({ document: { answers: { a: { g: 1 } } } });
    expect(buildDocument({ ...blank, fields: { b: '{' } }, objects, cases)).toMatchObject({ ok: false, errors: [{ path: 'answers/b' }] });
  });

  it('refuses nothing at all, reserved keys, too many bytes and another kind', () => {
    expect(buildDocument(blank, texts, cases)).toMatchObject({ ok: false, problem: 'Nothing is filled in yet.' });
    const json = (text: string) => buildDocument({ ...blank, mode: 'json', json: text }, texts, cases);
    expect(json('{"__proto__":"x"}')).toMatchObject({ ok: false, problem: expect.stringContaining('reserved key') });
    expect(json('[[')).toMatchObject({ ok: false, problem: expect.stringContaining('is not JSON') });
    expect(json('{"kind":"defence","systemPrompt":"x"}')).toMatchObject({
      ok: false,
      problem: expect.stringContaining('asks for "answers"'),
    });
    const small = form({ kind: 'answers', schema: { type: 'string' }, maxBytes: 8 });
    expect(buildDocument({ ...blank, fields: { a: 'long enough' } }, small, cases)).toMatchObject({ ok: false });
  });
});

describe('prompts', () => {
  const prompts = form({ kind: 'prompts', maxMessages: 2, maxCharacters: 5 });
  const build = (a: string) => buildDocument({ ...blank, kind: 'prompts', fields: { a } }, prompts, cases);

  it('splits a conversation and counts code points', () => {
    expect(build('hi\n---\nyou')).toEqual({ ok: true, document: { kind: 'prompts', prompts: { a: ['hi', 'you'] } } });
    expect(build('🙂🙂🙂🙂🙂')).toMatchObject({ ok: true });
  });

  it('names the case that is over a limit', () => {
    expect(build('too long')).toMatchObject({
      ok: false,
      errors: [{ path: 'prompts/a', message: expect.stringContaining('8 characters') }],
    });
    expect(build('a\n---\nb\n---\nc')).toMatchObject({ ok: false, errors: [{ message: expect.stringContaining('3 messages') }] });
  });
});

describe('defence and program', () => {
  it('checks emptiness and size', () => {
    const defence = form({ kind: 'defence', maxCharacters: 10 });
    const program = form({ kind: 'program', schema: {}, maxBytes: 10 });
    expect(buildDocument({ ...blank, systemPrompt: 'Be kind.' }, defence, cases)).toMatchObject({ ok: true });
    expect(buildDocument({ ...blank, systemPrompt: 'Be kind to all.' }, defence, cases)).toMatchObject({
      errors: [{ path: 'systemPrompt' }],
    });
    expect(buildDocument({ ...blank, source: 'éééééé' }, program, cases)).toMatchObject({
      errors: [{ path: 'source', message: expect.stringContaining('12 bytes') }],
    });
    expect(buildDocument({ ...blank, language: 'python', source: 'x = 1' }, program, cases)).toMatchObject({
      document: { language: 'python' },
    });
    expect(buildDocument(blank, program, cases)).toMatchObject({ ok: false });
  });
});

describe('archive and image', () => {
  const program = form({ kind: 'program', schema: {}, maxBytes: 10 });
  const archive = { name: 'mine.zip', bytes: 9, base64: 'UEsDBAAAAAAA' };

  it('sends the archive instead of what is typed, and not when it is too large', () => {
    const draft: Draft = { ...blank, language: 'python', source: 'x = 1', archive };
    expect(buildDocument(draft, program, cases)).toEqual({
      ok: true,
      document: { kind: 'program', language: 'python', archive: archive.base64 },
    });
    expect(buildDocument({ ...draft, archive: { ...archive, bytes: 11 } }, program, cases)).toMatchObject({
      errors: [{ path: 'archive', message: expect.stringContaining('11 bytes') }],
    });
  });

  it('takes an image by digest and says what is wrong with a tag', () => {
    const image = `registry.example/me/solver@sha256:${'a'.repeat(64)}`;
    const images = form({ kind: 'image', schema: {} });
    expect(buildDocument({ ...blank, image: ` ${image} ` }, images, cases)).toEqual({ ok: true, document: { kind: 'image', image } });
    expect(buildDocument({ ...blank, image: 'registry.example/me/solver:latest' }, images, cases)).toMatchObject({
      errors: [{ path: 'image', message: expect.stringContaining('tags are not accepted') }],
    });
  });
});

it('reads the shape of an answer from its schema', () => {
  expect(answerShape({ anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] })).toBe('lines');
  expect(answerShape({ type: 'number' })).toBe('json');
  expect(
    exampleOf({ type: 'object', properties: { guess: { type: 'string' }, n: { type: 'array', items: { type: 'integer' } } } }),
  ).toEqual({ guess: '', n: [0] });
});

describe('a report', () => {
  const reports = form({ kind: 'report', maxCharacters: 200, minEvidence: 1 });
  const build = (report: Partial<Draft['report']>) =>
    buildDocument(
      { ...blank, kind: 'report', report: { title: 'The keeper tells', body: 'Ask twice.', evidence: [], ...report } },
      reports,
      cases,
    );

  it('is built with the evidence that was filled in', () => {
    const log = { title: 'Log', text: 'x' };
    expect(build({ evidence: [log, { title: ' ', text: '' }] })).toEqual({
      ok: true,
      document: { kind: 'report', title: 'The keeper tells', body: 'Ask twice.', evidence: [log] },
    });
  });

  it('names every field that is not complete', () => {
    expect(build({ title: 'short', body: 'x'.repeat(201), evidence: [{ title: '', text: 'y' }] })).toMatchObject({
      ok: false,
      errors: [{ path: 'title' }, { path: 'body' }, { path: 'evidence/0/title' }],
    });
    expect(build({})).toMatchObject({ ok: false, errors: [{ path: 'evidence' }] });
  });
});
