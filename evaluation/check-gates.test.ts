import { describe, expect, it } from 'vitest';
import { type GateName, GateResult } from '../contracts/gates.ts';
import { loadRubric } from '../rubrics/load.ts';
import {
  parrot,
  rightAnswers,
  rightPrompts,
  scriptedGateway,
  type Script,
  wordCases,
  wordFiles,
  wordRubricOf,
} from '../test/setup/evaluation.ts';
import { temporaryFolder } from '../test/setup/rubrics.ts';
import { checkGates } from './check-gates.ts';

const oracleFile = JSON.stringify(rightAnswers(wordRubricOf()));
const oracle = { path: 'controls/oracle.json', title: 'Every word', role: 'oracle' };
const given = { name: 'given', title: 'The answer is the word', grader: { kind: 'equals', of: 'answer', to: 'expected/word' } };
const answersOnly = {
  submission: [{ kind: 'answers', schema: { type: 'string', maxLength: 4000 } }],
  criteria: [given],
  targets: [],
  controls: [oracle],
};

async function gates(
  changes: Record<string, unknown>,
  files: Record<string, string> = { 'controls/oracle.json': oracleFile },
  script: Script = () => 'nothing',
  cases: Parameters<typeof wordFiles>[1] = {},
) {
  await using folder = await temporaryFolder(wordFiles({ ...answersOnly, ...changes }, cases, files));
  const loaded = await loadRubric(folder.path);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const told: GateResult[] = [];
  const progress: string[] = [];
  const results = await checkGates(loaded.rubric, {
    gateway: scriptedGateway(script),
    sandboxes: [],
    signal: new AbortController().signal,
    onGate: (one) => void told.push(one),
    onProgress: ({ gate, done, of }) => void progress.push(`${gate} ${done}/${of}`),
  });
  expect(told).toEqual(results);
  for (const result of results) expect(GateResult.parse(result)).toEqual(result);
  const failed = results.filter((one) => !one.ok);
  for (const { fix } of failed) expect(fix).not.toBe('');
  return {
    results,
    progress,
    failed: failed.map(({ gate, control }) => (control === undefined ? gate : `${gate}: ${control}`)),
    of: (gate: GateName) => results.filter((one) => one.gate === gate),
  };
}

