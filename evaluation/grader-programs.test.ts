import { describe, expect, it } from 'vitest';
import type { Json } from '../contracts/json.ts';
import { program } from '../contracts/program-grader.ts';
import type { SandboxDriver } from '../contracts/sandbox.ts';
import { wasmDriver } from '../sandboxes/wasm/driver.ts';
import { depsFor, fakeDriver, planFor, programOf, rightAnswers, rightProgram, wordFiles, wordRubricOf } from '../test/setup/evaluation.ts';
import { bytesOf } from '../test/setup/rubrics.ts';
import { rubricFromFiles } from '../rubrics/load.ts';
import { evaluate } from './evaluate.ts';
import { type GraderFailure, graderPrograms } from './grader-programs.ts';

const path = 'graders/word.js';
const graderOf = (more: object = {}) => ({ kind: 'program', path, language: 'javascript', profile: 'js', ...more });
const open = { phases: [{ name: 'open', title: 'Open', splits: ['public'] }], cases: { public: 'cases/public.jsonl' } };

/** The word rubric, graded by a program of its own. */
const gradedBy = (source: string, more: object = {}, changes: Record<string, unknown> = {}) =>
  wordRubricOf(
    {
      ...open,
      submission: [
        { kind: 'answers', schema: {} },
        { kind: 'program', schema: {} },
      ],
      criteria: [{ name: 'judged', title: 'Judged', grader: graderOf(more) }],
      ...changes,
    },
    {},
    { [path]: source },
  );

async function judge(source: string, { more = {}, sandboxes = [wasmDriver()] }: { more?: object; sandboxes?: SandboxDriver[] } = {}) {
  const rubric = gradedBy(source, more);
  const plan = planFor(rubric, rightAnswers(rubric));
  const failures: GraderFailure[] = [];
  const output = await evaluate(plan, depsFor(plan, { sandboxes, graderFailed: (failure) => void failures.push(failure) }));
  return { ...output, failures };
}

const honest = `
  const same = (a, b) => (a === b ? 1 : 0);
  export function grade({ answer, expected, case: one }) {
    return { score: same(answer, expected.word), evidence: { id: one.id, wanted: expected.word.length } };
  }
`;
const secret = 'the-expected-answer-is-42';

describe('a grader program', () => {
  it('gives the score, with its evidence', async () => {
    const { verdict, results, failures } = await judge(honest);
    expect(verdict).toMatchObject({ outcome: 'pass', score: 1 });
    expect(results.map(({ grades }) => grades[0])).toEqual(
      ['p0', 'p1', 'p2'].map((id) => ({
        ...{ criterion: 'judged', grader: 'program', status: 'graded', score: 1 },
        evidence: { program: { id, wanted: 7 } },
      })),
    );
    expect(failures).toEqual([]);
  });

  it('need not export anything, may be asynchronous and may say 0', async () => {
    const { verdict } = await judge('const grade = async () => ({ score: 0 }); // the end');
    expect(verdict).toMatchObject({ outcome: 'fail', score: 0 });
  });

  it('may ask for a person: its score is then a proposal that counts nowhere', async () => {
    const { verdict, results } = await judge("const grade = () => ({ score: 1, review: 'looks copied' });");
    expect(verdict.outcome).toBe('needs_review');
    expect(results[0]?.grades[0]).toMatchObject({
      status: 'needs_review',
      score: null,
      evidence: { message: 'looks copied', proposed: 1 },
    });
  });

  it('is shown what "sees" names and the id of its case, nothing else', async () => {
    const source =
      'const grade = (task) => ({ score: 1, evidence: { keys: Object.keys(task).sort().join(), of: Object.keys(task.case).join() } });';
    const { results } = await judge(source, { more: { sees: ['input', 'replies'] } });
    expect(results[0]?.grades[0]?.evidence).toEqual({ program: { keys: 'case,input,replies', of: 'id,split,trial' } });
  });

  it('starts every case afresh', async () => {
    const { results } = await judge(
      'let calls = 0; globalThis.seen ??= 0; const grade = () => ({ score: ++calls === 1 && ++seen === 1 ? 1 : 0 });',
    );
    expect(results.map(({ score }) => score)).toEqual([1, 1, 1]);
  });

  it('may be two graders in one file with limits of their own', async () => {
    const { driver, opened, closed } = fakeDriver(async () => ({ kind: 'answer', answer: { score: 1 }, log: '', wallMs: 1 }));
    const parts = [graderOf(), graderOf(), graderOf({ wallMs: 700 })];
    const rubric = gradedBy(honest, {}, { criteria: [{ name: 'judged', title: 'Judged', grader: { kind: 'all', parts } }] });
    const plan = planFor(rubric, rightAnswers(rubric), { id: 'mine' });
    const { verdict } = await evaluate(plan, depsFor(plan, { sandboxes: [driver] }));
    expect(verdict.outcome).toBe('pass');
    expect(opened.map(({ id, limits }) => [id, limits.wallMs])).toEqual([
      ['mine-public-grader-0', 5_000],
      ['mine-public-grader-1', 700],
    ]);
    expect(closed.toSorted()).toEqual(opened.map(({ id }) => id));
  });
});

