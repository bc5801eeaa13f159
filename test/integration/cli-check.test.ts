import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CheckReport, GateName } from '../../contracts/gates.ts';
import { projectRoot, runCli } from '../setup/cli.ts';
import { firstRubricFiles, writeFirstRubric } from '../setup/first-rubric.ts';

const root = await mkdtemp(join(tmpdir(), 'collective-check-'));
afterAll(() => rm(root, { recursive: true, force: true }));

const library = join(projectRoot, 'rubrics/library');
const builtIn = (await readdir(library, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);

const check = (folder: string, ...more: string[]) => runCli(['check', folder, ...more]);
let made = 0;
const folder = () => join(root, `rubric-${made++}`);

describe('collective check', () => {
  it.each(builtIn)(
    'passes the built-in challenge %s',
    async (name) => {
      const result = await check(`rubrics/library/${name}`, '--json');
      const printed = CheckReport.parse(JSON.parse(result.stdout));
      expect(printed.gates.filter((gate) => !gate.ok)).toEqual([]);
      expect([...new Set(printed.gates.map(({ gate }) => gate))]).toEqual(GateName.options);
      expect(result).toMatchObject({ code: 0, stderr: '' });
    },
    // Challenges that take programs run thousands of them.
    300_000,
  );

  it('there are built-in challenges', () => {
    expect(builtIn).toEqual(expect.arrayContaining(['trigger-recovery', 'pii-extraction', 'secret-keeper', 'over-refusal']));
  });

  it('passes the rubric of the first how-to, whose oracle passes', async () => {
    expect([...(await firstRubricFiles()).keys()]).toEqual(['rubric.yaml', 'README.md', 'cases/public.jsonl', 'controls/oracle.json']);
    const where = await writeFirstRubric(folder());
    const result = await check(where);
    expect(result.stdout).toMatch(/^all \d+ gates pass$/m);
    expect(result.code).toBe(0);
    const run = await runCli(['run', where, '--submission', join(where, 'controls/oracle.json'), '--json']);
    expect(JSON.parse(run.stdout)).toMatchObject({ outcome: 'pass', score: 1 });
  });

  it('passes the rubric of the how-to about judges, whose oracle passes', async () => {
    const files = await firstRubricFiles('judge');
    expect([...files.keys()].map((path) => path.split('/')[0])).toEqual(['why-not', 'why-not', 'why-not', 'why-not']);
    const where = folder();
    await mkdir(where);
    for (const [path, body] of [...files, ['why-not/README.md', '# Why not\n']] as const) {
      await mkdir(dirname(join(where, path)), { recursive: true });
      await writeFile(join(where, path), body);
    }
    const rubric = join(where, 'why-not');
    expect((await check(rubric)).stdout).toMatch(/^all \d+ gates pass$/m);
    const run = await runCli(['run', rubric, '--submission', join(rubric, 'controls/oracle.json'), '--json']);
    expect(JSON.parse(run.stdout)).toMatchObject({ outcome: 'pass', score: 1, simulated: true });
  });

  it('fails a rubric that pays for copying the input, as the how-to says', async () => {
    const yaml = (await firstRubricFiles()).get('rubric.yaml')!;
    const paysForCopies = yaml.replace(/grader: .*/, 'grader: { kind: includes, of: answer, to: input/word }');
    expect(paysForCopies).not.toBe(yaml);
    const oracle = JSON.stringify(
      Object.fromEntries(['one', 'two', 'three', 'four', 'five', 'six'].map((id) => [id, 'otter lantern harbour velvet compass meadow'])),
    );
    const result = await check(await writeFirstRubric(folder(), { 'rubric.yaml': paysForCopies, 'controls/oracle.json': oracle }));
    expect(result.stdout).toMatch(/^FAILED {2}null-suite · copied \(main\) · 1 · pass, score 1, must stay below 0\.5$/m);
    expect(result.stdout).toMatch(/^ {8}to do: .*criterion "backwards" gives it 1 on average/m);
    expect(result.stdout).toMatch(/^\d+ of \d+ gates failed$/m);
    expect(result.code).toBe(1);
  });

  it('fails a rubric with too few cases for its oracle to pass, as the how-to says', async () => {
    const cases = (await firstRubricFiles()).get('cases/public.jsonl')!.split('\n').slice(0, 2).join('\n');
    const result = await check(
      await writeFirstRubric(folder(), { 'cases/public.jsonl': `${cases}\n`, 'controls/oracle.json': '{"one":"retto","two":"nretnal"}' }),
    );
    expect(result.stdout).toMatch(
      /^FAILED {2}oracle · oracle: Spells every word · 1 · fail, score 1 .*; it must end as pass\n {8}to do: add cases/m,
    );
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

  it('prints one document for a folder that is no rubric, with --json', async () => {
    const yaml = (await firstRubricFiles()).get('rubric.yaml')!.replace('riskTier: low', 'riskTier: none');
    const result = await check(await writeFirstRubric(folder(), { 'rubric.yaml': yaml }), '--json');
    expect(result).toMatchObject({ code: 2, stderr: '' });
    const printed = CheckReport.parse(JSON.parse(result.stdout));
    expect(printed).toMatchObject({ rubric: null, rubricHash: null, ok: false });
    expect(printed.gates).toMatchObject([{ gate: 'schema', ok: false, control: expect.stringMatching(/^rubric\.yaml:\d+$/) }]);
  });

  it('names the line of a credential and does not print it', async () => {
    const token = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`;
    const result = await check(await writeFirstRubric(folder(), { 'graders/notes.md': `Our login:\n${token}\n` }));
    expect(result.stdout).toMatch(/^FAILED {2}secret-scan · graders\/notes\.md:2 · ghp_… \(40 characters\) · looks like a GitHub token$/m);
    expect(result.stdout + result.stderr).not.toContain(token.slice(0, 5));
    expect(result.code).toBe(1);
  });

  it('every gate of the how-to exists, and every gate is in the how-to', async () => {
    const text = await readFile(join(projectRoot, 'docs/how-to/check.md'), 'utf8');
    const named = [...text.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1]);
    expect(named).toEqual(GateName.options);
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
