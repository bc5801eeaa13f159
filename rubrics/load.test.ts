import { once } from 'node:events';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSubmissionFile } from '../contracts/submission-file.ts';
import { bytesOf, smallRubricFiles, smallRubricYaml, temporaryFolder } from '../test/setup/rubrics.ts';
import { folderBounds } from './folder.ts';
import { contentHash, listFiles } from './hash.ts';
import { loadRubric, rubricFromFiles } from './load.ts';
import type { RubricProblem } from './rubric.ts';

function problemsOf(changes: Record<string, string | Uint8Array | null>): RubricProblem[] {
  const files = Object.fromEntries(
    Object.entries({ ...smallRubricFiles, ...changes }).filter((entry): entry is [string, string | Uint8Array] => entry[1] !== null),
  );
  const loaded = rubricFromFiles(bytesOf(files), '/rubric');
  return loaded.ok ? [] : loaded.problems;
}
/** The rubric's YAML with one text replaced; fails when the text is not there. */
function yaml(from: string, to: string): { 'rubric.yaml': string } {
  if (!smallRubricYaml.includes(from)) throw new Error(`no "${from}" in the rubric`);
  return { 'rubric.yaml': smallRubricYaml.replace(from, to) };
}
const lineOf = (text: string): number => smallRubricYaml.split('\n').findIndex((line) => line.includes(text)) + 1;

describe('a good folder', () => {
  it('loads with its cases, texts and the hash of all its files', async () => {
    await using folder = await temporaryFolder({ ...smallRubricFiles, 'data/notes.txt': 'notes' });
    const loaded = await loadRubric(folder.path);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const { rubric, bytes } = loaded;
    expect(rubric.cases.public.map(({ id }) => id)).toEqual(['fr', 'jp']);
    expect(rubric.cases.hidden.map(({ id }) => id)).toEqual(['ke']);
    expect(rubric.cases.holdout).toEqual([]);
    expect(rubric.readme).toBe('# Capitals\n');
    expect(rubric.text('data/notes.txt')).toBe('notes');
    expect(() => rubric.text('data/none.txt')).toThrow('none.txt');
    expect(rubric.files.map(({ path }) => path)).toEqual([
      'README.md',
      'cases/hidden.jsonl',
      'cases/public.jsonl',
      'data/notes.txt',
      'rubric.yaml',
    ]);
    expect(rubricFromFiles(bytes, rubric.folder)).toMatchObject({ ok: true, rubric: { hash: rubric.hash } });
    await writeFile(join(folder.path, 'data/notes.txt'), 'Notes');
    const changed = await loadRubric(folder.path);
    expect(changed.ok && changed.rubric.hash).not.toBe(rubric.hash);
  });

  it('has one hash whatever the order of the directory, and another for any change', () => {
    const file = fc.record({ path: fc.stringMatching(/^[a-z]{1,6}$/), content: fc.uint8Array({ maxLength: 20 }) });
    fc.assert(
      fc.property(fc.uniqueArray(file, { selector: ({ path }) => path, minLength: 1 }), fc.integer({ min: 0 }), (files, turn) => {
        const entries = files.map(({ path, content }): [string, Uint8Array] => [path, content]);
        const at = turn % entries.length;
        const turned = [...entries.slice(at), ...entries.slice(0, at)].reverse();
        const hash = contentHash(listFiles(new Map(entries)));
        expect(contentHash(listFiles(new Map(turned)))).toBe(hash);
        expect(contentHash([...listFiles(new Map(entries))].reverse())).toBe(hash);
        const [first, ...rest] = entries;
        expect(contentHash(listFiles(new Map([...rest, [first![0], Buffer.concat([first![1], Buffer.of(0)])]])))).not.toBe(hash);
      }),
    );
  });

  it.each(['trigger-recovery', 'pii-extraction', 'secret-keeper', 'over-refusal'])('is the built-in challenge %s', async (name) => {
    const loaded = await loadRubric(join(import.meta.dirname, 'library', name));
    expect(loaded.ok ? [] : loaded.problems).toEqual([]);
  });
});

