import { chmod, cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extract } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { testEngine, testImagesFile } from '../../test/setup/docker.ts';
import { describeWith } from '../../test/setup/optional.ts';
import { buildImages, loadImageIds, readRecords } from './build.ts';
import { recipeHash, recipeOf } from './recipe.ts';
import { finishRoot, writeArchive } from './root-fs.ts';
import { removeTree } from './runner-folder.ts';
import { verifyImages } from './verify.ts';

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
    const recipe = { ...recipeOf('node', process.execPath), files: [], compilePython: false };
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

  it('are built twice to the same bytes, runner included', { timeout: 120_000 }, async () => {
    const home = await folder();
    const second = await buildImages(engine.docker, { file: join(home, 'images.json'), names: ['python'] });
    if (!second.ok) throw new Error(second.problem);
    try {
      let first = (await readRecords(testImagesFile)).python;
      if (first?.packages.join() !== second.images.python?.packages.join()) {
        // The package archive had an update since the tests' images were built.
        const again = await buildImages(engine.docker, { file: testImagesFile, names: ['python'], refresh: true });
        first = again.ok ? again.images.python : undefined;
      }
      const { imageId, archiveSha256, runner } = second.images.python ?? {};
      expect({ archiveSha256, runner }).toEqual({ archiveSha256: first?.archiveSha256, runner: first?.runner });
      expect(await verifyImages(engine.docker, join(home, 'images.json'))).toEqual([
        { name: 'python', where: imageId, state: 'there' },
        { name: 'node', where: null, state: 'never built' },
        { name: 'runner', where: join(home, 'runner', archiveSha256 ?? ''), state: 'there' },
      ]);
    } finally {
      await engine.docker.getImage(second.images.python?.imageId ?? '').remove();
    }
    const states = (await verifyImages(engine.docker, join(home, 'images.json'))).map(({ state }) => state);
    expect(states).toEqual(['gone', 'never built', 'there']);
    await removeTree(home);
  });

  it('are found changed when record, image or runner is not what was built', async () => {
    const home = await folder();
    const file = join(home, 'images.json');
    const { python, node } = await readRecords(testImagesFile);
    if (python === undefined || node === undefined) throw new Error('no images');
    const place = join(home, 'runner', python.archiveSha256);
    await cp(join(testImagesFile, '..', 'runner', python.archiveSha256), place, { recursive: true });
    const states = async (images: object) => {
      await writeFile(file, JSON.stringify({ version: 1, images }));
      return (await verifyImages(engine.docker, file)).map(({ state }) => state);
    };
    expect(await states({ python, node })).toEqual(['there', 'there', 'there']);
    // An image of another content under the recorded name.
    expect(await states({ python: { ...python, imageId: node.imageId }, node })).toEqual(['changed', 'there', 'there']);
    const runner = join(place, 'opt/collective/runner.py');
    await chmod(runner, 0o644);
    expect(await states({ python, node })).toEqual(['there', 'there', 'changed']);
    await chmod(runner, 0o444);
    expect(await states({ python, node })).toEqual(['there', 'there', 'there']);
    const text = await readFile(runner, 'utf8');
    await chmod(runner, 0o644);
    await writeFile(runner, text.replace('nonce', 'NONCE'));
    await chmod(runner, 0o444);
    expect(await states({ python, node })).toEqual(['there', 'there', 'changed']);
    await removeTree(home);
  });
});
