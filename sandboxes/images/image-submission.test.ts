import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { testEngine } from '../../test/setup/docker.ts';
import { describeWith } from '../../test/setup/optional.ts';
import { assemble, machine, pushImage, pushManifest, sha256, type TestImage, tarOf, testRegistry } from '../../test/setup/registry.ts';
import { readUse, removeOldest, writeUse } from './image-records.ts';
import { type ImagePreparation, prepareImage } from './image-submission.ts';

const engine = await testEngine();
const { state, registry } = await testRegistry();
const signal = new AbortController().signal;

describe('an image of a participant that may not even be asked for', () => {
  it('is refused without a word to registry or engine', async () => {
    const options = { policy: { registries: ['127.0.0.1:1'], maxBytes: 1, maxLayers: 1 }, recordFolder: '/nonexistent' };
    const nobody = new Proxy({} as typeof engine.docker, { get: () => expect.unreachable('the engine was used') });
    for (const [reference, message] of [
      [`evil.test/a@sha256:${'a'.repeat(64)}`, 'are not run on this platform'],
      [`localhost:1/a@sha256:${'a'.repeat(64)}`, 'are not run on this platform'],
      ['127.0.0.1:1/a:latest', 'tags are not accepted'],
    ] as const) {
      const refused = await prepareImage(nobody, reference, options, signal);
      expect(refused).toMatchObject({ ok: false, fault: 'participant', message: expect.stringContaining(message) });
    }
  });
});

