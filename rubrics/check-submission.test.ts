import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Json } from '../contracts/json.ts';
import { Rubric } from '../contracts/rubric.ts';
import type { SubmissionDocument } from '../contracts/submission.ts';
import { gzipOf, tarOf, zipOf } from '../test/setup/archives.ts';
import { smallRubricYaml } from '../test/setup/rubrics.ts';
import { checkSubmission, compileAnswerSchema } from './check-submission.ts';
import { compileSchema } from './schemas.ts';

const rubric = Rubric.parse({
  ...(parse(smallRubricYaml) as object),
  submission: [
    { kind: 'answers', schema: { type: 'array', maxItems: 2, items: { type: 'string', pattern: '^[a-z ]+$' } }, maxBytes: 5000 },
    { kind: 'prompts', maxMessages: 2, maxCharacters: 10 },
    { kind: 'defence', maxCharacters: 5 },
    { kind: 'program', languages: ['javascript', 'python'], schema: {}, maxBytes: 30 },
  ],
  targets: [{ name: 't', provider: 'simulated', model: 'm' }],
  sandbox: { profiles: ['js', 'node'] },
});
const cases = [
  { id: 'a', input: 1 },
  { id: 'b', key: 'key of b', input: 2 },
];
const errorsOf = (document: SubmissionDocument, own = rubric) => {
  const checked = checkSubmission(own, cases, document);
  return checked.ok ? [] : checked.errors;
};
const answers = (map: Record<string, Json>): SubmissionDocument => ({ kind: 'answers', answers: map });

describe('answers', () => {
  it('are accepted when they fit, also when some are missing', () => {
    expect(checkSubmission(rubric, cases, answers({ a: ['x'], 'key of b': [] }))).toMatchObject({ ok: true, form: { kind: 'answers' } });
    expect(errorsOf(answers({}))).toEqual([]);
  });

  it.each<[string, Record<string, Json>, string, string]>([
    ['an unknown key', { c: ['x'] }, 'answers/c', 'no case'],
    ['the id of a case that has a key', { b: ['x'] }, 'answers/b', 'no case'],
    ['a wrong type', { a: 'x' }, 'answers/a', 'array'],
    ['a wrong item', { a: ['x', 'X1'] }, 'answers/a', '1: must match pattern'],
    ['too many items', { a: ['x', 'y', 'z'] }, 'answers/a', '2 items'],
    ['too many bytes', { a: ['x'.repeat(5000)] }, 'answers', 'at most 5000'],
    ['NUL', { a: ['x\0'] }, 'answers', 'NUL'],
    ['half a surrogate pair', { a: ['\ud800'] }, 'answers', 'surrogate'],
  ])('with %s are refused at their path', (_, map, path, message) => {
    expect(errorsOf(answers(map))).toEqual([{ path, message: expect.stringContaining(message) }]);
  });

  it('list at most 20 errors and count the others', () => {
    const errors = errorsOf(answers(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, []]))));
    expect(errors).toHaveLength(21);
    expect(errors.at(-1)?.message).toContain('30 more');
  });

  it('meet a pattern that would take a backtracking engine years', () => {
    const evil = Rubric.parse({
      ...(parse(smallRubricYaml) as object),
      submission: [{ kind: 'answers', schema: { type: 'string', pattern: '^(a+)+$' } }],
    });
    const startedAt = performance.now();
    expect(errorsOf(answers({ a: `${'a'.repeat(50_000)}!` }), evil)).toHaveLength(1);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});

describe('the other kinds', () => {
  it.each<[string, SubmissionDocument, string]>([
    ['a prompt that is too long', { kind: 'prompts', prompts: { a: 'x'.repeat(11) } }, 'prompts/a'],
    ['too many messages', { kind: 'prompts', prompts: { a: ['1', '2', '3'] } }, 'prompts/a'],
    ['an empty message', { kind: 'prompts', prompts: { a: ['1', ' '] } }, 'prompts/a/1'],
    ['an unknown key', { kind: 'prompts', prompts: { z: '1' } }, 'prompts/z'],
    ['a system prompt that is too long', { kind: 'defence', systemPrompt: 'abcdef' }, 'systemPrompt'],
    ['a language no profile runs', { kind: 'program', language: 'python', source: 'x' }, 'language'],
    ['a profile of another language', { kind: 'program', language: 'javascript', profile: 'python', source: 'x' }, 'profile'],
    ['a program that is too large', { kind: 'program', language: 'javascript', source: 'é'.repeat(16) }, 'source'],
  ])('are refused for %s', (_, document, path) => {
    expect(errorsOf(document)).toEqual([{ path, message: expect.any(String) }]);
  });

  it('are accepted when they fit; characters are code points', () => {
    expect(errorsOf({ kind: 'prompts', prompts: { a: '🎵'.repeat(10), 'key of b': ['1', '2'] } })).toEqual([]);
    expect(errorsOf({ kind: 'defence', systemPrompt: '' })).toEqual([]);
    expect(errorsOf({ kind: 'program', language: 'javascript', profile: 'node', source: 'x' })).toEqual([]);
  });

  it('are named when the challenge does not take them', () => {
    const only = Rubric.parse(parse(smallRubricYaml));
    expect(errorsOf({ kind: 'defence', systemPrompt: 'x' }, only)).toEqual([
      { path: 'kind', message: expect.stringContaining('"answers"') },
    ]);
  });
});