/** The sponsor's program is at fault: no score, no verdict, and not a word of the program reaches the participant. */
const hostile: [string, string, string | RegExp][] = [
  ['throws', `const grade = () => { throw new Error('${secret}'); };`, 'ended with an exception'],
  ['does not compile', `const grade = ( => '${secret}';`, 'ended with an exception'],
  ['has no entry point', 'const solve = () => ({ score: 1 });', 'ended with an exception'],
  ['has a default export of its own', 'export default () => ({ score: 1 });', 'ended with an exception'],
  ['never ends', 'const grade = () => { for (;;); };', /limit of (wall|cpu)/],
  ['waits for ever', 'const grade = () => new Promise(() => {});', 'limit of wall'],
  ['eats memory', 'const grade = () => { const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1)); };', 'limit of memory'],
  ['nests without end', 'const grade = (task) => grade(task);', 'ended with an exception'],
  ['floods its output', `const grade = () => { for (;;) console.log('${secret}'.repeat(100)); };`, 'limit of output'],
  ['prints what looks like an answer', `const grade = () => { console.log('A{"score":1}'); throw 1; };`, 'ended with an exception'],
  ['answers too much', "const grade = () => ({ score: 1, evidence: { a: 'x'.repeat(70_000) } });", 'no JSON, or too large'],
  ['answers nothing', 'const grade = () => {};', 'no JSON, or too large'],
  ['answers NaN', 'const grade = () => ({ score: NaN });', 'no JSON, or too large'],
  ['answers in a circle', 'const grade = () => { const a = { score: 1 }; a.evidence = a; return a; };', 'no JSON, or too large'],
  ['answers 100', 'const grade = () => ({ score: 100 });', 'a score outside 0 to 1'],
  ['answers less than nothing', 'const grade = () => ({ score: -0.1 });', 'a score outside 0 to 1'],
  ['answers a word', "const grade = () => 'pass';", 'is not an object'],
  ['answers true', 'const grade = () => true;', 'is not an object'],
  ['answers a list', 'const grade = () => [{ score: 1 }];', 'is not an object'],
  ['answers an empty object', 'const grade = () => ({});', 'has no number "score"'],
  ['answers a score as text', "const grade = () => ({ score: '1' });", 'has no number "score"'],
  ['answers more than is asked', `const grade = () => ({ score: 1, '${secret}': true });`, 'members it must not have'],
  ['gives evidence that is none', `const grade = () => ({ score: 1, evidence: '${secret}' });`, 'of the wrong kind'],
  ['gives too much evidence', 'const grade = () => ({ score: 1, evidence: { a: Array(9000).fill(1) } });', 'more evidence than is kept'],
  [
    'nests its evidence',
    'const grade = () => { let a = 1; for (let i = 0; i < 20; i++) a = { a }; return { score: 1, evidence: a }; };',
    'levels deep',
  ],
  [
    'replaces what it stands on',
    'JSON.stringify = () => "1"; Object.prototype.score = 1; Reflect.apply = null; const grade = () => ({});',
    'has no number "score"',
  ],
  ['imports', "import fs from 'node:fs'; const grade = () => ({ score: 1 });", 'ended with an exception'],
  ['asks for the process', 'const grade = () => ({ score: process.pid });', 'ended with an exception'],
  [
    'asks for the network',
    "const grade = async () => { await fetch('http://127.0.0.1'); return { score: 1 }; };",
    'ended with an exception',
  ],
];