describe('the gates of publication', () => {
  it('pass, in their order, for a rubric that can be won by knowing and not by guessing', async () => {
    const { results, failed, progress, of } = await gates({});
    expect(failed).toEqual([]);
    expect([...new Set(results.map(({ gate }) => gate))]).toEqual([
      ...['schema', 'secret-scan', 'graded', 'reachable', 'oracle', 'null-suite', 'repeats'],
      ...['monotonicity', 'controls', 'mutation', 'estimate', 'power', 'judges'],
    ]);
    const suite = of('null-suite').map(({ control }) => control);
    for (const name of ['empty', 'constant', 'random', 'off-topic', 'verbose', 'injected', 'null-model', 'reference-copy', 'stuffed'])
      expect(suite).toContain(`${name} (all)`);
    // The phase of the public cases is inside of the other one: nothing runs twice.
    expect(suite).toContain('stuffed (open)');
    expect(progress).toContain(`null-suite ${suite.length / 2}/${suite.length / 2}`);
    expect(of('oracle')).toMatchObject([{ control: 'oracle: Every word', measured: 1 }]);
  });

  it('fail for a rubric on which a submission that knows nothing passes, and say what pays it', async () => {
    const generous = {
      criteria: [{ ...given, grader: { kind: 'includes', of: 'answer', to: 'input/prompt' } }],
      pass: { threshold: 0.5, bound: 'point' },
    };
    const { failed, of } = await gates(generous, { 'controls/oracle.json': JSON.stringify({ kind: 'answers', answers: {} }) });
    expect(failed).toContain('null-suite: copied (all)');
    const copied = of('null-suite').find(({ control }) => control === 'copied (all)');
    expect(copied).toMatchObject({ measured: 1, detail: 'pass, score 1, must stay below 0.5' });
    expect(copied?.fix).toContain('criterion "given" gives it 1 on average');
  });

  it('fail where a submission that knows nothing reaches the threshold of a bounty, though not that of the pass rule', async () => {
    // Always the most frequent word gives a part of the points.
    const cases = {
      public: wordCases('p', 10).map((c, i) => ({ ...c, expected: { word: i < 4 ? 'yes' : `word-p${i}` } })),
      hidden: wordCases('h', 10).map((c, i) => ({ ...c, expected: { word: i < 3 ? 'yes' : `word-h${i}` } })),
    };
    const answers = Object.fromEntries([...cases.public, ...cases.hidden].map(({ id, expected }) => [id, expected.word]));
    const files = { 'controls/oracle.json': JSON.stringify({ kind: 'answers', answers }) };
    const bounty = (threshold: number) => ({ name: 'b', threshold, amountMinor: 100_000, currency: 'EUR', count: 1 });
    const nulls = async (...thresholds: number[]) => {
      const { of } = await gates({ demonstration: false, bounties: thresholds.map(bounty) }, files, undefined, cases);
      return of('null-suite').filter(({ ok }) => !ok);
    };
    expect(await nulls()).toEqual([]);
    expect(await nulls(0.95)).toEqual([]);
    const paid = await nulls(0.95, 0.1);
    expect(paid.map(({ control }) => control)).toContain('constant (all)');
    expect(paid[0]?.detail).toContain('must stay below 0.1 (bounty "b")');
  });

  it('let a null submission have all of one thing where the pass rule asks for two', async () => {
    const quiet = {
      name: 'quiet',
      title: 'Says nothing loud',
      grader: { kind: 'regex', of: 'answer', pattern: '!', atLeast: 0, atMost: 0 },
    };
    const metrics = ['given', 'quiet'].map((criterion) => ({ name: criterion, title: criterion, kind: 'mean', of: { criterion } }));
    const safe = { criteria: [given, quiet], metrics, score: 'quiet' };
    const alone = await gates({ ...safe, pass: { threshold: 0.5 } });
    expect(alone.failed).toContain('null-suite: constant (all)');
    expect(alone.failed).toContain('reachable: given');
    const both = await gates({ ...safe, pass: { threshold: 0.5, require: [{ metric: 'given', atLeast: 0.5 }] } });
    expect(both.failed.filter((one) => !one.startsWith('mutation'))).toEqual([]);
    expect(both.of('null-suite').find(({ control }) => control === 'constant (all)')).toMatchObject({ ok: true, measured: 1 });
  });

  it('fail for an oracle below the maximum, and for a rubric without one', async () => {
    const nearly = JSON.stringify({ kind: 'answers', answers: { p0: 'word-p0' } });
    expect((await gates({}, { 'controls/oracle.json': nearly })).failed).toEqual(['oracle: oracle: Every word']);
    const { failed, of } = await gates({ controls: [] }, {});
    expect(failed).toEqual(['graded: given', 'oracle', 'repeats']);
    expect(of('oracle')[0]?.detail).toContain('the maximum can be reached');
  });

  it('fail for a control that ends otherwise than it says, pass for one that is refused as it says', async () => {
    const files = {
      'controls/oracle.json': oracleFile,
      'controls/cheat.json': JSON.stringify({ kind: 'answers', answers: { p0: 'word-p0', p1: 'word-p1', p2: 'word-p2', h0: 'word-h0' } }),
      'controls/unknown.json': JSON.stringify({ kind: 'answers', answers: { 'no-such-case': 'x' } }),
    };
    const cheat = { path: 'controls/cheat.json', title: 'Most words', role: 'cheat' };
    const unknown = { path: 'controls/unknown.json', title: 'Unknown key', role: 'cheat', expect: { outcome: 'invalid' } };
    const tooMuch = await gates({ controls: [oracle, { ...cheat, expect: { max: 0.5 } }, unknown] }, files);
    expect(tooMuch.failed).toEqual(['controls: cheat: Most words']);
    expect(tooMuch.of('controls')[0]).toMatchObject({ measured: 0.8, fix: expect.stringContaining('paid more than it is worth') });
    expect((await gates({ controls: [oracle, { ...cheat, expect: { min: 0.7, max: 0.9 } }, unknown] }, files)).failed).toEqual([]);
    const wrong = await gates({ controls: [oracle, { ...unknown, expect: {} }] }, files);
    expect(wrong.failed).toEqual(['controls: cheat: Unknown key']);
    expect(wrong.of('controls')[0]?.detail).toContain('no-such-case');
  });

  it('fail, with the reason, when nothing here can run the controls', async () => {
    const programs = {
      submission: [{ kind: 'program', schema: { type: 'string' } }],
      targets: [{ name: 'parrot', provider: 'simulated', model: 'parrot' }],
      controls: [{ ...oracle, path: 'controls/oracle.js' }],
    };
    const { failed, of } = await gates(programs, { 'controls/oracle.js': "export default async (task) => 'word-' + task.id;" });
    expect(failed).toContain('oracle: oracle: Every word');
    expect(of('oracle')[0]?.detail).toContain('cannot run here');
    expect(of('null-suite')).toMatchObject([
      { ok: false, control: expect.stringMatching(/^empty \(all\) and \d+ more$/), measured: 'error' },
    ]);
  });
});

