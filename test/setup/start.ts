import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningCli, startCli } from './cli.ts';
import { processesOf } from './processes.ts';
import { until } from './until.ts';

/* `collective start` in tests: its own folder, any free port, steps read from its JSON lines. */

export interface Step {
  step: string;
  [detail: string]: string | number;
}

/** What `start` says at last. */
export const everythingRuns = 'everything runs; Ctrl-C stops it';

/** A new home folder; with `removeHome` for the end. */
export async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'collective-start-'));
  // Started by root, the database runs under another account, which must be able to pass through.
  await chmod(home, 0o711);
  return home;
}

/** Kills what is left of the home's processes and removes it. */
export async function removeHome(home: string): Promise<void> {
  if (process.platform === 'linux') {
    for (const { pid } of processesOf(home)) process.kill(pid, 'SIGKILL');
    await until('everything has ended', () => processesOf(home).length === 0);
  }
  await rm(home, { recursive: true, force: true });
}

export const startIn = (home: string, environment: Record<string, string> = {}): RunningCli =>
  startCli(['start', '--json'], { COLLECTIVE_HOME: home, PORT: '0', ...environment });

export const stepsOf = (cli: RunningCli): Step[] =>
  cli
    .stdout()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Step);

/** Waits for a step; a start that ended instead tells why. */
export async function step(cli: RunningCli, name: string): Promise<Step> {
  const found = () => {
    if (cli.process.exitCode !== null) throw new Error(`it ended: ${cli.stdout()}${cli.stderr()}`);
    return stepsOf(cli).find((one) => one.step === name);
  };
  return until(name, found, 90_000);
}

/** Ctrl-C. @returns the exit code. */
export async function interrupt(cli: RunningCli): Promise<number | null> {
  cli.process.kill('SIGINT');
  return (await cli.ended).code;
}

export interface Server {
  url: string;
  token: string;
}

/** Waits for the server and reads its address and token from the link. */
export async function serverOf(cli: RunningCli): Promise<Server> {
  const link = new URL(String((await step(cli, 'open this link, it signs you in')).link));
  return { url: link.origin, token: link.hash.slice('#token='.length) };
}