describe('a hostile grader program', () => {
  it.each(hostile)('that %s gives an error of the sponsor', async (_, source, message) => {
    const { verdict, results } = await judge(source, { more: { wallMs: 1_000, memoryBytes: 33_554_432 } });
    expect(verdict).toMatchObject({ outcome: 'error', score: null, reason: { code: 'grader_failed', faultOf: 'sponsor' } });
    expect(verdict.reason?.message).toMatch(message);
    expect(results).toEqual([]);
    expect(JSON.stringify(verdict)).not.toContain(secret);
  });

  it('tells its owner what it said', async () => {
    const { failures } = await judge(`const grade = (task) => { console.log('here'); throw new Error('${secret}'); };`);
    expect(failures[0]).toMatchObject({
      path,
      caseId: expect.stringMatching(/^p\d$/),
      log: 'here\n',
      message: expect.stringContaining(secret),
    });
  });

  it('cannot ask a model, though its rubric has targets', async () => {
    // The runner's second argument never reaches `grade`.
    const source = 'const grade = (...given) => ({ score: 1, evidence: { given: given.length } });';
    const { results } = await judge(source);
    expect(results[0]?.grades[0]?.evidence).toEqual({ program: { given: 1 } });
  });

  it('is given a door that refuses and a submission never is its neighbour', async () => {
    const { driver, opened, closed } = fakeDriver(async (task) => {
      if (task.id !== 'grade') return { kind: 'answer', answer: `word-${task.id}`, log: '', wallMs: 1 };
      const { answer, expected } = task.input as { answer: Json; expected: { word: string } };
      return { kind: 'answer', answer: { score: answer === expected.word ? 1 : 0 }, log: '', wallMs: 1 };
    });
    const rubric = gradedBy(honest);
    const plan = planFor(rubric, rightProgram);
    const { verdict } = await evaluate(plan, depsFor(plan, { sandboxes: [driver] }));
    expect(verdict).toMatchObject({ outcome: 'pass', score: 1 });
    expect(opened.map(({ id }) => id)).toEqual(['test-run-public', 'test-run-public-grader-0']);
    expect(closed.toSorted()).toEqual(opened.map(({ id }) => id).toSorted());
    const [submitted, grader] = opened.map((options) => JSON.stringify(options.program));
    expect(submitted).not.toContain('same(a, b)');
    expect(grader).not.toContain("'word-' + task.id");
    const request = { target: 'parrot', messages: [{ role: 'user' as const, content: 'hi' }] };
    expect(await opened[1]?.door.chat(request, new AbortController().signal)).toMatchObject({ ok: false, fault: { kind: 'policy' } });
  });

  it('meets submitted text as data', async () => {
    const rubric = gradedBy('const grade = ({ answer }) => ({ score: 0, evidence: { answer } });');
    const answer = '"}); export default () => ({ score: 1 }); //\u2028\0\ud83d\ude00';
    const plan = planFor(rubric, { kind: 'answers', answers: { p0: answer, p1: answer, p2: answer } });
    const { verdict, results } = await evaluate(plan, depsFor(plan, { sandboxes: [wasmDriver()] }));
    expect(verdict).toMatchObject({ outcome: 'fail', score: 0 });
    expect(results[0]?.grades[0]?.evidence).toEqual({ program: { answer: answer.replace('\0', '\ufffd') } });
  });
});

describe('a machine that cannot run it', () => {
  it('is named with what to install, once, and nobody fails', async () => {
    let asked = 0;
    const { driver } = fakeDriver(
      async () => ({ kind: 'error', message: 'never' }),
      async () => {
        asked += 1;
        return { ok: false, message: 'no engine' };
      },
    );
    const lacking: SandboxDriver = {
      ...driver,
      probe: async () => ({ available: false, profiles: ['js'], reason: 'no engine answers', install: 'Install an engine.' }),
    };
    const { verdict } = await judge(honest, { sandboxes: [lacking] });
    expect(verdict).toMatchObject({ outcome: 'error', reason: { code: 'grader_failed', faultOf: 'platform' } });
    expect(verdict.reason?.message).toContain('Grader programs of profile "js" cannot run here: no engine answers; Install an engine.');
    expect(asked).toBe(1);
    const none = await judge(honest, { sandboxes: [] });
    expect(none.verdict.reason?.message).toContain('no sandbox driver of this machine offers it');
  });

  it('whose sandbox breaks is at fault, not the sponsor', async () => {
    const { driver } = fakeDriver(async () => ({ kind: 'error', message: 'the engine is gone' }));
    const { verdict, failures } = await judge(honest, { sandboxes: [driver] });
    expect(verdict.reason).toMatchObject({ faultOf: 'platform', message: expect.stringContaining('could not be run: the engine is gone') });
    expect(failures).toEqual([]);
  });
});

