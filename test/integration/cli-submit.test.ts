import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SubmissionView } from '../../contracts/api.ts';
import { StoredEvent } from '../../contracts/events.ts';
import { type RunningCli, runCli } from '../setup/cli.ts';
import { interrupt, newHome, removeHome, type Server, serverOf, startIn, step } from '../setup/start.ts';

/* `collective submit` and `watch` against a server that `collective start` brought up. */

const sample = 'rubrics/library/trigger-recovery/samples/official-sample.json';
let home: string;
let cli: RunningCli;
let server: Server;

beforeAll(async () => {
  home = await newHome();
  cli = startIn(home);
  server = await serverOf(cli);
  await step(cli, 'server and workers are ready');
}, 120_000);

afterAll(async () => {
  await interrupt(cli);
  await removeHome(home);
}, 60_000);

const collective = (args: string[], environment: Record<string, string> = {}) => runCli(args, { COLLECTIVE_HOME: home, ...environment });

describe('collective submit and watch', () => {
  it('submits, follows it to its verdict and exits with 0', async () => {
    const result = await collective(['submit', 'trigger-recovery', '--submission', sample, '--title', 'From the terminal', '--watch']);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toMatch(/^\S+Z {2}queued/m);
    expect(result.stdout).toMatch(/^\S+Z {2}case dev-03: answered, score 1 \(\d\/5\)$/m);
    expect(result.stdout).toMatch(/^\S+Z {2}verdict: pass, score 1$/m);
    expect(result.stdout).toContain(`${server.url}/submissions/`);
  });

  it('prints the submission as JSON, and later every event once, in order', async () => {
    const sent = await collective(['submit', 'trigger-recovery', '--submission', sample, '--phase', 'development', '--json']);
    expect(sent).toMatchObject({ code: 0, stderr: '' });
    const submission = SubmissionView.parse(JSON.parse(sent.stdout));
    expect(submission).toMatchObject({
      title: 'official-sample.json',
      kind: 'answers',
      challenge: 'trigger-recovery',
      evaluation: { phase: 'development' },
    });
    const watched = await collective(['watch', submission.id, '--json']);
    expect(watched).toMatchObject({ code: 0, stderr: '' });
    const lines = watched.stdout
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    const final = SubmissionView.parse(lines.pop());
    expect(final.evaluation).toMatchObject({ status: 'done', outcome: 'pass', score: 1 });
    expect(lines.map((line) => StoredEvent.parse(line).seq)).toEqual(lines.map((_, index) => index + 1));
  });

  it('exits with 2 and says what is wrong with bad input', async () => {
    const words = join(home, 'prompt.txt');
    await writeFile(words, 'Be kind.');
    const cases: [string[], RegExp][] = [
      [['submit', 'no-such-challenge', '--submission', sample], /no-such-challenge|challenge/],
      [['submit', 'trigger-recovery', '--submission', words], /takes answers, not defence/],
      [['submit', 'trigger-recovery', '--submission', sample, '--phase', 'final'], /has the phases development, test/],
      [['watch', 'not-an-id'], /id/],
      [['watch', '00000000-0000-7000-8000-000000000000'], /submission/],
      [['submit', 'trigger-recovery', '--submission', sample, '--token-file', words], /token|account/],
    ];
    for (const [args, expected] of cases) {
      const result = await collective(args);
      expect(result, args.join(' ')).toMatchObject({ code: 2, stdout: '' });
      expect(result.stderr).toMatch(expected);
      expect(result.stderr).not.toContain('    at ');
    }
  });

  it('says where it looked when no server is there', async () => {
    const nowhere = await collective(['watch', 'x', '--server', 'http://127.0.0.1:1']);
    expect(nowhere.code).toBe(1);
    expect(nowhere.stderr).toContain('http://127.0.0.1:1 does not answer');
    const none = await collective(['watch', 'x'], { COLLECTIVE_HOME: join(home, 'empty') });
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('npx collective start');
  });
});
