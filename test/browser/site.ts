import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A running server with built pages, workers and the built-in challenges with their samples judged. */
export interface Site extends AsyncDisposable {
  url: string;
  /** What the sign-in link carries. */
  token: string;
  /** A challenge that takes a defence; `search` is a word and `tag` a tag that no other challenge has. */
  defence: { slug: string; title: string; search: string; tag: string };
  /** A challenge that takes answers as lines of text, one field per public case. */
  answers: { slug: string; title: string };
  /** A challenge that takes a program. */
  program: { slug: string };
}

const project = fileURLToPath(new URL('../..', import.meta.url));
const longestStartMs = 150_000;

/** Starts the whole product as people do, in a folder of its own on any free port, and waits until its samples are judged. */
export async function startSite(): Promise<Site> {
  const home = await mkdtemp(join(tmpdir(), 'collective-browser-'));
  // Started by root, the database runs under another account, which must be able to pass through.
  await chmod(home, 0o711);
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ['cli/main.ts', 'start', '--json'], {
    cwd: project,
    env: { PATH, HOME, COLLECTIVE_HOME: home, LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(home, { recursive: true, force: true });
  };
  const said: string[] = [];
  let link: string | undefined;
  let samplesJudged = false;
  const ready = Promise.withResolvers<URL>();
  child.stderr.on('data', (bytes: Buffer) => said.push(bytes.toString()));
  // Read to the end of its life: a full pipe would hold the product up.
  createInterface({ input: child.stdout }).on('line', (line) => {
    said.push(line);
    const step = JSON.parse(line) as { link?: string; done?: number; of?: number };
    link ??= step.link;
    samplesJudged ||= step.of !== undefined && step.of > 0 && step.done === step.of;
    if (link !== undefined && samplesJudged) ready.resolve(new URL(link));
  });
  const fail = (why: string) => ready.reject(new Error(`${why}:\n${said.join('\n')}`));
  const tooLong = setTimeout(() => fail(`the samples were not judged within ${longestStartMs} ms`), longestStartMs);
  void ended.then(() => fail('the product ended'));
  try {
    return await describeSite(await ready.promise, stop);
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(tooLong);
  }
}

async function describeSite(link: URL, stop: () => Promise<void>): Promise<Site> {
  return {
    url: link.origin,
    token: link.hash.replace('#token=', ''),
    defence: { slug: 'over-refusal', title: await titleOf(link.origin, 'over-refusal'), search: 'xstest', tag: 'xstest' },
    answers: { slug: 'trigger-recovery', title: await titleOf(link.origin, 'trigger-recovery') },
    program: { slug: 'secret-keeper' },
    [Symbol.asyncDispose]: stop,
  };
}

async function titleOf(url: string, slug: string): Promise<string> {
  const answer = await fetch(`${url}/api/challenges/${slug}`);
  return ((await answer.json()) as { title: string }).title;
}
