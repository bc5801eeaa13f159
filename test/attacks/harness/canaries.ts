import { createHash, randomUUID } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Things that no attack may read or change: files of the host with content, times, owner and place in the file system,
 * and secrets where a worker has them (environment, files, keys of providers, the database's password).
 */
export interface Canaries extends Disposable {
  /** What was touched since they were planted. */
  touched(): string[];
  /** Secrets that occur in `text`, in one of the forms in which a program would carry them out. */
  leakedIn(text: string): string[];
}

const watched = ['/etc/passwd', '/etc/group', '/etc/hosts', '/etc/hostname'];

/** Plants files in `folder`, which is outside of everything that sandboxes use, and secrets in this process's environment. */
export function plantCanaries(folder: string): Canaries {
  const secret = (name: string) => `canary-${name}-${randomUUID()}`;
  const names = ['environment', 'answers', 'provider-key', 'database-password'] as const;
  const secrets = Object.fromEntries(names.map((name) => [name, secret(name)])) as Record<(typeof names)[number], string>;
  const variables = {
    COLLECTIVE_CANARY_SECRET: secrets.environment,
    COLLECTIVE_CANARY_API_KEY: secrets['provider-key'],
    COLLECTIVE_CANARY_DATABASE_URL: `postgres://worker:${secrets['database-password']}@127.0.0.1/collective`,
  };
  Object.assign(process.env, variables);
  mkdirSync(join(folder, 'hidden'), { recursive: true, mode: 0o755 });
  const files = {
    [join(folder, 'hidden', 'answers.json')]: JSON.stringify({ case: secrets.answers }),
    [join(folder, 'provider.key')]: secrets['provider-key'],
    [join(folder, 'database.url')]: variables.COLLECTIVE_CANARY_DATABASE_URL,
  };
  // Readable for everybody: what keeps a program away shall be the sandbox and not the mode of a file.
  for (const [path, text] of Object.entries(files)) writeFileSync(path, text, { mode: 0o644 });
  const paths = [folder, join(folder, 'hidden'), ...Object.keys(files), ...watched];
  const before = new Map(paths.map((path) => [path, stateOf(path)]));
  return {
    touched: () => [...before].filter(([path, state]) => stateOf(path) !== state).map(([path]) => `${path} was touched`),
    leakedIn: (text) => names.filter((name) => formsOf(secrets[name]).some((form) => text.includes(form))),
    [Symbol.dispose]: () => {
      for (const name of Object.keys(variables)) delete process.env[name];
    },
  };
}

function stateOf(path: string): string {
  try {
    const { mode, uid, gid, ino, nlink, mtimeMs, ctimeMs, size } = lstatSync(path);
    const content = lstatSync(path).isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
    return JSON.stringify({ mode, uid, gid, ino, nlink, mtimeMs, ctimeMs, size, content });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  // Base64 of a text inside another depends on its offset; the middle part of each of the three is always there.
  const base64 = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset, 32), bytes])
      .toString('base64')
      .slice(4, -4),
  );
  return [secret, bytes.toString('hex'), [...secret].reverse().join(''), ...base64];
}
