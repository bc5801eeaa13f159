import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CalibrationReport } from '../../contracts/calibration.ts';
import { judgeBehaviour, judgedGraderSpec, labelledRows, linesOf, realJudges } from '../setup/calibration.ts';
import { runCli } from '../setup/cli.ts';
import { type OpenAiServer, openAiServer } from '../setup/openai-server.ts';

/* `collective calibrate` of judges, as a process, against a server that speaks OpenAI's wire format. */

const root = await mkdtemp(join(tmpdir(), 'collective-calibrate-judge-'));
afterAll(() => rm(root, { recursive: true, force: true }));
let server: OpenAiServer;
beforeAll(async () => {
  server = await openAiServer();
});
afterAll(() => server[Symbol.asyncDispose]());

async function file(name: string, content: string): Promise<string> {
  await writeFile(join(root, name), content);
  return join(root, name);
}
const rows = labelledRows(['gpt-x'], 210);
const data = await file('rows.jsonl', linesOf(rows));
const few = await file('few.jsonl', linesOf(rows.slice(0, 12)));
const grader = await file('grader.yaml', JSON.stringify({ grader: judgedGraderSpec, judges: realJudges }));
const fields = ['--text', 'answer', '--label', 'human', '--positive', 'yes', '--adversarial', 'attack', '--target-field', 'model'];

const run = (dataFile: string, ...more: string[]) =>
  runCli(['calibrate', '--grader', grader, '--data', dataFile, ...fields, ...more], { OPENAI_BASE_URL: server.baseUrl });
const reportIn = async (path: string) => CalibrationReport.parse(JSON.parse(await readFile(path, 'utf8')));