describe('a problem names its file, line and path', () => {
  const right = lineOf('- name: right');
  it.each<[string, Record<string, string | Uint8Array | null>, Partial<RubricProblem>]>([
    ['an unknown key', yaml('score: accuracy', 'score: accuracy\nscoer: accuracy'), { line: lineOf('score: accuracy') + 1, path: 'scoer' }],
    ['an unknown key inside', yaml('title: The capital is right', 'titel: x\n    title: y'), { line: right + 1, path: 'criteria/0/titel' }],
    ['a wrong type', yaml('riskTier: low', 'riskTier: 7'), { line: lineOf('riskTier'), path: 'riskTier' }],
    ['a missing key', yaml('format: 1\n', ''), { line: 1, path: 'format' }],
    ['an unknown grader', yaml('kind: equals', 'kind: guess'), { line: right + 2, path: 'criteria/0/grader/kind' }],
    ['a wrong source', yaml('of: answer', 'of: anwser'), { line: right + 2, path: 'criteria/0/grader/of' }],
    ['NaN', yaml('threshold: 0.4', 'threshold: .nan'), { line: lineOf('threshold') }],
    ['infinity', yaml('threshold: 0.4', 'threshold: -.inf'), { line: lineOf('threshold') }],
    ['a key twice', yaml('riskTier: low', 'riskTier: low\nriskTier: high'), { line: lineOf('riskTier') + 1 }],
    ['__proto__', yaml('riskTier: low', 'riskTier: low\n__proto__: { x: 1 }'), { line: lineOf('riskTier') + 1 }],
    ['a key that is no text', yaml('riskTier: low', 'riskTier: low\n1: x'), { line: lineOf('riskTier') + 1 }],
    ['a tag', yaml('riskTier: low', 'riskTier: !!binary bG93'), { line: lineOf('riskTier') }],
    ['broken YAML', yaml('riskTier: low', 'riskTier: [low'), { file: 'rubric.yaml' }],
    ['a second document', { 'rubric.yaml': `${smallRubricYaml}---\nx: 1\n` }, { file: 'rubric.yaml' }],
    ['no score', yaml('score: accuracy', 'score: precision'), { line: lineOf('score: accuracy'), path: 'score' }],
    [
      'a required metric that is not there',
      yaml('threshold: 0.4', 'require: [{ metric: recall, atLeast: 0.5 }], threshold: 0.4'),
      { path: 'pass/require/0/metric', message: expect.stringContaining('"recall"') },
    ],
    [
      'an image submission without the profile for it',
      yaml('kind: answers\n    schema: { type: string, maxLength: 100 }', 'kind: image\n    schema: {}'),
      { path: 'sandbox/profiles', message: expect.stringContaining('the profile "image"') },
    ],
    [
      'a bounty on a demonstration',
      yaml(
        'riskTier: low',
        'riskTier: low\ndemonstration: true\nbounties: [{ name: b, threshold: 1, amountMinor: 5, currency: EUR, count: 1 }]',
      ),
      { path: 'bounties', line: lineOf('riskTier') + 2 },
    ],
    ['a broken answer schema', yaml('type: string,', 'typ: string,'), { line: lineOf('schema:'), path: 'submission/0/schema' }],
    ['a pattern outside RE2', yaml('maxLength: 100', 'pattern: "(?=a)b\\\\1"'), { path: 'submission/0/schema' }],
    [
      'an unknown preset',
      yaml(
        '{ kind: equals, of: answer, to: expected/capital, normalise: [trim, lower] }',
        '{ kind: refusal, of: answer, preset: nobody, expect: refusal }',
      ),
      { line: right + 2, path: 'criteria/0/grader/preset' },
    ],
    ['an unknown secret', yaml('to: expected/capital', 'to: secret/word'), { line: right + 2, path: 'criteria/0/grader/to' }],
    [
      'a control that is not there',
      yaml('pass:', 'controls: [{ path: controls/oracle.json, title: O, role: oracle }]\npass:'),
      { path: 'controls/0/path', message: expect.stringContaining('controls/oracle.json') },
    ],
    ['a sample that is not there', yaml('pass:', 'samples: [{ path: s.json, title: S }]\npass:'), { path: 'samples/0/path' }],
    [
      'queries that are not there',
      yaml(
        '{ kind: equals, of: answer, to: expected/capital, normalise: [trim, lower] }',
        '{ kind: reasr, of: answer, to: input, target: m, queries: q.jsonl, count: 1 }\ntargets: [{ name: m, provider: simulated, model: m }]',
      ),
      { path: 'criteria/0/grader/queries' },
    ],
    ['a score for no accepted kind', yaml('    grader:', '    for: [program]\n    grader:'), { path: 'criteria' }],
    ['a file of cases that is not there', { 'cases/hidden.jsonl': null }, { line: lineOf('hidden: cases'), path: 'cases/hidden' }],
    ['no README', { 'README.md': null }, { file: 'README.md', line: null }],
    ['no rubric.yaml', { 'rubric.yaml': null }, { file: 'rubric.yaml', line: null }],
    [
      'YAML that is not UTF-8',
      { 'rubric.yaml': Buffer.from([0x66, 0xff, 0xfe]) },
      { file: 'rubric.yaml', message: expect.stringContaining('UTF-8') },
    ],
    [
      'a README that is not UTF-8',
      { 'README.md': Buffer.from([0xc3, 0x28]) },
      { file: 'README.md', message: expect.stringContaining('UTF-8') },
    ],
  ])('%s', (_, changes, problem) => {
    expect(problemsOf(changes)).toContainEqual(expect.objectContaining(problem));
  });

  it('reports several at once', () => {
    expect(
      problemsOf(yaml('riskTier: low', 'riskTier: tiny\ncolour: red'))
        .map(({ path }) => path)
        .sort(),
    ).toEqual(['colour', 'riskTier']);
  });
});

