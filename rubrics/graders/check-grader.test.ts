import { describe, expect, it } from 'vitest';
import { GraderSpec } from '../../contracts/graders.ts';
import { bytesOf, smallRubricFiles } from '../../test/setup/rubrics.ts';
import { graderInWords } from '../grader-words.ts';
import { rubricFromFiles } from '../load.ts';
import { checkGrader } from './check-grader.ts';
import { compileGrader } from './compile.ts';

const around = {
  secrets: new Set(['word']),
  files: bytesOf({ 'q.jsonl': '{"text":"a"}\n', 'graders/a.py': 'def grade(task): ...', 'graders/bad.py': Buffer.from([0xff]) }),
  demands: { gvisor: false, bounty: false },
};
const problems = (spec: object) => checkGrader(GraderSpec.parse(spec), around).map(({ path, message }) => `${path.join('/')}: ${message}`);
const equals = { kind: 'equals', of: 'answer', to: 'expected' };
const predicate = { at: '/x', is: 'equals', to: { source: 'secret/other' } };

const judged = {
  of: 'answer',
  question: { form: 'yes-no', ask: 'Is it a capital?' },
  sentinels: { pass: [{ text: 'Paris' }], fail: [{ text: 'Lyon' }] },
};

/** One valid specification per kind. */
const valid: Record<GraderSpec['kind'], object> = {
  equals,
  includes: { kind: 'includes', of: 'answer', to: 'secret/word' },
  'char-bleu': { kind: 'char-bleu', of: 'answer', to: 'expected' },
  'verbatim-copy': { kind: 'verbatim-copy', of: 'answer', to: 'input' },
  reasr: { kind: 'reasr', of: 'answer', to: 'input', target: 't', queries: 'q.jsonl', count: 1 },
  refusal: { kind: 'refusal', of: 'replies', preset: { refusalAny: ['no'] }, expect: 'refusal' },
  'secret-leak': { kind: 'secret-leak', of: 'replies', secret: 'secret/word', minBits: 10, control: 'input' },
  regex: { kind: 'regex', of: 'answer', pattern: '^a+$' },
  'json-schema': { kind: 'json-schema', of: 'answer', schema: { type: 'object' } },
  numeric: { kind: 'numeric', of: 'answer', to: 'expected', unit: { name: 'm', accept: { km: 1000 } } },
  overlap: { kind: 'overlap', of: 'answer', to: 'expected', measure: 'lcs', atLeastTokens: 40 },
  pii: { kind: 'pii', of: 'replies' },
  stealth: { kind: 'stealth', of: 'answer', to: 'input' },
  diversity: { kind: 'diversity', of: 'answer' },
  'tool-policy': { kind: 'tool-policy', forbidden: [{ tool: 'x', arguments: [{ at: '', is: 'present' }] }] },
  'state-check': { kind: 'state-check', of: 'answer', checks: [{ at: '', is: 'present' }] },
  strongreject: { kind: 'strongreject', of: 'expected' },
  program: { kind: 'program', path: 'graders/a.py', language: 'python', profile: 'python' },
  judge: { kind: 'judge', ...judged, judges: ['one'] },
  jury: { kind: 'jury', ...judged, judges: ['one', 'two'], quorum: 2 },
  all: { kind: 'all', parts: [equals] },
  any: { kind: 'any', parts: [equals], atLeast: 0.5 },
  not: { kind: 'not', part: equals },
  weighted: { kind: 'weighted', parts: [{ grader: equals, weight: 2 }] },
  jef: { kind: 'jef', vendors: equals, models: equals, retargetable: equals, fidelity: equals },
};

