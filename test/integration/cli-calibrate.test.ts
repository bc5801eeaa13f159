import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCli } from '../setup/cli.ts';

/* `collective calibrate` as a process: what it prints, its exit code, and how it meets bad input. */

const root = await mkdtemp(join(tmpdir(), 'collective-cli-calibrate-'));
afterAll(() => rm(root, { recursive: true, force: true }));

async function file(name: string, content: string): Promise<string> {
  await writeFile(join(root, name), content);
  return join(root, name);
}

const pyrit = ['--data', 'test/fixtures/pyrit/refusal_scorer__refusal.jsonl', '--text', 'assistant_response', '--label', 'human_score'];
const run = (...args: string[]) => runCli(['calibrate', ...args]);

/** Words for the person at the keyboard, no stack, nothing on stdout. */
async function refused(words: string | RegExp, ...args: string[]): Promise<void> {
  const result = await run(...args);
  expect(result.stderr).toMatch(words);
  expect(result.stderr).not.toContain('    at ');
  expect(result).toMatchObject({ code: 2, stdout: '' });
}

describe('collective calibrate', () => {
  it('prints one JSON document with counts, measures, intervals, the floor and an audit that repeats', async () => {
    const args = ['--grader', 'refusal:zou2023universal-transfer', ...pyrit, '--positive', '1', '--audit', '40', '--seed', '7', '--json'];
    const first = await run(...args);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    const report = JSON.parse(first.stdout) as Record<string, never>;
    expect(report).toMatchObject({
      n: 102,
      tp: 41,
      fp: 0,
      fn: 27,
      tn: 34,
      accuracy: expect.closeTo(0.735294, 6),
      precision: 1,
      kappa: expect.closeTo(0.503067, 6),
      data: { rows: 105, withoutText: 3, unlabelled: 0, ungraded: 0, copies: 20, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      // Of the 41 positive verdicts 18 are on copies of earlier rows.
      moneyFloor: { holds: false, precisionLowerBound: expect.closeTo(0.05 ** (1 / 23), 9) },
      audit: { n: 40, rows: 102, seed: '7', allLabels: expect.closeTo(68 / 102, 9) },
    });
    expect(Object.keys(report.intervals ?? {})).toEqual(['accuracy', 'precision', 'recall', 'f1', 'kappa']);
    expect((await run(...args)).stdout).toBe(first.stdout);
  });

  it('prints the same for people, with groups, raters and why the floor does not hold', async () => {
    const data = await file('small.csv', 'text,label,a,b,by\nSorry no,1,1,1,one\nYes,0,0,0,two\nSure,0,0,1,one\n');
    const { code, stdout, stderr } = await run(
      ...['--grader', 'refusal:clas-five-words', '--data', data, '--text', 'text', '--label', 'label', '--positive', '1'],
      ...['--by', 'by', '--raters', 'a,b', '--audit', '2'],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('small.csv: 3 rows, 3 compared');
    // "Sorry" is not "sorry": this list is matched with case.
    expect(stdout).toContain('tp 0   fp 0   fn 1   tn 2');
    expect(stdout).toMatch(/\n {2}one {4}2 {7}0 {7}0 {7}1 {7}1 /);
    expect(stdout).toMatch(/Krippendorff’s α, nominal {5}0\.4444/);
    expect(stdout).toContain('fewer than 30 labels');
    expect(stdout).toContain(
      'The floor for money does not hold (exact one-sided lower 95 % bound of precision ≥ 0.95 on ≥ 200 human labels):',
    );
    expect(stdout).toContain('3 labels where 200 are needed');
    expect(stdout).toContain('called nothing positive');
  });

  it('says that the floor holds when it does, and what it cannot see', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => `text ${i},${i % 2},${i % 2}\n`).join('');
    const data = await file('holds.csv', `text,label,judge\n${rows}`);
    const { stdout } = await run('--grader', 'field:judge', '--data', data, '--text', 'text', '--label', 'label', '--positive', '1');
    expect(stdout).toContain('The floor for money holds');
    expect(stdout).toContain('answers made to fool this grader');
  });

  it('hints at mixed-up sides when κ is below zero', async () => {
    const data = await file('mixed.csv', 'text,label\nI cannot,no\nI cannot,no\nYes,yes\nYes,yes\n');
    const args = ['--grader', 'refusal:xstest-prefix', '--data', data, '--text', 'text', '--label', 'label', '--positive', 'yes'];
    expect((await run(...args)).stdout).toContain('give --invert');
    const turned = (await run(...args, '--invert')).stdout;
    expect(turned).toContain('(inverted)');
    expect(turned).not.toContain('κ is below zero');
  });

  it('shows characters of strangers that would move the cursor as dots', async () => {
    const data = await file('nasty.csv', 'text,label,by\nSorry,1,"\u001B[2Jx"\nYes,0,"\u202Ey"\n');
    const { stdout } = await run(
      ...['--grader', 'refusal:xstest-prefix', '--data', data, '--text', 'text', '--label', 'label', '--positive', '1', '--by', 'by'],
    );
    expect(stdout).toContain('·[2Jx');
    expect(stdout).not.toContain('\u001B');
    expect(stdout).not.toContain('\u202E');
  });

  it('explains itself', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    expect(stdout).toContain('--positive <value>');
    expect(stdout).toContain('Exit code: 0 measured');
  });

  it('refuses bad input with exit code 2, naming line and field', async () => {
    const data = await file('bad.jsonl', '{"text":"a","label":1}\n{"text":3,"label":0}\n');
    const common = ['--text', 'text', '--label', 'label', '--positive', '1'];
    const grader = ['--grader', 'refusal:xstest-prefix'];
    await refused('line 2, field "text": expected a text, found a number', ...grader, '--data', data, ...common);
    await refused('there is no such file', ...grader, '--data', join(root, 'none.jsonl'), ...common);
    await refused('there is no refusal preset "x"', '--grader', 'refusal:x', '--data', data, ...common);
    await refused('--audit takes a whole number from 2 on, not "1e9"', ...grader, '--data', data, ...common, '--audit', '1e9');
    await refused('an audit of 500 needs 500 labelled rows', ...grader, ...pyrit, '--positive', '1', '--audit', '500');
    await refused('--threshold takes a number from 0 to 1', ...grader, '--data', data, ...common, '--threshold', '2');
    await refused('--raters takes at least two fields', ...grader, '--data', data, ...common, '--raters', 'a');
    await refused('--raters names a field twice', ...grader, '--data', data, ...common, '--raters', 'a,a');
    await refused("required option '--positive <value>' not specified", ...grader, ...pyrit);
  });
});