describe('forms that code alone does not decide', () => {
  it('a report gets to a person, the best one and the empty one alike', async () => {
    const reports = {
      submission: [{ kind: 'report', minEvidence: 1 }],
      criteria: [{ ...given, grader: { kind: 'regex', of: 'answer/body', pattern: 'reproduce' } }],
      controls: [{ ...oracle, path: 'controls/report.md', title: 'A whole report' }],
    };
    const file = '# A finding\nHow to reproduce it: see below.\n## Evidence: log\nIt happened.\n';
    const { failed, of } = await gates(reports, { 'controls/report.md': file });
    expect(failed).toEqual([]);
    expect(of('oracle')).toMatchObject([{ measured: 'needs_review' }]);
    for (const { measured } of of('null-suite')) expect(measured).toBe('needs_review');
    expect(of('power')).toMatchObject([{ measured: 'none' }]);
    const honest = { ...reports, controls: [{ ...reports.controls[0], role: 'honest' }] };
    expect((await gates(honest, { 'controls/report.md': file })).failed).toEqual([]);
  });

  it('an image cannot be made here, so a null image has to be declared', async () => {
    const images = { submission: [{ kind: 'image', schema: { type: 'string' } }], sandbox: { profiles: ['image'] }, controls: [] };
    const { of } = await gates(images, {});
    expect(of('null-suite')).toMatchObject([{ ok: false, control: 'image', fix: expect.stringContaining('role: "null"') }]);
  });

  it('a schema that refuses every null text needs one by hand', async () => {
    const only = { type: 'string', pattern: '^word-[ph]\\d$' };
    const strict = {
      submission: [{ kind: 'answers', schema: only }],
      cases: { public: 'cases/public.jsonl' },
      phases: [{ name: 'open', title: 'Open', splits: ['public'] }],
    };
    const one = JSON.stringify({ kind: 'answers', answers: { p0: 'word-p0', p1: 'word-p1', p2: 'word-p2' } });
    const bare = await gates(strict, { 'controls/oracle.json': one }, undefined, {});
    // Other cases' answers still fit this schema, and are wrong.
    expect(bare.of('null-suite').map(({ control }) => control)).toEqual(['empty (open)', 'reference-copy (open)', 'shuffled (open)']);
    const alone = [{ id: 'p0', input: { prompt: 'say it' }, expected: { word: 'word-p0' } }];
    const lone = await gates(
      strict,
      { 'controls/oracle.json': JSON.stringify({ kind: 'answers', answers: { p0: 'word-p0' } }) },
      undefined,
      { public: alone },
    );
    expect(lone.failed).toContain('null-suite: answers');
  });
});

