import { chmod, copyFile, cp, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readRecords } from '../../sandboxes/images/build.ts';
import { removeTree } from '../../sandboxes/images/runner-folder.ts';
import { runCli } from '../setup/cli.ts';
import { testEngine, testImagesFile } from '../setup/docker.ts';
import { describeWith } from '../setup/optional.ts';

const engine = await testEngine();
const home = await mkdtemp(join(tmpdir(), 'collective-cli-images-'));
afterAll(() => removeTree(home));

describeWith('docker', engine.state, 'collective images', async () => {
  const environment = { COLLECTIVE_HOME: home, DOCKER_HOST: engine.dockerHost };
  const images = (...args: string[]) => runCli(['images', ...args], environment);

  it('says what to do where nothing was built', async () => {
    expect(await images('list')).toMatchObject({ code: 0, stdout: expect.stringContaining('npx collective images build') });
    const verified = await images('verify', '--json');
    expect(verified.code).toBe(1);
    expect(JSON.parse(verified.stdout)).toEqual({
      ok: false,
      images: ['python', 'node', 'runner'].map((name) => ({ name, where: null, state: 'never built' })),
    });
  });

  it('lists and verifies images and runner, and finds what was changed', async () => {
    const { python, node } = await readRecords(testImagesFile);
    if (python?.runner === undefined || node === undefined) throw new Error('no images');
    const runner = join(home, 'runner', python.archiveSha256);
    await copyFile(testImagesFile, join(home, 'images.json'));
    await cp(join(dirname(testImagesFile), 'runner', python.archiveSha256), runner, { recursive: true });
    const listed = await images('list');
    for (const part of [python.imageId, node.imageId, python.runner.sha256]) expect(listed.stdout).toContain(part);
    expect(await images('verify')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^python +there .*\nnode +there .*\nrunner +there .*\n$/),
    });
    await chmod(join(runner, 'ld.so'), 0o755);
    await writeFile(join(runner, 'ld.so'), 'another loader');
    const changed = await images('verify');
    expect(changed).toMatchObject({ code: 1, stdout: expect.stringMatching(/runner +changed .*\n.*find out who changed it/) });
  });

  it('does not begin without an engine, or with a name that is no image', async () => {
    const nowhere = { COLLECTIVE_HOME: home, DOCKER_HOST: 'unix:///nowhere/docker.sock' };
    expect(await runCli(['images', 'verify'], nowhere)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no Docker engine answers'),
    });
    expect(await images('build', 'perl')).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no image "perl"') });
  });
});
