import { createHash } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Artifact, CaseRun, Opened, SandboxDriver, SandboxOptions, Task } from '../contracts/sandbox.ts';
import { EvaluationReport } from '../contracts/evaluation.ts';
import { dockerDriver } from '../sandboxes/docker/driver.ts';
import { gzipOf, tarOf, zipOf } from '../test/setup/archives.ts';
import { testEngine } from '../test/setup/docker.ts';
import {
  answerOf,
  depsFor,
  fakeDriver,
  phaseOf,
  planFor,
  rightProgram,
  scriptedGateway,
  parrot,
  seed,
  wordRubricOf,
} from '../test/setup/evaluation.ts';
import { describeWith } from '../test/setup/optional.ts';
import { evaluate } from './evaluate.ts';
import { needOf } from './needs.ts';
import { resultHash } from './result-hash.ts';
import { runLocal } from './run-local.ts';

/* Submitted code from document to result: archives, images, what a case leaves behind. */

const programForm = { kind: 'program', schema: { type: 'string' }, maxBytes: 100_000 };
const limits = { wallMs: 10_000, cpuMs: 5_000, openFiles: 99 };
const criteria = [{ name: 'given', title: 'The word', grader: { kind: 'equals', of: 'answer', to: 'expected/word' } }];
const rubric = wordRubricOf({
  submission: [programForm, { kind: 'image', schema: { type: 'string' } }],
  criteria,
  sandbox: { profiles: ['node', 'python', 'image'], limits, cases: 'shared', runtime: 'runsc' },
});
const archive = (files: Record<string, string>) => zipOf(Object.entries(files).map(([name, data]) => ({ name, data }))).toString('base64');
const image = `registry.example/solver@sha256:${'a'.repeat(64)}`;

/** A driver of every container profile that says what it was opened with; the unpacker answers `unpacked`. */
function containers(unpacked: () => CaseRun, open?: SandboxDriver['open']) {
  const run = async (task: Task): Promise<CaseRun> => (task.id === 'unpack' ? unpacked() : answerOf(task));
  const { driver, opened, closed } = fakeDriver(run, open);
  return { driver: { ...driver, name: 'docker' as const, profiles: ['node', 'python', 'image'] as const }, opened, closed };
}
const files = (of: Record<string, string>): CaseRun => ({
  ...{ kind: 'answer', log: '', wallMs: 1 },
  answer: { files: Object.entries(of).map(([path, text]) => [path, Buffer.from(text).toString('base64')]) },
});

describe('an archive', () => {
  const submission = { kind: 'program', language: 'javascript', archive: archive({ 'main.mjs': 'x' }) } as const;

  it('is unpacked once, in a sandbox that is gone before the first case, and opened with its files for each split', async () => {
    const { driver, opened, closed } = containers(() => files({ 'main.mjs': 'x', 'lib/a.mjs': 'y' }));
    const plan = planFor(rubric, submission);
    const { verdict, refusal } = await evaluate(plan, depsFor(plan, { sandboxes: [driver] }));
    expect([verdict.outcome, refusal]).toEqual(['pass', null]);
    expect(opened.map(({ id, profile }) => [id, profile])).toEqual([
      ['test-run-unpack', 'python'],
      ['test-run-public', 'node'],
      ['test-run-hidden', 'node'],
    ]);
    expect(closed).toEqual(['test-run-unpack', 'test-run-public', 'test-run-hidden']);
    for (const one of opened.slice(1))
      expect(one.program).toEqual({ language: 'javascript', source: 'x', files: [{ path: 'lib/a.mjs', bytes: Buffer.from('y') }] });
  });

  it('takes its bound from the form and its runtime from the rubric, and sees neither a case nor a model', async () => {
    const tasks: Task[] = [];
    const { driver, opened } = fakeDriver(async (task, signal) => {
      tasks.push(task);
      if (task.id === 'unpack') {
        const said = await opened[0]!.door.chat({ target: 'parrot', messages: [{ role: 'user', content: 'hello' }] }, signal);
        expect(said).toMatchObject({ ok: false, fault: { kind: 'policy' } });
      }
      return task.id === 'unpack' ? files({ 'main.mjs': 'x' }) : answerOf(task);
    });
    const plan = planFor(rubric, submission);
    await evaluate(plan, depsFor(plan, { sandboxes: [{ ...driver, profiles: ['node', 'python'] }] }));
    expect(tasks[0]).toEqual({ id: 'unpack', target: null, input: { archive: submission.archive, bytes: 100_000, entries: 1_000 } });
    expect(opened[0]).toMatchObject({ runtime: 'runsc', riskTier: 'low' });
  });

  it('is never for the profile "js", which has one file', () => {
    const offering = (...profiles: string[]) => wordRubricOf({ submission: [programForm], criteria, sandbox: { profiles } }).rubric;
    expect(needOf(offering('js', 'node', 'python'), submission)).toBe('node');
    expect(needOf(offering('js', 'python'), submission)).toBeNull();
    expect(needOf(offering('js', 'python'), { ...submission, language: 'python' })).toBe('python');
  });

  it('that does not unpack is invalid and never an error: no case runs and none is shown', async () => {
    const { driver, opened } = containers(() => ({
      ...{ kind: 'answer', log: '', wallMs: 1 },
      answer: { fault: 'link', entry: 'evil' },
    }));
    const plan = planFor(rubric, submission);
    const deps = depsFor(plan, { sandboxes: [driver] });
    const { verdict, refusal, results } = await evaluate(plan, deps);
    expect(verdict).toMatchObject({ outcome: 'invalid', score: null });
    expect(verdict.reason).toMatchObject({ code: 'submission_refused', faultOf: 'participant' });
    expect(verdict.reason?.message).toContain('"evil" is a link');
    expect(refusal).toEqual(verdict.reason);
    expect([results, deps.sink.kept, opened.length]).toEqual([[], [], 1]);
    expect(deps.sink.log).toEqual(['started public 3']);
  });

  it('waits for a machine where it can be unpacked: the platform’s fault, with what is missing', async () => {
    const plan = planFor(rubric, submission);
    const { driver } = containers(() => ({ kind: 'error', message: 'the engine is gone' }));
    const gone = await evaluate(plan, depsFor(plan, { sandboxes: [driver] }));
    expect(gone.verdict).toMatchObject({ outcome: 'error', reason: { code: 'sandbox_unavailable', faultOf: 'platform' } });
    expect(gone.verdict.reason?.message).toContain('the engine is gone');
    const onlyNode = { ...driver, profiles: ['node'] as const };
    const none = await evaluate(plan, depsFor(plan, { sandboxes: [onlyNode] }));
    expect(none.verdict).toMatchObject({ outcome: 'error' });
    expect(none.verdict.reason?.message).toContain('profile "python", whatever their language');
    expect(none.refusal).toBeNull();
  });
});

