import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCli } from '../setup/cli.ts';
import { firstRubricFiles, writeFirstRubric } from '../setup/first-rubric.ts';

const root = await mkdtemp(join(tmpdir(), 'collective-check-'));
afterAll(() => rm(root, { recursive: true, force: true }));

const check = (folder: string, ...more: string[]) => runCli(['check', folder, ...more]);
let made = 0;
const folder = () => join(root, `rubric-${made++}`);

describe('collective check', () => {
  it.each(['trigger-recovery', 'pii-extraction', 'secret-keeper', 'over-refusal'])(
    'passes the built-in challenge %s',
    async (name) => {
      const result = await check(`rubrics/library/${name}`, '--json');
      const printed = JSON.parse(result.stdout) as { ok: boolean; gates: { gate: string; ok: boolean; detail: string }[] };
      expect(printed.gates.filter((gate) => !gate.ok)).toEqual([]);
      expect(printed.gates.length).toBeGreaterThan(8);
      expect(result).toMatchObject({ code: 0, stderr: '' });
    },
    120_000,
  );

  it('passes the rubric of the first how-to, whose oracle passes', async () => {
    expect([...(await firstRubricFiles()).keys()]).toEqual(['rubric.yaml', 'README.md', 'cases/public.jsonl', 'controls/oracle.json']);
    const where = await writeFirstRubric(folder());
    const result = await check(where);
    expect(result.stdout).toMatch(/^all \d+ gates pass$/m);
    expect(result.code).toBe(0);
    const run = await runCli(['run', where, '--submission', join(where, 'controls/oracle.json'), '--json']);
    expect(JSON.parse(run.stdout)).toMatchObject({ outcome: 'pass', score: 1 });
  });

  it('fails a rubric that pays for copying the input, as the how-to says', async () => {
    const yaml = (await firstRubricFiles()).get('rubric.yaml')!;
    const paysForCopies = yaml.replace(/grader: .*/, 'grader: { kind: includes, of: answer, to: input/word }');
    expect(paysForCopies).not.toBe(yaml);
    const oracle = JSON.stringify(
      Object.fromEntries(['one', 'two', 'three', 'four', 'five', 'six'].map((id) => [id, 'otter lantern harbour velvet compass meadow'])),
    );
    const result = await check(await writeFirstRubric(folder(), { 'rubric.yaml': paysForCopies, 'controls/oracle.json': oracle }));
    expect(result.stdout).toMatch(/^FAILED {2}null suite: copied \(main\): pass, score 1, must stay below 0\.5$/m);
    expect(result.stdout).toMatch(/^1 of \d+ gates failed$/m);
    expect(result.code).toBe(1);
  });

  it('fails a rubric with too few cases for its oracle to pass, as the how-to says', async () => {
    const cases = (await firstRubricFiles()).get('cases/public.jsonl')!.split('\n').slice(0, 2).join('\n');
    const result = await check(
      await writeFirstRubric(folder(), { 'cases/public.jsonl': `${cases}\n`, 'controls/oracle.json': '{"one":"retto","two":"nretnal"}' }),
    );
    expect(result.stdout).toMatch(/^FAILED {2}oracle: Spells every word: fail, score 1/m);
    expect(result.code).toBe(1);
  });

  it('names file, line and path of what is wrong, all of it, and exits with 2', async () => {
    const yaml = (await firstRubricFiles()).get('rubric.yaml')!;
    const broken = yaml.replace('riskTier: low', 'riskTier: none').replace('threshold: 0.5', 'treshold: 0.5');
    const where = await writeFirstRubric(folder(), { 'rubric.yaml': broken, 'cases/public.jsonl': '{"id":"one","input":1}\n{"id":\n' });
    const result = await check(where);
    const line = (text: string) => broken.split('\n').findIndex((one) => one.includes(text)) + 1;
    expect(result.code).toBe(2);
    expect(result.stdout).toBe('');
    expect(result.stderr).toContain(`rubric.yaml:${line('riskTier')}: riskTier: `);
    expect(result.stderr).toContain(`rubric.yaml:${line('treshold')}: `);
    expect(result.stderr).toContain('treshold');
    expect(result.stderr).not.toContain('    at ');
  });

  it('says so when there is no rubric', async () => {
    const result = await check(join(root, 'nothing'));
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/nothing is not a valid rubric/);
  });

  it('prints nothing of a rubric that could rewrite the terminal', async () => {
    const yaml = (await firstRubricFiles())
      .get('rubric.yaml')!
      .replace('title: Spells every word', 'title: "Spells \\e[2J\\e]0;owned\\a every word"');
    const result = await check(await writeFirstRubric(folder(), { 'rubric.yaml': yaml }));
    expect((result.stdout + result.stderr).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(await readFile(join(root, `rubric-${made - 1}`, 'rubric.yaml'), 'utf8')).toContain('owned');
  });
});