describe('criteria and gates that do nothing', () => {
  const reports = { name: 'polite', title: 'Says please', grader: { kind: 'regex', of: 'answer', pattern: 'please' } };
  const byName = { metrics: [{ name: 'score', title: 'Words', kind: 'mean', of: { criterion: 'given' } }] };

  it('a criterion that no right submission is graded by is named', async () => {
    const forOthers = await gates({ criteria: [given, { ...reports, for: ['prompts'] }] });
    expect(forOthers.failed).toEqual(['graded: polite']);
    expect(forOthers.of('graded')[0]?.detail).toContain('takes no such submission');
  });

  it('a weight that the score never reads is named; without weight it only reports', async () => {
    expect((await gates({ criteria: [given, reports], ...byName })).failed).toEqual(['reachable: polite']);
    expect((await gates({ criteria: [given, { ...reports, weight: 0 }], ...byName })).failed).toEqual([]);
    const unread = await gates({ criteria: [given, { ...reports, weight: 0, gate: { scope: 'case', atLeast: 0.5 } }], ...byName });
    expect(unread.of('reachable')[0]).toMatchObject({ ok: false, control: 'polite', fix: expect.stringContaining('scope "submission"') });
  });

  it('a gate that nothing closes is named, and one that the oracle cannot open', async () => {
    const never = { ...reports, weight: 0, grader: { kind: 'regex', of: 'answer', pattern: 'x'.repeat(40), atLeast: 0, atMost: 0 } };
    const open = await gates({ criteria: [given, { ...never, gate: { scope: 'case' } }] });
    expect(open.failed).toEqual(['reachable: polite', 'mutation: polite']);
    expect(open.of('reachable')[0]).toMatchObject({ measured: 1, fix: expect.stringContaining('role cheat') });
    const shut = await gates({ criteria: [given, { ...reports, weight: 0, gate: { scope: 'case' } }] });
    // Behind a gate that is always shut no other check decides anything.
    expect(shut.failed).toEqual(['reachable: polite', 'oracle: oracle: Every word', 'mutation: given']);
  });

  it('a part of a combination that no control needs is named; one that a control needs is not', async () => {
    const both = (second: unknown) => ({ criteria: [{ ...given, grader: { kind: 'all', parts: [given.grader, second] } }] });
    const useless = await gates(both({ kind: 'regex', of: 'answer', pattern: '.*', atLeast: 0 }));
    expect(useless.failed).toEqual(['mutation: given: all/2 (regex)']);
    const shouts = { ...oracle, path: 'controls/shout.json', title: 'Shouts', role: 'cheat', expect: { max: 0 } };
    const files = {
      'controls/oracle.json': oracleFile,
      'controls/shout.json': JSON.stringify({ kind: 'answers', answers: { p0: 'word-p0!' } }),
    };
    const parts = [
      { kind: 'includes', of: 'answer', to: 'expected/word' },
      { kind: 'regex', of: 'answer', pattern: '!', atLeast: 0, atMost: 0 },
    ];
    const needed = await gates({ criteria: [{ ...given, grader: { kind: 'all', parts } }], controls: [oracle, shouts] }, files);
    expect(needed.failed.filter((name) => name.startsWith('mutation'))).toEqual([]);
    const unshown = await gates({ criteria: [{ ...given, grader: { kind: 'all', parts } }] });
    expect(unshown.failed).toContain('mutation: given: all/2 (regex)');
  });
});