describe('an image', () => {
  const submission = { kind: 'image', image } as const;

  it('is opened by its digest, with all the rubric says about its machine', async () => {
    const { driver, opened } = containers(() => files({}));
    const plan = planFor(rubric, submission);
    const { verdict } = await evaluate(plan, depsFor(plan, { sandboxes: [driver] }));
    expect(verdict.outcome).toBe('pass');
    expect(opened.map(({ profile }) => profile)).toEqual(['image', 'image']);
    expect(opened[0]).toMatchObject({
      program: { image },
      cases: 'shared',
      runtime: 'runsc',
      riskTier: 'low',
    } satisfies Partial<SandboxOptions>);
    expect(opened[0]?.limits.openFiles).toBe(99);
  });

  it('that is refused is invalid; one that cannot be had here is an error', async () => {
    const plan = planFor(rubric, submission);
    const outcomeOf = async (opened: Opened) => {
      const { driver } = containers(
        () => files({}),
        async () => opened,
      );
      return (await evaluate(plan, depsFor(plan, { sandboxes: [driver] }))).verdict;
    };
    const refused = await outcomeOf({ ok: false, message: 'it runs as root', fault: 'participant' });
    expect(refused).toMatchObject({ outcome: 'invalid', reason: { code: 'submission_refused', message: 'it runs as root' } });
    expect(await outcomeOf({ ok: false, message: 'no registry answers' })).toMatchObject({ outcome: 'error' });
    expect(await outcomeOf({ ok: false, message: 'no registry answers', fault: 'platform' })).toMatchObject({ outcome: 'error' });
  });
});