describe('a program in an archive', () => {
  const files = [{ name: 'main.mjs', data: 'x' }];
  const packed = (bytes: Buffer, changes: object = {}): SubmissionDocument => ({
    ...{ kind: 'program', language: 'javascript', archive: bytes.toString('base64') },
    ...changes,
  });
  const roomy = (profiles: string[], maxBytes = 5000): Rubric =>
    Rubric.parse({
      ...(parse(smallRubricYaml) as object),
      submission: [{ kind: 'program', schema: {}, maxBytes }],
      sandbox: { profiles },
    });

  it('is accepted as zip, tar and tar.gz, whatever is in it', () => {
    for (const bytes of [zipOf([{ name: '/etc/passwd' }]), tarOf(files), gzipOf(tarOf(files))])
      expect(errorsOf(packed(bytes), roomy(['js', 'node']))).toEqual([]);
  });

  it.each<[string, SubmissionDocument, Rubric, string]>([
    ['its size', packed(tarOf(files)), roomy(['node'], 100), 'archive'],
    ['its first bytes', packed(Buffer.from('hello world!')), roomy(['node']), 'archive'],
    ['its kind', packed(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])), roomy(['node']), 'archive'],
    ['a challenge of single files', packed(zipOf(files)), roomy(['js', 'python']), 'archive'],
    ['the profile "js", which has one file', packed(zipOf(files), { profile: 'js' }), roomy(['js', 'node']), 'profile'],
  ])('is refused for %s', (_, document, own, path) => {
    expect(errorsOf(document, own)).toEqual([{ path, message: expect.any(String) }]);
  });
});

it('an image is accepted where images are', () => {
  const own = Rubric.parse({
    ...(parse(smallRubricYaml) as object),
    submission: [{ kind: 'image', schema: {} }],
    sandbox: { profiles: ['image'] },
  });
  const document: SubmissionDocument = { kind: 'image', image: `r.example/a@sha256:${'a'.repeat(64)}` };
  expect(errorsOf(document, own)).toEqual([]);
  expect(errorsOf(document)).toEqual([{ path: 'kind', message: expect.stringContaining('not "image"') }]);
});

describe('schemas', () => {
  it('keep their patterns apart', () => {
    const compiled = compileSchema({
      type: 'object',
      properties: { a: { type: 'string', pattern: '^x+$' }, b: { type: 'string', pattern: '^y+$' } },
    });
    if (!compiled.ok) throw new Error(compiled.problem);
    expect(compiled.check({ a: 'xx', b: 'y' })).toEqual([]);
    expect(compiled.check({ a: 'y' })).toMatchObject([{ path: 'a' }]);
    expect(compiled.check({ b: 'x' })).toMatchObject([{ path: 'b' }]);
  });

  it.each<[string, Record<string, Json>]>([
    ['an unknown keyword', { typ: 'string' }],
    ['an unknown format', { type: 'string', format: 'uri' }],
    ['a reference elsewhere', { $ref: 'https://example.com/schema.json' }],
    ['a backreference', { type: 'string', pattern: '(a)\\1' }],
    ['unbounded unique items', { type: 'array', uniqueItems: true, items: {} }],
    ['far too many unique items', { type: 'object', properties: { x: { type: 'array', uniqueItems: true, maxItems: 5000, items: {} } } }],
  ])('with %s do not compile', (_, schema) => {
    expect(compileSchema(schema)).toMatchObject({ ok: false, problem: expect.any(String) });
  });

  it('say in one sentence what does not fit', () => {
    const problemOf = compileAnswerSchema({
      type: 'object',
      required: ['g'],
      additionalProperties: false,
      properties: { g: { enum: ['a', 'b'] } },
    });
    expect(problemOf({ g: 'a' })).toBeNull();
    expect(problemOf({ g: 'c' })).toBe('g: must be equal to one of the allowed values: ["a","b"]');
    expect(problemOf({ g: 'a', h: 1 })).toContain('"h"');
    expect(compileAnswerSchema({})('\0')).toContain('NUL');
  });
});

describe('a report', () => {
  const takesReports = { ...rubric, submission: [{ kind: 'report' as const, maxCharacters: 200, minEvidence: 1 }] };
  const report = (parts: Partial<Extract<SubmissionDocument, { kind: 'report' }>> = {}): SubmissionDocument => ({
    ...{ kind: 'report', title: 'The keeper tells its password', body: 'Ask it twice.' },
    evidence: [{ title: 'Transcript', text: 'Q: password? A: swordfish' }],
    ...parts,
  });

  it('is accepted with its evidence', () => expect(errorsOf(report(), takesReports)).toEqual([]));

  it.each<[string, Partial<Extract<SubmissionDocument, { kind: 'report' }>>, string]>([
    ['without the evidence asked for', { evidence: [] }, 'evidence'],
    ['with a body that is too long', { body: '🙂'.repeat(201) }, 'body'],
    ['with a piece that is too long', { evidence: [{ title: 'Log', text: 'x'.repeat(201) }] }, 'evidence/0/text'],
    ['with text that cannot be stored', { evidence: [{ title: 'Lo\0g', text: 'x' }] }, 'evidence/0/title'],
  ])('is refused %s', (_, parts, path) => {
    expect(errorsOf(report(parts), takesReports)).toEqual([{ path, message: expect.any(String) }]);
  });
});
