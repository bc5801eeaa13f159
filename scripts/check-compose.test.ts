import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'collective-compose-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const good = readFileSync(join(root, 'docker-compose.yml'), 'utf8');

function check(text: string): { code: number | null; stderr: string } {
  const file = join(folder, 'docker-compose.yml');
  writeFileSync(file, text);
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/check-compose.ts'), file], { encoding: 'utf8' });
  return { code: status, stderr };
}

describe('check-compose', () => {
  it('accepts the file that ships', () => {
    expect(check(good)).toEqual({ code: 0, stderr: '' });
  });

  it.each([
    ['an unknown key', 'restart: unless-stopped', 'restat: unless-stopped', 'restat'],
    ['a port published to everybody', '127.0.0.1:4870:4870', '4870:4870', 'loopback only'],
    ['a dependency that is no service', '    redis: { condition', '    cache: { condition', 'cache'],
    ['a volume that is not declared', '[queue:/data]', '[queues:/data]', 'mounts "queues"'],
    ['an entry file that is gone', 'command: [node, server/main.ts]', 'command: [node, server/app/main.ts]', 'which is no file'],
    ['a variable that nothing reads', 'WORKER_STAGES: evaluate', 'WORKER_STAGE: evaluate', 'sets WORKER_STAGE, which nothing reads'],
    [
      'sockets at another path on the host',
      '- /var/lib/collective-sockets:/var/lib/collective-sockets',
      '- /srv/sockets:/var/lib/collective-sockets',
      'same path',
    ],
    ['a password that may be empty', ':?set POSTGRES_PASSWORD}', '}', 'neither a default nor a message'],
  ])('refuses %s', (_, from, to, words) => {
    const broken = good.replaceAll(from, to);
    expect(broken).not.toBe(good);
    const { code, stderr } = check(broken);
    expect(code).toBe(1);
    expect(stderr).toContain(words);
  });
});
