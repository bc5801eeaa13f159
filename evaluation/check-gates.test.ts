import { describe, expect, it } from 'vitest';
import { loadRubric } from '../rubrics/load.ts';
import { rightAnswers, scriptedGateway, type Script, wordFiles, wordRubricOf } from '../test/setup/evaluation.ts';
import { temporaryFolder } from '../test/setup/rubrics.ts';
import { checkGates, type GateResult } from './check-gates.ts';

const oracleFile = JSON.stringify(rightAnswers(wordRubricOf()));
const oracle = { path: 'controls/oracle.json', title: 'Every word', role: 'oracle' };
const answersOnly = {
  submission: [{ kind: 'answers', schema: { type: 'string', maxLength: 4000 } }],
  controls: [oracle],
};

async function gates(
  changes: Record<string, unknown>,
  files: Record<string, string> = { 'controls/oracle.json': oracleFile },
  script?: Script,
) {
  await using folder = await temporaryFolder(wordFiles({ ...answersOnly, ...changes }, {}, files));
  const loaded = await loadRubric(folder.path);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const told: GateResult[] = [];
  const gateway = scriptedGateway(script ?? (() => 'nothing'));
  const results = await checkGates(loaded.rubric, {
    gateway,
    sandboxes: [],
    signal: new AbortController().signal,
    onGate: (one) => void told.push(one),
  });
  expect(told).toEqual(results);
  return { results, failed: results.filter((one) => !one.ok).map((one) => one.gate) };
}

describe('the gates of publication', () => {
  it('pass for a rubric that can be won by knowing and not by guessing', async () => {
    const { results, failed } = await gates({});
    expect(failed).toEqual([]);
    const names = results.map((one) => one.gate);
    expect(names.slice(0, 2)).toEqual(['oracle: Every word', 'repeat: Every word']);
    for (const suite of ['empty', 'constant', 'random', 'off-topic', 'verbose', 'injected'])
      expect(names).toContain(`null suite: ${suite} (all)`);
  });

  it('fail for a rubric on which a submission that knows nothing passes', async () => {
    const generous = {
      criteria: [{ name: 'given', title: 'Given', grader: { kind: 'includes', of: 'answer', to: 'input/prompt' } }],
      pass: { threshold: 0.5, bound: 'point' },
    };
    const { failed, results } = await gates(generous, { 'controls/oracle.json': JSON.stringify({ kind: 'answers', answers: {} }) });
    expect(failed).toContain('null suite: copied (all)');
    expect(results.find((one) => one.gate === 'null suite: copied (all)')?.detail).toContain('must stay below 0.5');
  });

  it('fail for an oracle below the maximum, and for a rubric without one', async () => {
    const nearly = JSON.stringify({ kind: 'answers', answers: { p0: 'word-p0' } });
    expect((await gates({}, { 'controls/oracle.json': nearly })).failed).toEqual(['oracle: Every word']);
    const { failed, results } = await gates({ controls: [] }, {});
    expect(failed).toEqual(['oracle']);
    expect(results[0]?.detail).toContain('the maximum can be reached');
  });

  it('fail for a control that ends otherwise than it says, pass for one that is refused as it says', async () => {
    const files = {
      'controls/oracle.json': oracleFile,
      'controls/cheat.json': JSON.stringify({ kind: 'answers', answers: { p0: 'word-p0', p1: 'word-p1', p2: 'word-p2', h0: 'word-h0' } }),
      'controls/unknown.json': JSON.stringify({ kind: 'answers', answers: { 'no-such-case': 'x' } }),
    };
    const cheat = { path: 'controls/cheat.json', title: 'Most words', role: 'cheat' };
    const unknown = { path: 'controls/unknown.json', title: 'Unknown key', role: 'cheat', expect: { outcome: 'invalid' } };
    expect((await gates({ controls: [oracle, { ...cheat, expect: { max: 0.5 } }, unknown] }, files)).failed).toEqual(['cheat: Most words']);
    expect((await gates({ controls: [oracle, { ...cheat, expect: { min: 0.7, max: 0.9 } }, unknown] }, files)).failed).toEqual([]);
    const wrong = await gates({ controls: [oracle, { ...unknown, expect: {} }] }, files);
    expect(wrong.failed).toEqual(['cheat: Unknown key']);
    expect(wrong.results.find((one) => !one.ok)?.detail).toContain('no-such-case');
  });

  it('fail for an oracle whose repeats disagree', async () => {
    let calls = 0;
    const prompts = {
      submission: [{ kind: 'prompts' }],
      controls: [{ ...oracle, expect: { min: 0 } }],
    };
    const oraclePrompts = JSON.stringify({ kind: 'prompts', prompts: { p0: 'say word-p0' } });
    const flaky: Script = () => (calls++ === 0 ? 'word-p0' : 'something else');
    const { failed } = await gates(prompts, { 'controls/oracle.json': oraclePrompts }, flaky);
    expect(failed).toContain('repeat: Every word');
  });

  it('fail, with the reason, when nothing here can run the controls', async () => {
    const programs = {
      submission: [{ kind: 'program', schema: { type: 'string' } }],
      controls: [{ ...oracle, path: 'controls/oracle.js' }],
    };
    const { results, failed } = await gates(programs, { 'controls/oracle.js': "export default async (task) => 'word-' + task.id;" });
    expect(failed).toContain('oracle: Every word');
    expect(results[0]?.detail).toContain('cannot run here');
  });
});

it('an aborted check rejects', async () => {
  const deps = { gateway: scriptedGateway(() => 'nothing'), sandboxes: [], onGate: () => {} };
  const check = checkGates(wordRubricOf({ submission: answersOnly.submission }), {
    ...deps,
    signal: AbortSignal.abort(new Error('Ctrl-C')),
  });
  await expect(check).rejects.toThrow('Ctrl-C');
});