describeWith('registry', state.available && !engine.state.available ? engine.state : state, 'an image of a participant', async () => {
  if (registry === null) return;
  const { docker } = engine;
  const recordFolder = await mkdtemp(join(tmpdir(), 'collective-image-records-'));
  const options: ImagePreparation = { policy: { registries: [registry.host], maxBytes: 1_000_000, maxLayers: 16 }, recordFolder };
  const pushed = new Set<string>();
  afterAll(async () => {
    for (const reference of pushed)
      await docker
        .getImage(reference)
        .remove()
        .catch(() => {});
    await registry[Symbol.asyncDispose]();
    await rm(recordFolder, { recursive: true, force: true });
  });

  // Every test has a repository and bytes of its own: nothing is there from another one.
  let count = 0;
  const layer = (content = `solver ${count++} of ${process.pid}`) => tarOf([{ name: 'solve', content }]);
  const made = async (config: TestImage['config'], more: Partial<TestImage> = {}) =>
    assemble({ layers: [await layer()], config: typeof config === 'object' ? { Entrypoint: ['/solve'], ...config } : {}, ...more });
  const push = async (image: ReturnType<typeof assemble>) => {
    const reference = await pushImage(registry, `team/solver-${count++}`, image);
    pushed.add(reference);
    return reference;
  };
  const prepare = (reference: string, changed: Partial<ImagePreparation> = {}, during = signal) =>
    prepareImage(docker, reference, { ...options, ...changed }, during);
  const held = (reference: string) =>
    docker
      .getImage(reference)
      .inspect()
      .then(
        () => true,
        () => false,
      );

  it('is pulled by digest once and answered from what is there afterwards', async () => {
    const image = await made({
      Entrypoint: ['/solve', '-v'],
      Cmd: ['x'],
      Env: ['PATH=/bin', 'SECRET=1'],
      User: 'root',
      Healthcheck: { Test: ['CMD', '/x'] },
    });
    const reference = await push(image);
    const first = await prepare(reference);
    expect(first).toMatchObject({
      ok: true,
      imageId: image.manifest.config.digest,
      command: ['/solve', '-v', 'x'],
      environment: { PATH: '/bin' },
    });
    expect(first.ok && first.notes.map((note) => note.split(' ')[0])).toEqual(['USER', 'HEALTHCHECK', 'ENV']);
    // Without its blobs the registry could not deliver it a second time.
    await rm(registry.blobFile(image.manifest.config.digest));
    expect(await prepare(reference)).toEqual(first);
    const tags = (await docker.getImage(reference).inspect()).RepoTags ?? [];
    expect(tags.filter((tag) => !tag.includes('<none>'))).toEqual([]);
  });

  it('is pulled once for all who ask at the same time', async () => {
    const reference = await push(await made({}));
    let pulls = 0;
    const counting = new Proxy(docker, {
      get: (target, key) => {
        if (key === 'pull') pulls++;
        const value = Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const all = await Promise.all([1, 2, 3, 4].map(() => prepareImage(counting, reference, options, signal)));
    expect(new Set(all.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(all[0]).toMatchObject({ ok: true });
    expect(pulls).toBe(1);
  });

  it('is still prepared when the one who asked first gave up', async () => {
    const reference = await push(await made({}));
    const abort = new AbortController();
    const first = prepare(reference, {}, abort.signal);
    const second = prepare(reference);
    abort.abort();
    expect(await first).toMatchObject({ ok: false, fault: 'platform' });
    expect(await second).toMatchObject({ ok: true });
  });

  it.each<[string, TestImage['config'], Partial<TestImage>, string]>([
    ['a working folder in /proc (CVE-2024-21626)', { WorkingDir: '/proc/self/fd/8' }, {}, 'WORKDIR'],
    ['volumes', { Volumes: { '/data': {} } }, {}, 'VOLUME'],
    ['a preloaded library', { Env: ['LD_PRELOAD=/evil.so'] }, {}, 'LD_PRELOAD'],
    ['a wish for the host’s devices', { Env: ['NVIDIA_VISIBLE_DEVICES=all'] }, {}, 'NVIDIA_VISIBLE_DEVICES'],
    ['labels of ours', { Labels: { 'collective.sandbox': 'x' } }, {}, 'collective.sandbox'],
    ['no command', { Entrypoint: [] }, {}, 'no ENTRYPOINT'],
    ['another architecture', {}, { architecture: 's390x' }, 'linux/s390x'],
  ])('with %s is refused before the engine hears of it', async (_, config, more, word) => {
    const reference = await push(await made(config, more));
    expect(await prepare(reference)).toMatchObject({ ok: false, fault: 'participant', message: expect.stringContaining(word) });
    expect(await held(reference)).toBe(false);
  });

  it('with 200 layers or too many bytes is refused', async () => {
    const one = await layer();
    const many = await push(await made({}, { layers: Array.from({ length: 200 }, () => one) }));
    expect(await prepare(many)).toMatchObject({ fault: 'participant', message: expect.stringContaining('200 layers, at most 16') });
    const large = await push(await made({}));
    const policy = { ...options.policy, maxBytes: 10 };
    expect(await prepare(large, { policy })).toMatchObject({ fault: 'participant', message: expect.stringContaining('bytes compressed') });
  });

  it('that is a bomb is refused while its layers are read', async () => {
    const reference = await push(await made({}, { layers: [await tarOf([{ name: 'zeros', content: Buffer.alloc(8_000_000) }])] }));
    expect(await prepare(reference)).toMatchObject({ fault: 'participant', message: expect.stringContaining('unpacks to more bytes') });
    expect(await held(reference)).toBe(false);
  });

  it('whose fields the engine reads and we do not is refused, and does not stay', async () => {
    const bytes = await layer();
    const rootfs = JSON.stringify({ type: 'layers', diff_ids: [sha256(bytes)] });
    const start = `{"architecture":"${machine}","os":"linux","rootfs":${rootfs}`;
    // Engines ignore the case of names; we refuse to guess.
    const cased = await push(assemble({ layers: [bytes], config: `${start},"config":{"Cmd":["/solve"],"volumes":{"/data":{}}}}` }));
    expect(await prepare(cased)).toMatchObject({ fault: 'participant', message: expect.stringContaining('"volumes"') });
    // Engines join two objects of one name, we see the last one: only what the engine made of it shows the volume.
    const twice = await push(
      assemble({ layers: [bytes], config: `${start},"config":{"Volumes":{"/data":{}}},"config":{"Cmd":["/solve"]}}` }),
    );
    expect(await prepare(twice)).toMatchObject({ fault: 'participant', message: expect.stringMatching(/reads another image.*VOLUME/) });
    expect(await held(twice)).toBe(false);
  });

  it('that is a list of images is refused', async () => {
    const image = await made({});
    await push(image);
    const repository = `team/solver-${count - 1}`;
    const body = JSON.stringify(image.manifest);
    const entry = {
      mediaType: image.manifest.mediaType,
      size: body.length,
      digest: sha256(body),
      platform: { architecture: machine, os: 'linux' },
    };
    const list = { schemaVersion: 2, mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json', manifests: [entry] };
    const reference = await pushManifest(registry, repository, list);
    expect(await prepare(reference)).toMatchObject({ fault: 'participant', message: expect.stringContaining(`linux/${machine}`) });
  });

  it('of which something is missing is the participant’s fault, and so is a foreign digest', async () => {
    const nothing = `${registry.host}/team/none@sha256:${'a'.repeat(64)}`;
    expect(await prepare(nothing)).toMatchObject({ fault: 'participant', message: expect.stringContaining('push the image') });
    for (const pick of ['config', 'layer'] as const) {
      const image = await made({});
      const reference = await push(image);
      await rm(registry.blobFile(pick === 'config' ? image.manifest.config.digest : (image.manifest.layers[0]?.digest ?? '')));
      expect(await prepare(reference)).toMatchObject({ ok: false, message: expect.stringContaining(registry.host) });
      expect(await held(reference)).toBe(false);
    }
  });

  it('is refused by today’s rules although it was pulled under yesterday’s', async () => {
    const reference = await push(await made({}, { layers: [await layer(), await layer()] }));
    expect(await prepare(reference)).toMatchObject({ ok: true });
    const policy = { ...options.policy, maxLayers: 1 };
    expect(await prepare(reference, { policy })).toMatchObject({ fault: 'participant', message: expect.stringContaining('2 layers') });
    const none = { ...options.policy, registries: [] };
    expect(await prepare(reference, { policy: none })).toMatchObject({
      fault: 'platform',
      message: expect.stringContaining('IMAGE_REGISTRIES'),
    });
  });

  it('goes when it was not used for longest, unless a container uses it', async () => {
    const own = await mkdtemp(join(tmpdir(), 'collective-image-records-'));
    const [inUse, old, fresh] = [await push(await made({})), await push(await made({})), await push(await made({}))];
    await prepare(inUse, { recordFolder: own });
    const container = await docker.createContainer({ Image: inUse, Cmd: ['/solve'], HostConfig: { NetworkMode: 'none' } });
    await prepare(old, { recordFolder: own });
    await prepare(fresh, { recordFolder: own, keep: 1 });
    expect([await held(inUse), await held(old), await held(fresh)]).toEqual([true, false, true]);
    await container.remove();
    expect(await removeOldest(docker, own, 1, 30_000)).toEqual([inUse]);
    expect(await readdir(own)).toHaveLength(1);
    // One that somebody else removed is only forgotten.
    await docker.getImage(fresh).remove();
    await writeUse(own, { reference: inUse, imageId: `sha256:${'0'.repeat(64)}`, usedAt: new Date().toISOString() });
    expect(await removeOldest(docker, own, 0, 30_000)).toHaveLength(2);
    expect(await readdir(own)).toEqual([]);
  });

  it('is pulled again when somebody removed it, and nothing is guessed from a damaged record', async () => {
    const reference = await push(await made({}));
    const first = await prepare(reference);
    await docker.getImage(reference).remove();
    expect(await prepare(reference)).toEqual(first);
    for (const name of await readdir(recordFolder)) await writeFile(join(recordFolder, name), '{"reference":');
    expect(await prepare(reference)).toEqual(first);
    expect(JSON.stringify(await readUse(recordFolder, reference))).toContain(reference);
  });

  it('is the platform’s fault when the registry or the engine is gone', async () => {
    const there = await push(await made({}));
    const other = await push(await made({}));
    expect(await prepare(there)).toMatchObject({ ok: true });
    const broken = new Proxy(docker, {
      get: (target, key) => {
        if (key === 'pull') return () => Promise.reject(Object.assign(new Error('no space left on device'), { statusCode: 500 }));
        const value = Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const full = await prepareImage(broken, other, options, signal);
    expect(full).toMatchObject({ fault: 'platform', message: expect.stringContaining('no space left on device') });
    await registry.stop();
    expect(await prepare(other)).toMatchObject({ fault: 'platform', message: expect.stringContaining('cannot be reached') });
    // What was pulled before needs no registry.
    expect(await prepare(there)).toMatchObject({ ok: true });
  });
});