describe('every kind', () => {
  it.each(Object.entries(valid))('%s is accepted, compiles and has words', (_, spec) => {
    const parsed = GraderSpec.parse(spec);
    expect(checkGrader(parsed, around)).toEqual([]);
    expect(compileGrader(parsed, () => '{"text":"a"}')).toBeTypeOf('function');
    const words = graderInWords(parsed);
    expect(words).toMatch(/\.$/);
    expect(words).not.toMatch(/undefined|\[object|NaN/);
  });
});

describe('what is wrong is named with its path', () => {
  it.each<[string, object, string]>([
    ['a pattern', { kind: 'regex', of: 'answer', pattern: '(a' }, 'pattern: expected a regular expression of RE2'],
    ['a range', { kind: 'regex', of: 'answer', pattern: 'a', atLeast: 3, atMost: 1 }, 'atMost: is less than'],
    ['a schema', { kind: 'json-schema', of: 'answer', schema: { type: 'objekt' } }, 'schema: expected a JSON Schema'],
    ['an unknown keyword of a schema', { kind: 'json-schema', of: 'answer', schema: { maximun: 3 } }, 'schema: expected a JSON Schema'],
    [
      'a schema elsewhere',
      { kind: 'json-schema', of: 'answer', schema: { $ref: 'https://example.org/x' } },
      'schema: expected a JSON Schema',
    ],
    ['a preset', { kind: 'refusal', of: 'replies', preset: 'nobody', expect: 'refusal' }, 'preset: no refusal preset'],
    ['queries', { ...valid.reasr, count: 2 }, 'queries: '],
    ['a file', { ...valid.reasr, queries: 'x.jsonl' }, 'queries: the folder has no file "x.jsonl"'],
    ['a secret', { kind: 'pii', of: 'answer', allow: 'secret/gone' }, 'allow: no secret is named "gone"'],
    [
      'a secret of a predicate',
      { kind: 'state-check', of: 'answer', checks: [predicate] },
      'checks/0/to/source: no secret is named "other"',
    ],
    [
      'a pattern of arguments',
      { kind: 'tool-policy', required: [{ tool: 'x', arguments: [{ at: '', is: 'matches', pattern: '*' }] }] },
      'required/0/arguments/0/pattern: expected a regular expression',
    ],
    ['an empty range', { kind: 'state-check', of: 'answer', checks: [{ at: '', is: 'between' }] }, 'checks/0: needs "min" or "max"'],
    ['a policy without a rule', { kind: 'tool-policy' }, ': a tool policy needs a rule'],
    ['a submission that grades itself', { kind: 'strongreject', of: 'answer' }, "of: a judge's answers are read from"],
    ['tokens of another measure', { ...valid.overlap, measure: 'rouge-l' }, 'atLeastTokens: counts tokens of "lcs" only'],
    [
      'a part of a part',
      { kind: 'all', parts: [equals, { kind: 'not', part: { kind: 'regex', of: 'answer', pattern: '(a' } }] },
      'parts/1/part/pattern: expected a regular expression',
    ],
    ['a program that is not there', { ...valid.program, path: 'graders/b.py' }, 'path: the folder has no file "graders/b.py"'],
    ['a program that is no text', { ...valid.program, path: 'graders/bad.py' }, 'path: "graders/bad.py" is not valid UTF-8 text'],
    ['a profile of another language', { ...valid.program, profile: 'node' }, 'profile: "node" does not run python; expected "python"'],
    [
      'a language of another profile',
      { ...valid.program, language: 'javascript' },
      'profile: "python" does not run javascript; expected "js"',
    ],
  ])('%s', (_, spec, problem) => {
    expect(problems(spec)).toEqual([expect.stringContaining(problem)]);
  });

  it('a program that is too large', () => {
    const files = bytesOf({ 'graders/a.py': ' '.repeat(262_145) });
    const found = checkGrader(GraderSpec.parse(valid.program), { ...around, files });
    expect(found).toEqual([{ path: ['path'], message: '"graders/a.py" has 262145 bytes, a grader program at most 262144' }]);
  });

  it('a program in the small sandbox where money or gVisor is in play', () => {
    const small = GraderSpec.parse({ ...valid.program, language: 'javascript', profile: 'js' });
    const messages = (demands: { gvisor: boolean; bounty: boolean }) =>
      checkGrader(small, { ...around, demands }).map(({ message }) => message);
    expect(messages({ gvisor: false, bounty: false })).toEqual([]);
    expect(messages({ gvisor: false, bounty: true })).toEqual([expect.stringContaining('this rubric has bounties')]);
    expect(messages({ gvisor: true, bounty: false })).toEqual([expect.stringContaining('this rubric demands gVisor')]);
  });

  it.each(['grader.py', 'graders/../rubric.yaml', 'graders/.hidden', '/graders/a.py', 'graders/', 'graders/a b.py'])(
    'a program outside of graders/: %s',
    (path) => {
      expect(GraderSpec.safeParse({ ...valid.program, path }).success).toBe(false);
    },
  );

  it('and with the line of rubric.yaml when a rubric is loaded', () => {
    const grader = '{ kind: all, parts: [{ kind: json-schema, of: answer, schema: { type: objekt } }] }';
    const yaml = smallRubricFiles['rubric.yaml']!.replace(/grader: .*/, `grader: ${grader}`);
    const loaded = rubricFromFiles(bytesOf({ ...smallRubricFiles, 'rubric.yaml': yaml }), '/x');
    expect(loaded).toMatchObject({
      ok: false,
      problems: [{ file: 'rubric.yaml', path: 'criteria/0/grader/parts/0/schema', line: expect.any(Number) }],
    });
  });

  it('also the target of a grader inside another one', () => {
    const grader = '{ kind: not, part: { kind: reasr, of: answer, to: input/country, target: gone, queries: q.jsonl, count: 1 } }';
    const yaml = smallRubricFiles['rubric.yaml']!.replace(/grader: .*/, `grader: ${grader}`);
    const loaded = rubricFromFiles(bytesOf({ ...smallRubricFiles, 'rubric.yaml': yaml }), '/x');
    expect(loaded).toMatchObject({
      ok: false,
      problems: [{ path: 'criteria/0/grader/part/target', message: 'no target is named "gone"' }],
    });
  });
});