describe('YAML bombs are refused quickly', () => {
  it('of aliases', () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) => `a${i}: &a${i} [${i === 0 ? 'x' : Array.from({ length: 9 }, () => `*a${i - 1}`).join(', ')}]`,
    );
    const startedAt = performance.now();
    expect(problemsOf({ 'rubric.yaml': levels.join('\n') })).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('aliases') }),
    );
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  it.each([
    ['brackets', '['.repeat(100_000)],
    ['list items', '- '.repeat(100_000)],
    ['braces', '{a: '.repeat(50_000)],
  ])('of nested %s', (_, text) => {
    expect(problemsOf({ 'rubric.yaml': `x: ${text}` })).not.toEqual([]);
  });

  it.each([65, 1_000, 5_000])('of %i graders inside each other, with the place and without an exception', (levels) => {
    const grader = `${'{ kind: not, part: '.repeat(levels)}{ kind: includes, of: answer, to: input }${' }'.repeat(levels)}`;
    const right = lineOf('kind: equals');
    expect(problemsOf(yaml('{ kind: equals, of: answer, to: expected/capital, normalise: [trim, lower] }', grader))).toEqual([
      {
        ...{ file: 'rubric.yaml', line: right },
        path: 'criteria/0/grader/part/part/part/part/part/part/part/part/part',
        message: expect.stringContaining('more than 64 levels deep'),
      },
    ]);
    const rows = Array.from({ length: Math.min(levels, 900) }, (_, i) => `${' '.repeat(i)}"a":`).join('\n');
    expect(problemsOf({ 'rubric.yaml': `${rows} 1` })).toMatchObject([{ line: 65, path: expect.stringMatching(/^a\/a\//) }]);
    expect(problemsOf({ 'rubric.yaml': `${'- '.repeat(levels)}1\n` })).toMatchObject([{ line: 1, path: expect.stringMatching(/^0\/0\//) }]);
  });

  it('of levels that only aliases add up', () => {
    const wrapped = (inner: string) => `${'['.repeat(30)}${inner}${']'.repeat(30)}`;
    const text = `a: &a ${wrapped('x')}\nb: &b ${wrapped('*a')}\nc: ${wrapped('*b')}\n`;
    expect(problemsOf({ 'rubric.yaml': text })).toMatchObject([
      // The line is where the deepest piece is written.
      { line: 1, path: expect.stringMatching(/^c\/0\/0\//), message: expect.stringContaining('more than 64 levels deep') },
    ]);
  });

  it('of a control or a case inside the other files', () => {
    const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
    expect(problemsOf({ 'cases/public.jsonl': `{"id":"fr","input":${deep}}` })).toMatchObject([
      { file: 'cases/public.jsonl', line: 1, message: expect.stringContaining('levels deep') },
    ]);
    expect(readSubmissionFile('controls/oracle.json', Buffer.from(`{"fr":${deep}}`), ['answers'])).toMatchObject({
      ok: false,
      problem: expect.stringContaining('levels deep'),
    });
  });

  it('of size', () => {
    expect(problemsOf({ 'rubric.yaml': `# ${'x'.repeat(600_000)}\n${smallRubricYaml}` })).toMatchObject([
      { message: expect.stringContaining('bytes') },
    ]);
  });
});

describe('cases', () => {
  const good = '{"id":"fr","input":1,"expected":{"capital":"Paris"}}';
  it.each<[string, string | Uint8Array, Partial<RubricProblem>]>([
    ['an empty line', `${good}\n\n${good.replace('fr', 'de')}\n`, { line: 2, message: expect.stringContaining('empty') }],
    ['an empty file', '', { line: null, message: expect.stringContaining('no cases') }],
    ['no JSON', `${good}\n{"id":`, { line: 2, message: expect.stringContaining('not JSON') }],
    ['an unknown key', `${good.replace('"input"', '"inptu":2,"input"')}`, { line: 1, path: 'inptu' }],
    ['an id twice', `${good}\n${good}`, { line: 2, path: 'id' }],
    ['an id of another split', good.replace('fr', 'ke'), { file: 'cases/hidden.jsonl', line: 1, path: 'id' }],
    ['a key twice in a phase', `${good}\n${good.replace('"id":"fr"', '"id":"x","key":"fr"')}`, { line: 2, path: 'key' }],
    ['an unknown target', good.replace('"input"', '"target":"nobody","input"'), { line: 1, path: 'target' }],
    [
      '100,000 levels',
      `${good}\n{"id":"x","input":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      { line: 2, message: expect.stringContaining('100001 levels') },
    ],
    ['__proto__', `${good}\n{"id":"x","input":{"__proto__":1}}`, { line: 2, message: expect.stringContaining('__proto__') }],
    ['NaN', `${good}\n{"id":"x","input":NaN}`, { line: 2, message: expect.stringContaining('not JSON') }],
    [
      'a line that is not UTF-8',
      Buffer.concat([Buffer.from(`${good}\n{"id":"x","input":"`), Buffer.from([0xff]), Buffer.from('"}\n')]),
      { line: 2, message: expect.stringContaining('UTF-8') },
    ],
    ['a line of 2 MB', `{"id":"x","input":"${'y'.repeat(2_000_000)}"}`, { line: 1, message: expect.stringContaining('bytes') }],
  ])('with %s are a problem at their line', (_, content, problem) => {
    expect(problemsOf({ 'cases/public.jsonl': content })).toContainEqual(expect.objectContaining(problem));
  });

  it('may have one key in two phases', () => {
    const phases = yaml(
      '  - { name: all, title: All cases, splits: [public, hidden] }',
      '  - { name: dev, title: Dev, splits: [public] }\n  - { name: test, title: Test, splits: [hidden] }',
    );
    expect(problemsOf({ ...phases, 'cases/hidden.jsonl': good.replace('"id":"fr"', '"id":"ke","key":"fr"') })).toEqual([]);
  });

  it('need a text where a group mean reads its group', () => {
    const grouped = yaml('kind: mean, of: { criterion: right }', 'kind: group-mean, criterion: right, by: expected/label');
    expect(problemsOf(grouped)).toContainEqual(
      expect.objectContaining({ file: 'cases/public.jsonl', line: 1, message: expect.stringContaining('expected/label') }),
    );
  });
});

describe('a folder', () => {
  const refuses = async (prepare: (path: string) => Promise<unknown>, message: string) => {
    await using folder = await temporaryFolder(smallRubricFiles);
    await prepare(folder.path);
    const loaded = await loadRubric(folder.path);
    expect(loaded.ok ? [] : loaded.problems).toContainEqual(expect.objectContaining({ message: expect.stringContaining(message) }));
  };

  it('with a link is refused, to a file as to a folder', async () => {
    await refuses((path) => symlink('/etc/passwd', join(path, 'notes.txt')), 'links');
    await refuses((path) => symlink('/etc', join(path, 'data')), 'links');
  });

  it('with a special file is refused', async () => {
    await using server = createServer();
    await refuses(async (path) => once(server.listen(join(path, 'socket')), 'listening'), 'ordinary files');
  });

  it('with hidden or odd names is refused', async () => {
    await refuses((path) => writeFile(join(path, '.env'), 'KEY=1'), 'hidden');
    await refuses((path) => writeFile(join(path, 'a b.txt'), ''), 'names');
  });

  it('beyond its bounds is refused', async () => {
    await refuses((path) => mkdir(join(path, 'a/b/c/d/e/f'), { recursive: true }), 'nest');
    await refuses((path) => writeFile(join(path, 'big.bin'), Buffer.alloc(folderBounds.fileBytes + 1)), 'bytes');
    await refuses(
      async (path) => Promise.all(Array.from({ length: 3 }, (_, i) => writeFile(join(path, `b${i}.bin`), Buffer.alloc(8_000_000)))),
      'more than',
    );
    await refuses(
      async (path) => Promise.all(Array.from({ length: 201 }, (_, i) => writeFile(join(path, `f${i}`), ''))),
      'more than 200 files',
    );
  });

  it('that is missing or a file is refused', async () => {
    await using folder = await temporaryFolder({ file: '' });
    expect(await loadRubric(join(folder.path, 'nothing'))).toMatchObject({
      ok: false,
      problems: [{ message: expect.stringContaining('ENOENT') }],
    });
    expect(await loadRubric(join(folder.path, 'file'))).toMatchObject({
      ok: false,
      problems: [{ message: expect.stringContaining('not a folder') }],
    });
  });
});

it('never throws, whatever the bytes', () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ maxLength: 300 }).map((text) => Buffer.from(text)),
  );
  // Real files with one stretch replaced reach further than noise does.
  const damaged = (text: string) =>
    fc.tuple(fc.nat({ max: text.length }), fc.nat({ max: 20 }), anything).map(([at, length, bytes]) => {
      const whole = Buffer.from(text);
      return Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at + length)]);
    });
  fc.assert(
    fc.property(
      fc.oneof(anything, damaged(smallRubricYaml)),
      fc.oneof(anything, damaged(smallRubricFiles['cases/public.jsonl']!)),
      (rubric, cases) => {
        for (const files of [
          { 'rubric.yaml': rubric },
          { 'cases/public.jsonl': cases },
          { 'rubric.yaml': rubric, 'cases/public.jsonl': cases },
        ]) {
          const loaded = rubricFromFiles(bytesOf({ ...smallRubricFiles, ...files }), '/rubric');
          if (!loaded.ok) expect(loaded.problems.length).toBeGreaterThan(0);
        }
      },
    ),
    { numRuns: 300 },
  );
});