describe('repeats and monotonicity', () => {
  const prompts = {
    submission: [{ kind: 'prompts', maxMessages: 3 }],
    targets: [{ name: 'parrot', provider: 'simulated', model: 'parrot' }],
    criteria: [{ ...given, grader: { kind: 'includes', of: 'last-reply', to: 'expected/word' } }],
  };
  const files = { 'controls/oracle.json': JSON.stringify(rightPrompts(wordRubricOf())) };

  it('a criterion that pays every answer in full is named: it separates nothing; as a gate, or with a control that violates it, it does', async () => {
    const polite = {
      ...{ name: 'polite', title: 'Does not say it', weight: 1 },
      grader: { kind: 'not', part: { kind: 'includes', of: 'answer', to: 'input/never' } },
    };
    const never = (c: ReturnType<typeof wordCases>[number]) => ({ ...c, input: { prompt: c.id, never: 'zzzqqq' } });
    const cases = { public: wordCases('p', 3).map(never), hidden: wordCases('h', 2).map(never) };
    const cheat = { path: 'controls/rude.json', title: 'Says it', role: 'cheat', expect: { max: 0.5 } };
    const files = {
      'controls/oracle.json': oracleFile,
      'controls/rude.json': JSON.stringify({ kind: 'answers', answers: { p0: 'zzzqqq' } }),
    };
    const alone = await gates({ criteria: [given, polite] }, { 'controls/oracle.json': oracleFile }, undefined, cases);
    expect(alone.failed).toEqual(['mutation: polite']);
    expect(alone.of('mutation')[0]).toMatchObject({
      measured: 1,
      detail: expect.stringContaining('separates nothing'),
      fix: expect.stringContaining('gate'),
    });
    const violated = await gates({ criteria: [given, polite], controls: [oracle, cheat] }, files, undefined, cases);
    expect(violated.failed).toEqual([]);
    const right = JSON.stringify({ kind: 'answers', answers: { p0: 'zzzqqq word-p0' } });
    const gated = await gates(
      {
        criteria: [
          { ...given, grader: { ...given.grader, kind: 'includes' } },
          { ...polite, weight: 0, gate: { scope: 'case', atLeast: 1 } },
        ],
        controls: [oracle, cheat],
      },
      { ...files, 'controls/rude.json': right },
      undefined,
      cases,
    );
    expect(gated.failed).toEqual([]);
  });

  it('fail for an oracle whose repeats disagree, with the flake rate and the first case', async () => {
    const seen = new Set<string>();
    // Each question is answered rightly once only.
    const flaky: Script = (request) => {
      const text = request.messages.at(-1)?.content ?? '';
      if (seen.has(text)) return 'something else';
      seen.add(text);
      return text;
    };
    const { of } = await gates(prompts, files, flaky);
    expect(of('repeats')).toMatchObject([
      { ok: false, control: 'Every word', measured: 5, detail: expect.stringContaining('first in case "p0"') },
      { ok: false, measured: 1, detail: expect.stringContaining('10 of 10 case verdicts over 2 other seeds (95 % interval 0.72') },
    ]);
  });

  it('repeat with other seeds only where something is drawn', async () => {
    // The cases' prompts hold the words, so copying them wins: that is not what is looked at here.
    const { of } = await gates(prompts, files, parrot);
    expect(of('repeats').map(({ ok }) => ok)).toEqual([true, true]);
    expect((await gates({})).of('repeats')).toHaveLength(1);
  });

  it('fail for a metric that pays for saying the same twice', async () => {
    const list = { type: 'array', minItems: 1, maxItems: 8, items: { type: 'string', maxLength: 100 } };
    const cases = wordCases('p', 6);
    const counted = { ...given, grader: { kind: 'json-schema', of: 'answer', schema: { type: 'array', minItems: 4 } } };
    const half = JSON.stringify({ kind: 'answers', answers: Object.fromEntries(cases.map(({ id }) => [id, ['a', 'b']])) });
    const full = JSON.stringify({ kind: 'answers', answers: Object.fromEntries(cases.map(({ id }) => [id, ['a', 'b', 'c', 'd']])) });
    const { failed, of } = await gates(
      {
        submission: [{ kind: 'answers', schema: list }],
        criteria: [counted],
        controls: [oracle, { ...oracle, path: 'controls/half.json', title: 'Half', role: 'honest' }],
      },
      { 'controls/oracle.json': full, 'controls/half.json': half },
      undefined,
      { public: cases, hidden: wordCases('h', 1) },
    );
    expect(failed).toContain('monotonicity: Half, entries repeated');
    expect(failed).toContain('monotonicity: Every word, lists cut in half, entries repeated');
    expect(of('monotonicity')[0]?.fix).toContain('count distinct things only');
  });
});

describe('cost, power and judges', () => {
  const bounty = { name: 'first', threshold: 0.9, amountMinor: 100_000, currency: 'EUR', count: 1 };

  it('fail where verification would turn down most of what the bounty is for', async () => {
    const { failed, of } = await gates({ demonstration: false, bounties: [bounty], pass: { threshold: 0.5 } });
    expect(failed).toEqual(['power: first']);
    expect(of('power')[0]).toMatchObject({ measured: 0, fix: expect.stringContaining('it takes') });
    const demonstration = await gates({ pass: { threshold: 0.3 } });
    expect(demonstration.failed).toEqual([]);
    expect(demonstration.of('power')[0]).toMatchObject({ ok: true, detail: expect.stringContaining('binds only rubrics with bounties') });
  });

  it('fail where a model has a price and no money is there to ask it', async () => {
    const priced = { name: 'paid', provider: 'simulated', model: 'parrot', price: { inputMicrosPerMillion: 1, outputMicrosPerMillion: 1 } };
    const { of } = await gates({ targets: [priced] });
    expect(of('estimate')[0]).toMatchObject({ ok: false, control: 'paid', fix: expect.stringContaining('budget.costMicros') });
  });
});

it('a credential in any file is found, and never printed', async () => {
  const token = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`;
  const { failed, of } = await gates({}, { 'controls/oracle.json': oracleFile, 'graders/README.txt': `one\nlogin: ${token}\n` });
  expect(failed).toEqual(['secret-scan: graders/README.txt:2']);
  expect(JSON.stringify(of('secret-scan'))).not.toContain(token.slice(0, 8));
});

it('an aborted check rejects', async () => {
  const deps = { gateway: scriptedGateway(() => 'nothing'), sandboxes: [], onGate: () => {} };
  const check = checkGates(wordRubricOf({ submission: answersOnly.submission }), {
    ...deps,
    signal: AbortSignal.abort(new Error('Ctrl-C')),
  });
  await expect(check).rejects.toThrow('Ctrl-C');
});
