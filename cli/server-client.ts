import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { Problem } from '../contracts/api.ts';
import type { Config } from '../contracts/config.ts';
import { exitCodes, InputError } from './exit-codes.ts';

/** Where a running server is and how to sign in: flags first, then what `start` left in the home folder. */
export interface ServerAddress {
  url: string;
  token: string;
}

export interface ServerOptions {
  server?: string;
  tokenFile?: string;
}

/** The token is read from a file, never from argv: other users of a machine can read argv. */
export async function serverAddress(options: ServerOptions, config: Config): Promise<ServerAddress> {
  const file = options.tokenFile ?? join(config.COLLECTIVE_HOME, 'token');
  const url = options.server ?? config.PUBLIC_URL ?? (await readLine(join(config.COLLECTIVE_HOME, 'url')));
  const token = await readLine(file);
  if (url === null) throw new InputError('no server was found: start one with `npx collective start`, or name one with --server');
  if (!/^https?:/.test(url) || !URL.canParse(url)) throw new InputError(`"${url}" is not the address of a server: write http://host:port`);
  if (token === null) throw new InputError(`no token was found in ${file}; name a file that holds one with --token-file`);
  return { url, token };
}

async function readLine(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    return null;
  }
}

/** One request; a problem reply becomes an InputError that says whose fault it is and what to do. */
export async function call<T>(address: ServerAddress, path: string, schema: z.ZodType<T>, init: RequestInit = {}): Promise<T> {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${address.token}`);
  let reply: Response;
  try {
    reply = await fetch(new URL(path, address.url), { ...init, headers, signal: init.signal ?? AbortSignal.timeout(60_000) });
  } catch (error) {
    const { message, cause } = error as Error;
    const why = cause instanceof Error && cause.message !== '' ? cause.message : message;
    throw new InputError(
      `${address.url} does not answer: ${why}\nis the server running? \`npx collective start\` starts one`,
      exitCodes.error,
    );
  }
  const body: unknown = await reply.json();
  if (reply.ok) return schema.parse(body);
  const problem = Problem.safeParse(body);
  if (!problem.success) throw new InputError(`${address.url} answered ${reply.status} without saying why`, exitCodes.error);
  const { detail, faultOf, advice, errors = [], status } = problem.data;
  const lines = errors
    .map((one) => `${one.path}: ${one.message}`)
    .filter((line) => line !== detail)
    .map((line) => `\n  ${line}`)
    .join('');
  throw new InputError(`${detail}${lines}\nwhose fault: ${faultOf}. ${advice}`, status >= 500 ? exitCodes.error : exitCodes.badInput);
}
