import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openInstallation } from './installation.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'collective-installation-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('makes a key of 256 bits that only its owner reads, and finds it again', async () => {
  const first = await openInstallation(path.join(folder, 'home'));
  const again = await openInstallation(path.join(folder, 'home'));
  const other = await openInstallation(path.join(folder, 'other'));
  expect(first.key).toHaveLength(32);
  expect(again.key).toEqual(first.key);
  expect(other.key).not.toEqual(first.key);
  expect((await stat(path.join(folder, 'home/installation.key'))).mode & 0o777).toBe(0o600);
});

it('gives twenty starts at once one and the same key, and leaves no draft behind', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => openInstallation(folder)));
  expect(new Set(all.map((one) => one.key.toString('hex'))).size).toBe(1);
  expect(await readdir(folder)).toEqual(['installation.key']);
});

it('derives a different key per label, the same one each time', async () => {
  const { sub, key } = await openInstallation(folder);
  expect(sub('seed')).toBe(sub('seed'));
  expect(sub('seed')).not.toBe(sub('token'));
  expect(sub('seed')).toMatch(/^[0-9a-f]{64}$/);
  expect(sub('')).not.toBe(key.toString('hex'));
});

it('refuses a key that others may read', async () => {
  await openInstallation(folder);
  await chmod(path.join(folder, 'installation.key'), 0o640);
  await expect(openInstallation(folder)).rejects.toThrow('mode 640');
});

it('refuses a damaged key instead of making a new one over it', async () => {
  await writeFile(path.join(folder, 'installation.key'), 'abc', { mode: 0o600 });
  await expect(openInstallation(folder)).rejects.toThrow('is damaged');
});