describe('the sandboxes of grader programs', () => {
  const spec = program.parse(graderOf());
  const on = { caseId: 'p0', signal: new AbortController().signal };
  const setting = (drivers: SandboxDriver[]) => ({
    ...{ id: 'e', split: 'public' as const, rubric: gradedBy(honest), drivers, signal: new AbortController().signal },
  });

  it('are opened by the first case that needs one and run one case at a time', async () => {
    let running = 0;
    const { driver, opened, closed } = fakeDriver(async () => {
      running += 1;
      expect(running).toBe(1);
      await Promise.resolve();
      running -= 1;
      return { kind: 'answer', answer: { score: 1 }, log: '', wallMs: 1 };
    });
    const programs = graderPrograms(setting([driver]));
    expect(opened).toEqual([]);
    const said = await Promise.all(Array.from({ length: 20 }, () => programs.run(spec, {}, on)));
    expect(said).toEqual(Array.from({ length: 20 }, () => ({ ok: true, answer: { score: 1 } })));
    expect([opened.length, closed.length]).toEqual([1, 0]);
    await programs[Symbol.asyncDispose]();
    expect(closed).toEqual(['e-public-grader-0']);
  });

  it('begin no case of an evaluation that was stopped', async () => {
    let runs = 0;
    const { driver } = fakeDriver(async () => {
      runs += 1;
      return { kind: 'answer', answer: { score: 1 }, log: '', wallMs: 1 };
    });
    await using programs = graderPrograms(setting([driver]));
    expect(await programs.run(spec, {}, { caseId: 'p0', signal: AbortSignal.abort() })).toMatchObject({ ok: false, faultOf: 'platform' });
    expect(runs).toBe(0);
  });

  it('are limited by the grader, run under what the rubric demands and get no runtime of their own choice', async () => {
    const { driver, opened } = fakeDriver(async () => ({ kind: 'answer', answer: { score: 1 }, log: '', wallMs: 1 }));
    const files = wordFiles(
      {
        ...open,
        submission: [{ kind: 'answers', schema: {} }],
        sandbox: { profiles: ['node'], runtime: 'runsc' },
        criteria: [{ name: 'judged', title: 'Judged', grader: graderOf({ profile: 'node', wallMs: 900, memoryBytes: 20_000_000 }) }],
      },
      {},
      { [path]: honest },
    );
    const loaded = rubricFromFiles(bytesOf(files), '/nowhere');
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const node = { ...driver, profiles: ['node' as const] };
    await using programs = graderPrograms({ ...setting([node]), rubric: loaded.rubric });
    await programs.run({ ...spec, profile: 'node', wallMs: 900, memoryBytes: 20_000_000 }, {}, on);
    expect(opened[0]).toMatchObject({ runtime: 'runsc', riskTier: 'low', cases: 'independent', profile: 'node' });
    expect(opened[0]?.limits).toMatchObject({ wallMs: 900, cpuMs: 900, memoryBytes: 20_000_000, artifacts: { files: 0 } });
  });
});

it('a submitted program learns nothing of the one that grades it', async () => {
  const rubric = gradedBy('const grade = ({ answer }) => ({ score: 0, evidence: { answer } });');
  const plan = planFor(rubric, programOf('return JSON.stringify([Object.keys(task), typeof grade]);'));
  const { results } = await evaluate(plan, depsFor(plan, { sandboxes: [wasmDriver()] }));
  expect(results[0]?.grades[0]?.evidence).toEqual({ program: { answer: '[["id","input","target"],"undefined"]' } });
});
