import { describe, expect, it } from 'vitest';
import { runCli } from '../setup/cli.ts';

/* `collective recount` as a process: what it prints, its exit code, and how it meets bad input. */

const run = (...args: string[]) => runCli(['recount', ...args]);

describe('collective recount', () => {
  it('counts a published result again, for people and for programs', async () => {
    const text = await run('win-rate', 'test/fixtures/judge-attacks/null_model_preferences.jsonl');
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toMatch(/^n +805\nwinRate +76\.9197918\d+\nwins +676\nlosses +129\nties +0\n$/);
    const table = await run(
      'shares',
      'test/fixtures/agentdojo/results_table.csv',
      '--column',
      'Utility=97',
      '--column',
      'Targeted ASR=629',
      '--json',
    );
    expect(JSON.parse(table.stdout)).toEqual({ rows: 28, cells: 56, wrong: [] });
  });

  it('refuses what it does not know with exit code 2 and names what there is', async () => {
    const unknown = await run('constructor', 'package.json');
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toContain('there is no recount "constructor"');
    expect(unknown.stderr).toContain('trigger-recall');
    const absent = await run('ctf', 'none.json');
    expect(absent).toMatchObject({ code: 2, stdout: '' });
    expect(absent.stderr).toContain('there is no such file');
    expect(absent.stderr).not.toContain('    at ');
  });
});