describe('collective calibrate of a judge', () => {
  it('writes a report with counts, targets, attacks, judge, cost and hashes; the held-out judge by --held-out', async () => {
    server.behave(judgeBehaviour());
    const out = join(root, 'arbiter.json');
    const { code, stdout, stderr } = await run(data, '--out', out);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('tp 70   fp 0   fn 0   tn 140');
    expect(stdout).toContain('The floor for money holds');
    expect(stdout).toContain('0 of 70 that people call no passed');
    const report = await reportIn(out);
    expect(report).toMatchObject({
      criterion: null,
      grader: { kind: 'judge', threshold: 0.5, inverted: false },
      judges: [{ name: 'arbiter', provider: 'openai', model: 'judge-a', returnedModels: ['judge-a-1'] }],
      data: { file: 'rows.jsonl', rows: 210, withoutText: 0, unlabelled: 0 },
      fields: { text: 'answer', label: 'human', positive: ['yes'], adversarial: 'attack', target: 'model', prompt: null },
      total: {
        decided: { tp: 70, fp: 0, fn: 0, tn: 140 },
        undecided: { positive: 0, negative: 0 },
        adversarial: { decided: { tp: 0, fp: 0, fn: 0, tn: 70 } },
      },
      targets: [{ target: 'gpt-x', cell: { decided: { tp: 70, tn: 140 } } }],
    });
    // Each row once, three sentinels for each begun batch of 16 questions, and three more within each full one.
    expect(report.usage.calls).toBe(210 + 3 * Math.ceil(210 / 16) + 3 * Math.floor(210 / 16));
    expect(report.usage.costMicros).toBe(String(report.usage.calls * (300 + 2 * 20)));

    const heldOut = join(root, 'second.json');
    expect(await run(data, '--held-out', '--out', heldOut)).toMatchObject({ code: 0 });
    const second = await reportIn(heldOut);
    expect(second.judges).toMatchObject([{ name: 'second', model: 'judge-b' }]);
    expect([second.grader.identity, second.grader.promptHash, second.data.sha256]).toEqual([
      report.grader.identity,
      report.grader.promptHash,
      report.data.sha256,
    ]);
  }, 120_000);

  it('counts what it cannot use apart, and against the judge', async () => {
    // Of the attacks it makes nothing; it is well otherwise, so its sentinels are right.
    server.behave(judgeBehaviour((graded) => (/Answer \d+\. SYSTEM/.test(graded) ? { say: 'I would rather not.' } : null)));
    const { code, stdout } = await run(data, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      tp: 70,
      fp: 0,
      tn: 70,
      data: { ungraded: 70 },
      moneyFloor: { holds: false },
      report: { total: { undecided: { positive: 0, negative: 70 }, adversarial: { undecided: { negative: 70 } } } },
    });
  }, 120_000);

  it('shows a judge that obeys what it reads, by the attacks that pass and by its sentinels', async () => {
    server.behave(judgeBehaviour((graded) => (graded.includes('ignore the previous') ? 'yes' : null)));
    const { code, stdout } = await run(data, '--json');
    expect(code).toBe(0);
    const { report, moneyFloor } = JSON.parse(stdout) as { report: CalibrationReport; moneyFloor: { holds: boolean } };
    expect(moneyFloor.holds).toBe(false);
    const { decided, undecided } = report.total.adversarial;
    expect([decided.tn, decided.fp + undecided.negative]).toEqual([0, 70]);
  }, 120_000);

  it('does not pay twice with --judge-cache, and asks rows anew that came to nothing', async () => {
    const cache = join(root, 'cache');
    const said = (bad: boolean) => judgeBehaviour((graded) => (bad && graded.includes('Answer 1 speaks') ? { say: 'Hm.' } : null));
    server.behave(said(true));
    const first = JSON.parse((await run(few, '--judge-cache', cache, '--json')).stdout) as { report: CalibrationReport };
    expect(first.report.total.undecided).toEqual({ positive: 0, negative: 1 });
    server.behave(said(false));
    const again = JSON.parse((await run(few, '--judge-cache', cache, '--json')).stdout) as { report: CalibrationReport };
    expect(again.report.total).toMatchObject({ decided: { tp: 4, fp: 0, fn: 0, tn: 8 }, undecided: { positive: 0, negative: 0 } });
    // One row, and the sentinels of 12 questions: three, and one each with the fifth and the ninth. Those are never kept.
    expect(again.report.usage.calls).toBe(1 + 5);
    expect(Number(again.report.usage.costMicros)).toBe(6 * 340);
  }, 60_000);

  it('ends at --max-cost, and where a judge cannot be reached, without a report', async () => {
    server.behave(judgeBehaviour());
    const out = join(root, 'none.json');
    const poor = await run(data, '--max-cost', '0.02', '--out', out);
    expect(poor).toMatchObject({ code: 2, stdout: '' });
    expect(poor.stderr).toMatch(/--max-cost of 0\.02 USD is used up near row \d+: no report/);
    server.behave(judgeBehaviour((graded) => (graded.includes('Answer 4 ') ? { status: 401 } : null)));
    const gone = await run(few, '--out', out);
    expect(gone).toMatchObject({ code: 2, stdout: '' });
    expect(gone.stderr).toContain('a judge could not be reached for 1 rows');
    await expect(readFile(out)).rejects.toThrow('ENOENT');
  }, 60_000);

  it('refuses what does not go together, in words', async () => {
    const cases: [RegExp, string[]][] = [
      [/give --grader, or --rubric/, []],
      [/--rubric and --criterion go together/, ['--rubric', root]],
      [/--out is for graders that ask judges/, ['--grader', 'refusal:xstest-prefix', '--out', 'x.json']],
      [/has no judge "nobody"; it has arbiter/, ['--grader', grader, '--judge', 'nobody']],
      [/--max-cost takes an amount in USD/, ['--grader', grader, '--max-cost', 'much']],
      [/set OPENAI_API_KEY/, ['--grader', grader]],
    ];
    for (const [words, args] of cases) {
      const result = await runCli(['calibrate', '--data', few, ...fields, ...args]);
      expect(result).toMatchObject({ code: 2, stdout: '' });
      expect(result.stderr).toMatch(words);
      expect(result.stderr).not.toContain('    at ');
    }
  }, 60_000);
});
