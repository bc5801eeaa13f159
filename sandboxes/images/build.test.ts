import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extract } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { testEngine, testImagesFile } from '../../test/setup/docker.ts';
import { describeWith } from '../../test/setup/optional.ts';
import { buildImages, loadImageIds } from './build.ts';
import { recipeHash, recipeOf } from './recipe.ts';
import { finishRoot, writeArchive } from './root-fs.ts';

const engine = await testEngine();
const folder = () => mkdtemp(join(tmpdir(), 'collective-images-test-'));

describe('the record of images', () => {
  it('is empty when it is missing or damaged: images are then built again', async () => {
    const file = join(await folder(), 'images.json');
    expect(await loadImageIds(file)).toEqual({});
    for (const text of ['', '{', '[]', '{"version":1,"images":{"python":{"imageId":"latest"}}}']) {
      await writeFile(file, text);
      expect(await loadImageIds(file)).toEqual({});
    }
  });
});

describe('an archive', () => {
  it('is the same bytes for the same content, with root as the only owner and no special modes', async () => {
    const recipe = { ...recipeOf('node', process.execPath), files: [] };
    const hashes: string[] = [];
    let names: string[] = [];
    for (const order of [
      ['b', 'a'],
      ['a', 'b'],
    ]) {
      const root = await folder();
      for (const name of order) await writeFile(join(root, name), name, { mode: 0o4755 });
      await finishRoot(recipe, root, new AbortController().signal);
      const file = join(await folder(), 'root.tar');
      hashes.push(await writeArchive(recipe, root, file));
      names = [];
      const reading = extract();
      reading.end(await readFile(file));
      for await (const entry of reading) {
        const { name, uid, gid, mode, mtime } = entry.header;
        expect({ uid, gid, special: (mode ?? 0) & 0o7000, time: mtime?.getTime() }).toEqual({ uid: 0, gid: 0, special: 0, time: 0 });
        names.push(name.replace(/\/$/, ''));
        entry.resume();
      }
    }
    expect(hashes[0]).toBe(hashes[1]);
    expect(names).toEqual(expect.arrayContaining(['a', 'b', 'etc/passwd', 'gateway', 'program', 'tmp', 'work']));
  });
});

describe('a recipe', () => {
  it('has another hash when anything that decides the image changes', async () => {
    const recipe = recipeOf('python', process.execPath);
    const hash = await recipeHash(recipe, 'debian-12-x64');
    expect(await recipeHash(recipe, 'debian-12-x64')).toBe(hash);
    expect(await recipeHash(recipe, 'debian-13-x64')).not.toBe(hash);
    expect(await recipeHash({ ...recipe, packages: ['python3', 'perl'] }, 'debian-12-x64')).not.toBe(hash);
    expect(await recipeHash({ ...recipe, files: recipe.files.slice(1) }, 'debian-12-x64')).not.toBe(hash);
  });
});

describeWith('docker', engine.state, 'images in an engine', () => {
  it('are not built again when nothing changed', async () => {
    const again = await buildImages(engine.docker, { file: testImagesFile });
    expect(again).toMatchObject({ ok: true, built: [] });
    const ids = await loadImageIds(testImagesFile);
    for (const id of [ids.node, ids.python]) expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it('carry no tag', async () => {
    for (const id of Object.values(await loadImageIds(testImagesFile))) {
      const { RepoTags, Config } = await engine.docker.getImage(id ?? '').inspect();
      expect((RepoTags ?? []).filter((tag) => tag !== '<none>:<none>')).toEqual([]);
      expect(Config.Labels).toMatchObject({ 'collective.image': expect.stringMatching(/^(node|python)$/) });
    }
  });
});
