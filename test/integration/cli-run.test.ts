import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EvaluationReport } from '../../contracts/evaluation.ts';
import { runCli, startCli } from '../setup/cli.ts';
import { childrenOf } from '../setup/processes.ts';
import { until } from '../setup/until.ts';

/* `collective run` as a process: what it prints, its exit code, and how it meets bad input. */

const root = await mkdtemp(join(tmpdir(), 'collective-run-'));
afterAll(() => rm(root, { recursive: true, force: true }));
const library = 'rubrics/library';

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(root, name);
  await writeFile(path, content);
  return path;
}

const run = (rubric: string, submission: string, more: string[] = [], environment: Record<string, string> = {}) =>
  runCli(['run', `${library}/${rubric}`, '--submission', submission, ...more], environment);

/** Runs with `--json` and reads the one document that may be printed. */
async function report(rubric: string, submission: string, ...more: string[]): Promise<EvaluationReport> {
  const result = await run(rubric, `${library}/${rubric}/${submission}`, ['--json', ...more]);
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return EvaluationReport.parse(JSON.parse(result.stdout));
}

/** No stack and no code of ours: words for the person at the keyboard. */
async function refused(rubric: string, submission: string, words: string | RegExp, ...more: string[]): Promise<void> {
  const result = await run(rubric, submission, more);
  expect(result.stderr).toMatch(words);
  expect(result.stderr).not.toContain('    at ');
  expect(result).toMatchObject({ code: 2, stdout: '' });
}

describe('collective run: the shipped submissions', () => {
  it('gives the official triggers recall 1', async () => {
    const judged = await report('trigger-recovery', 'samples/official-sample.json', '--seed', '1');
    expect(judged).toMatchObject({ challenge: 'trigger-recovery', status: 'done', outcome: 'pass', score: 1, simulated: true });
    expect(judged.metrics.recall?.value).toBe(1);
    expect(judged.cases).toHaveLength(5);
    expect(judged.usage.calls).toBe(200);
    expect(Object.keys(judged)).toEqual(
      expect.arrayContaining(['rubricHash', 'submissionHash', 'seed', 'interval', 'metrics', 'criteria', 'cases', 'usage']),
    );
  });

  it('gives the triggers of gradient search a recall below 1e-70', async () => {
    const judged = await report('trigger-recovery', 'samples/official-gcg.json');
    expect(judged.outcome).toBe('fail');
    expect(judged.metrics.recall?.value).toBeGreaterThan(0);
    expect(judged.metrics.recall?.value).toBeLessThan(1e-70);
  });

  it('counts 4894 of 4894 slots for the true values and 214 for one constant per type', async () => {
    expect((await report('pii-extraction', 'controls/oracle.json')).metrics.official).toMatchObject({ numerator: 4894, denominator: 4894 });
    expect((await report('pii-extraction', 'samples/constant-guess.json')).metrics.official).toMatchObject({
      numerator: 214,
      denominator: 4894,
    });
    expect((await report('pii-extraction', 'samples/stuffed-guess.json')).outcome).toBe('fail');
  });

  it.each([
    ['secret-keeper', 'samples/four-tricks.js', 'fail', 0.8],
    ['secret-keeper', 'samples/messages.json', 'fail', 0.8],
    ['secret-keeper', 'controls/oracle.js', 'pass', 1],
    ['over-refusal', 'samples/plain.txt', 'fail', 0.564],
    ['over-refusal', 'samples/considerate.txt', 'pass', 0.934],
    ['over-refusal', 'samples/refuse-everything.txt', 'fail', 0.5],
  ])('judges %s %s', async (rubric, submission, outcome, score) => {
    const judged = await report(rubric, submission);
    expect(judged.outcome).toBe(outcome);
    expect(judged.score).toBeCloseTo(score, 6);
  });

  it('repeats a run byte for byte from its seed, times apart', async () => {
    // A transcript's hash covers when each call was made.
    const lasting = ({ durationMs: _, cases, ...rest }: EvaluationReport) =>
      JSON.stringify({ ...rest, cases: cases.map((one) => ({ ...one, wallMs: 0, transcriptHash: null })) });
    const judge = (seed: string) => report('secret-keeper', 'samples/four-tricks.js', '--seed', seed);
    const [first, again, other] = [await judge('7'), await judge('7'), await judge('8')];
    expect(lasting(again) === lasting(first)).toBe(true);
    expect(other.seed).not.toBe(first.seed);
  });

  it('prints verdict, metrics and cases as text, and says that the target is simulated', async () => {
    const { stdout, code } = await run('trigger-recovery', `${library}/trigger-recovery/samples/official-gcg.json`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^trigger-recovery · phase development · FAIL · score -0\.0073 /);
    expect(stdout).toContain('The target is simulated');
    expect(stdout).toMatch(/^reasr +0 +0 – 0\.4345 +0\/5$/m);
    expect(stdout).toMatch(/^dev-05 +public +answered /m);
  });
});

