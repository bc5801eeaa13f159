import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { deadPlaces, lives, placeOf, showPresence } from './presence.ts';

const folder = () => mkdtemp(join(tmpdir(), 'collective-presence-'));

it('lives until the last of its users leaves, and leaves nothing behind', async () => {
  const parent = await folder();
  const first = await showPresence(parent, 'w');
  const second = await showPresence(parent, 'w');
  expect(await lives(first.place)).toBe(true);
  await first[Symbol.asyncDispose]();
  expect(await lives(second.place)).toBe(true);
  await second[Symbol.asyncDispose]();
  expect(await lives(second.place)).toBe(false);
  await expect(access(second.place)).rejects.toThrow();
});

it('is seen to be dead as soon as its process is killed', async () => {
  const parent = await folder();
  const script = `import { showPresence } from ${JSON.stringify(new URL('./presence.ts', import.meta.url).href)};
    await showPresence(${JSON.stringify(parent)}, 'killed'); setInterval(() => {}, 1000); console.log('shown');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  await using own = await showPresence(parent, 'own');
  expect(await deadPlaces(parent)).toEqual([]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await deadPlaces(parent)).toEqual([placeOf(parent, 'killed')]);
  expect(await lives(own.place)).toBe(true);
});

it('leaves alone what is not a place of a worker', async () => {
  const parent = await folder();
  await mkdir(join(parent, 'notes'));
  await writeFile(join(parent, 'file'), '');
  expect(await deadPlaces(parent)).toEqual([]);
});

it('says what to do with a folder that cannot be used', async () => {
  const parent = await folder();
  await writeFile(join(parent, 'file'), '');
  await expect(showPresence(join(parent, 'file'), 'w')).rejects.toThrow(/SANDBOX_SOCKETS/);
  await expect(showPresence(join(parent, 'x'.repeat(100)), 'w')).rejects.toThrow(/too long.*SANDBOX_SOCKETS/);
});