describe('what a case leaves behind', () => {
  const left: Artifact[] = [
    { path: 'z.txt', bytes: Buffer.from('zz') },
    { path: 'a.bin', bytes: Buffer.from([0, 255]) },
  ];
  const leaving = (artifacts: readonly Artifact[]) => fakeDriver(async (task) => ({ ...answerOf(task), artifacts }) as CaseRun);
  const words = wordRubricOf({}, {}, {});
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

  it('is in the result by path with hash and size, its bytes go to the sink in the same order', async () => {
    const plan = planFor(words, rightProgram);
    const deps = depsFor(plan, { sandboxes: [leaving(left).driver] });
    const { results } = await evaluate(plan, deps);
    expect(results[0]?.artifacts).toEqual([
      { path: 'a.bin', sha256: sha256(left[1]!.bytes), bytes: 2 },
      { path: 'z.txt', sha256: sha256(left[0]!.bytes), bytes: 2 },
    ]);
    expect(deps.sink.kept[0]?.texts.artifacts).toEqual([left[1]!.bytes, left[0]!.bytes]);
  });

  it('is part of the result hash, in whatever order the folder was read', async () => {
    const hashOf = async (artifacts: readonly Artifact[]) => {
      const plan = planFor(words, rightProgram);
      const { verdict, results } = await evaluate(plan, depsFor(plan, { sandboxes: [leaving(artifacts).driver] }));
      return resultHash({ rubricHash: words.hash, submissionHash: 'b'.repeat(64), seed, phase: 'all', verdict, results });
    };
    const hash = await hashOf(left);
    expect(await hashOf(left.toReversed())).toBe(hash);
    const others = [[], [left[0]!], [left[0]!, { ...left[1]!, path: 'b.bin' }], [left[0]!, { ...left[1]!, bytes: Buffer.from('x') }]];
    const hashes = await Promise.all(others.map(hashOf));
    expect(new Set([hash, ...hashes]).size).toBe(5);
  });

  it('is not kept of a case whose answer does not fit', async () => {
    const { driver } = fakeDriver(async () => ({ kind: 'answer', answer: 7, log: '', wallMs: 1, artifacts: left }));
    const plan = planFor(words, rightProgram);
    const deps = depsFor(plan, { sandboxes: [driver] });
    const { results } = await evaluate(plan, deps);
    expect(results[0]).toMatchObject({ end: 'fault', artifacts: [] });
    expect(deps.sink.kept[0]?.texts.artifacts).toEqual([]);
  });
});

const engine = await testEngine();
const socketFolder = await mkdtemp(join(tmpdir(), 'collective-code-'));

describeWith('docker', engine.state, 'a program of several files in a real sandbox', () => {
  const { dockerHost, images } = engine;
  const real = wordRubricOf({
    criteria,
    submission: [programForm],
    sandbox: { profiles: ['js', 'node', 'python'], limits: { ...limits, artifacts: { files: 2, bytes: 100, depth: 1 } } },
  });
  const judge = async (language: 'javascript' | 'python', bytes: Buffer) => {
    await using driver = dockerDriver({ dockerHost, socketFolder, images, workerId: `code-${process.pid}`, poolBytes: 0 });
    return await runLocal({
      ...{ rubric: real, phase: phaseOf(real), seed, targets: real.rubric.targets, sandboxes: [driver] },
      document: { kind: 'program', language, archive: bytes.toString('base64') },
      gateway: scriptedGateway(parrot),
      signal: new AbortController().signal,
      onProgress: () => {},
    });
  };
  const python = {
    main: `import os
from lib.words import word

def solve(task, target):
    os.makedirs("artifacts/more", exist_ok=True)
    open("artifacts/more/note.txt", "w").write(task["id"])
    return word(task["id"])
`,
    words: 'def word(of):\n    return "word-" + of\n',
  };

  it('in Python, from a zip with a folder around it; the report lists what was left behind', async () => {
    const report = await judge(
      'python',
      zipOf([
        { name: 'mine/main.py', data: python.main },
        { name: 'mine/lib/words.py', data: python.words },
      ]),
    );
    expect(report).toMatchObject({ outcome: 'pass', score: 1 });
    const printed = EvaluationReport.parse(JSON.parse(JSON.stringify(report)));
    const note = { path: 'more/note.txt', sha256: createHash('sha256').update('p0').digest('hex'), bytes: 2 };
    expect(printed.cases[0]?.artifacts).toEqual([note]);
  });

  it('in JavaScript, from a tar.gz, in the profile "node" although "js" comes first', async () => {
    const main = "import { word } from './lib/words.mjs';\nexport default async (task) => word(task.id);\n";
    const words = 'export const word = (of) => "word-" + of;\n';
    const report = await judge(
      'javascript',
      gzipOf(
        tarOf([
          { name: 'main.mjs', data: main },
          { name: 'lib/words.mjs', data: words },
        ]),
      ),
    );
    expect(report).toMatchObject({ outcome: 'pass', score: 1 });
  });

  it('of many small files, each of which takes a page', async () => {
    const small = Array.from({ length: 400 }, (_, i) => ({ name: `data/f${i}.txt`, data: 'x' }));
    const report = await judge(
      'python',
      zipOf([{ name: 'main.py', data: python.main }, { name: 'lib/words.py', data: python.words }, ...small]),
    );
    expect(report).toMatchObject({ outcome: 'pass', score: 1 });
  });

  it('of a hostile archive is invalid', async () => {
    const report = await judge(
      'python',
      tarOf([
        { name: 'main.py', data: python.main },
        { name: 'l', kind: '2', target: '/' },
      ]),
    );
    expect(report).toMatchObject({ outcome: 'invalid', score: null, cases: [] });
    expect(report.reason?.message).toContain('"l" is a link');
  });
});