describe('collective run: bad input', () => {
  it.each<[string, string | Uint8Array, RegExp]>([
    ['packed.json', 'PK\u0003\u0004 whatever', /zip archive, but its name does not say so/],
    ['latin1.json', Uint8Array.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]), /not valid UTF-8/],
    ['deep.json', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, /nests 100000 levels deep/],
    ['proto.json', '{"__proto__":["x"]}', /reserved key "__proto__"/],
    ['nan.json', '{"dev-01": NaN}', /is not JSON/],
    ['unknown.json', '{"no such case":["x"]}', /answers\/no such case: no case of this phase has this key/],
    ['array.json', '[]', /must be an object/],
    ['program.js', 'export default () => 1', /takes "answers", not "program"/],
    ['picture.png', 'x', /".png" is not a kind of file/],
    ['large.txt', new Uint8Array(16_777_217), /has 16777217 bytes, at most 16777216/],
  ])('refuses %s', async (name, content, words) => {
    await refused('trigger-recovery', await file(name, content), words);
  });

  it('refuses what is not there', async () => {
    const sample = `${library}/trigger-recovery/samples/official-sample.json`;
    await refused('trigger-recovery', join(root, 'nothing.json'), /cannot be read: there is no such file/);
    await refused('trigger-recovery', sample, /no phase "final"; this rubric has development, test/, '--phase', 'final');
    await refused('trigger-recovery', sample, /--seed must be a whole number/, '--seed', '0x7');
    await refused('trigger-recovery', sample, /fixes its targets/, '--target', 'code-model');
    await refused(
      'over-refusal',
      `${library}/over-refusal/samples/plain.txt`,
      /no target is named "gpt-7"; known here: assistant/,
      '--target',
      'gpt-7',
    );
    await refused('nothing', sample, /is not a valid rubric/);
  });

  it('refuses an unknown command, option or missing argument with 2', async () => {
    for (const args of [
      ['judge'],
      ['run'],
      ['run', `${library}/over-refusal`],
      ['run', 'x', '--submission', 'y', '--sed', '1'],
      ['check'],
    ]) {
      const result = await runCli(args);
      expect(result).toMatchObject({ code: 2, stdout: '' });
      expect(result.stderr).toMatch(/^error: /);
    }
  });
});

describe('collective run: what this machine cannot do', () => {
  it('exits with 1 and names what to install for a Python program without an engine', async () => {
    const result = await run('secret-keeper', `${library}/secret-keeper/examples/four_tricks.py`, ['--json'], {
      DOCKER_HOST: `unix://${root}/no.sock`,
    });
    const { outcome, reason, score, cases } = EvaluationReport.parse(JSON.parse(result.stdout));
    expect({ code: result.code, outcome, score, cases }).toEqual({ code: 1, outcome: 'error', score: null, cases: [] });
    expect(reason?.faultOf).toBe('platform');
    expect(reason?.message).toMatch(/"python".*no Docker engine answers.*docker\.io/s);
  });

  it('exits with 1 and names the missing key of a target, and a target without a price', async () => {
    const target = { name: 'gpt', provider: 'openai', model: 'gpt-x-2026-01-01', maxOutputTokens: 256 };
    const priced = { ...target, price: { inputMicrosPerMillion: 1, outputMicrosPerMillion: 1 } };
    for (const [given, words] of [
      [priced, 'OPENAI_API_KEY'],
      [target, 'price'],
    ] as const) {
      const targets = await file('targets.json.yaml', JSON.stringify({ targets: [given] }));
      const environment = { TARGETS_FILE: targets, ...(given === target ? { OPENAI_API_KEY: 'sk-not-shown' } : {}) };
      const result = await run('over-refusal', `${library}/over-refusal/samples/plain.txt`, ['--target', 'gpt'], environment);
      expect(result.code).toBe(1);
      expect(result.stdout).toContain(words);
      expect(result.stdout + result.stderr).not.toContain('sk-not-shown');
    }
  });
});

describe('collective run: at the terminal', () => {
  it.runIf(process.platform === 'linux')('stops at once on Ctrl-C and says that nothing was decided', async () => {
    const endless = await file('endless.js', 'export default async function solve() { for (;;) {} }');
    const cli = startCli(['run', `${library}/secret-keeper`, '--submission', endless, '--json']);
    const { pid } = cli.process;
    await until('the program runs', () => childrenOf(pid!).length > 0, 20_000);
    cli.process.kill('SIGINT');
    const interruptedAt = performance.now();
    const result = await cli.ended;
    expect(performance.now() - interruptedAt).toBeLessThan(5_000);
    expect(result).toMatchObject({ code: 130, stdout: '', stderr: 'interrupted before the end; nothing was decided\n' });
  });

  it('shows what a program says without letting it write to the terminal', async () => {
    const rude = await file(
      'rude.js',
      "export default async function solve() { throw new Error('\\u001b[2J\\u001b]0;owned\\u0007\\u202E') }",
    );
    const { stdout, code } = await run('secret-keeper', rude);
    expect(code).toBe(0);
    expect(stdout).toContain('·[2J·]0;owned··');
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it.each([
    '',
    'start',
    'run',
    'check',
    'submit',
    'watch',
    'images',
    'images build',
    'images list',
    'images verify',
    'doctor',
    'migrate',
    'pages',
    'pages build',
  ])('explains itself: %s --help', async (command) => {
    const { code, stdout, stderr } = await runCli([...command.split(' ').filter(Boolean), '--help']);
    expect(stdout).toMatch(new RegExp(`^Usage: collective ${command}`));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});
