import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export const projectRoot = join(import.meta.dirname, '..', '..');

export interface CliResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunningCli {
  process: ChildProcessByStdio<null, Readable, Readable>;
  /** What it printed so far. */
  stdout(): string;
  stderr(): string;
  ended: Promise<CliResult>;
}

/** Variables a developer may have set for other purposes; a test of the command line starts from none. */
const cleared = [
  'DATABASE_URL',
  'EVALUATOR_DATABASE_URL',
  'REDIS_URL',
  'OPENAI_API_KEY',
  'ANTHROPIC_API_KEY',
  'DOCKER_HOST',
  'PORT',
  'HOST',
];

/** Starts `collective …` as its users do: as a process of its own. */
export function startCli(args: readonly string[], environment: Record<string, string> = {}): RunningCli {
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of cleared) delete env[name];
  const child = spawn(process.execPath, [join(projectRoot, 'cli/main.ts'), ...args], {
    cwd: projectRoot,
    env: { ...env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout, stderr }) as CliResult);
  return { process: child, stdout: () => stdout, stderr: () => stderr, ended };
}

/** Runs `collective …` to its end. */
export async function runCli(args: readonly string[], environment: Record<string, string> = {}): Promise<CliResult> {
  return startCli(args, environment).ended;
}
