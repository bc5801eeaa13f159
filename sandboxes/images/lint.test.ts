import { describe, expect, it } from 'vitest';
import { lintImage } from './lint.ts';
import { ambiguousField, type ContainerDefaults, ImageConfig, Manifest } from './oci.ts';

const policy = { registries: [], maxBytes: 1_000, maxLayers: 3 };
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const imageOf = (config: Partial<ContainerDefaults>, layers = 1): ImageConfig =>
  ImageConfig.parse({
    architecture: 'amd64',
    os: 'linux',
    config: { Entrypoint: ['/solve'], ...config },
    rootfs: { type: 'layers', diff_ids: Array.from({ length: layers }, () => digest('a')) },
  });
const manifestOf = (sizes: readonly number[]): Manifest => ({
  schemaVersion: 2,
  config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digest('b'), size: 10 },
  layers: sizes.map((size) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digest('c'), size })),
});
const lint = (config: Partial<ContainerDefaults>) => lintImage(imageOf(config), manifestOf([10]), policy, 'amd64');
const problemsOf = (config: Partial<ContainerDefaults>) => {
  const result = lint(config);
  return result.ok ? [] : result.problems;
};

describe('the lint of an image', () => {
  it('accepts a plain one and says what to run', () => {
    expect(lint({ Entrypoint: ['/solve', '--fast'], Cmd: ['x'] })).toEqual({
      ok: true,
      command: ['/solve', '--fast', 'x'],
      environment: {},
      notes: [],
    });
    expect(lint({ Entrypoint: null, Cmd: ['python', 'main.py'] })).toMatchObject({ command: ['python', 'main.py'] });
  });

  it.each([
    ['/proc/self/fd/8', 'CVE-2024-21626'],
    ['/proc', ''],
    ['/sys/fs/cgroup', ''],
    ['/dev/shm', ''],
    ['/app/../proc/self/fd/7', ''],
    ['//proc/self/fd/7', ''],
    ['/./proc/self', ''],
    ['proc/self', ''],
    ['/a\0b', ''],
  ])('refuses WORKDIR %j', (WorkingDir) => {
    expect(problemsOf({ WorkingDir })).toEqual([expect.stringMatching(/^WORKDIR .* is refused: name a plain folder/)]);
  });

  it('refuses what the engine would merge into the container', () => {
    expect(problemsOf({ Volumes: { '/data': {} } })).toEqual([expect.stringMatching(/^VOLUME "\/data" is refused/)]);
    expect(problemsOf({ Labels: { 'collective.worker': 'x', fine: 'y' } })).toEqual([expect.stringMatching(/^LABEL "collective.worker"/)]);
    expect(problemsOf({ Labels: { long: 'x'.repeat(40_000) } })).toHaveLength(1);
    for (const port of ['x', '1/icmp', '99999/tcp', '-1', '1-65535']) expect(problemsOf({ ExposedPorts: { [port]: {} } })).toHaveLength(1);
  });

  it.each([
    'LD_PRELOAD=/evil.so',
    'LD_LIBRARY_PATH=/x',
    'LD_AUDIT=/x',
    'ld_preload=/x',
    'GLIBC_TUNABLES=a=b',
    'GCONV_PATH=/x',
    'MALLOC_TRACE=/x',
    'NVIDIA_VISIBLE_DEVICES=all',
    'COLLECTIVE_INTERPRETER=["/evil"]',
    'NOVALUE',
    '=x',
    'A B=c',
    'A=b\0c',
  ])('refuses the variable %j', (variable) => {
    expect(problemsOf({ Env: ['PATH=/bin', variable] })).toEqual([expect.stringMatching(/^ENV /)]);
  });

  it('refuses a variable that is set twice and too many of them', () => {
    expect(problemsOf({ Env: ['A=1', 'A=2'] })).toEqual([expect.stringContaining('set twice')]);
    expect(problemsOf({ Env: Array.from({ length: 300 }, (_, index) => `A${index}=1`) })).toEqual([expect.stringContaining('256')]);
  });

  it('rebuilds the environment from a list and says what it leaves out', () => {
    const Env = [
      'PATH=/opt/bin:/bin',
      'LC_ALL=C',
      'JAVA_HOME=/jdk',
      'NODE_OPTIONS=--require /evil',
      'PYTHONPATH=/x',
      'HOME=/root',
      'API_KEY=k',
    ];
    expect(lint({ Env })).toMatchObject({
      environment: { PATH: '/opt/bin:/bin', LC_ALL: 'C', JAVA_HOME: '/jdk' },
      notes: [expect.stringContaining('"NODE_OPTIONS PYTHONPATH HOME API_KEY" is not passed on')],
    });
    for (const path of ['', ':/bin', '/bin:', 'bin', '/bin::/usr/bin', './x:/bin']) {
      expect(lint({ Env: [`PATH=${path}`] })).toMatchObject({ environment: {}, notes: [expect.stringContaining('PATH')] });
    }
  });

  it('notes what the sandbox decides itself', () => {
    const result = lint({
      User: 'root',
      WorkingDir: '/app',
      Healthcheck: { Test: ['CMD', '/evil'], Interval: 1 },
      OnBuild: ['RUN evil'],
      StopSignal: 'SIGSTOP',
      Shell: ['/evil'],
      ExposedPorts: { '80/tcp': {} },
    });
    const notes = result.ok ? result.notes.map((note) => note.split(' ')[0]) : [];
    expect(notes).toEqual(['USER', 'WORKDIR', 'HEALTHCHECK', 'ONBUILD', 'STOPSIGNAL', 'SHELL', 'EXPOSE']);
  });

  it('refuses other platforms, too many layers, too many bytes, and layers that do not add up', () => {
    const refusal = (image: ImageConfig, sizes: readonly number[]) => lintImage(image, manifestOf(sizes), policy, 'amd64');
    expect(refusal({ ...imageOf({}), architecture: 'arm64' }, [1])).toMatchObject({ problems: [expect.stringContaining('linux/arm64')] });
    expect(refusal({ ...imageOf({}), os: 'windows' }, [1])).toMatchObject({ ok: false });
    expect(refusal(imageOf({}, 4), [1, 1, 1, 1])).toMatchObject({ problems: [expect.stringContaining('4 layers, at most 3')] });
    expect(refusal(imageOf({}, 2), [600, 600])).toMatchObject({
      problems: [expect.stringContaining('1200 bytes compressed, at most 1000')],
    });
    expect(refusal(imageOf({}, 2), [1])).toMatchObject({ problems: [expect.stringContaining('1 layers and the configuration 2')] });
    expect(refusal(imageOf({}, 0), [])).toMatchObject({ problems: [expect.stringContaining('no layers')] });
  });

  it('refuses an image without a command or with an endless one', () => {
    for (const config of [{ Entrypoint: [] }, { Entrypoint: null, Cmd: null }, { Entrypoint: [''] }])
      expect(problemsOf(config)).toHaveLength(1);
    expect(problemsOf({ Cmd: Array.from({ length: 64 }, () => 'x') })).toHaveLength(1);
    expect(problemsOf({ Cmd: ['x'.repeat(5_000)] })).toHaveLength(1);
  });

  it('names every problem at once, in printable characters', () => {
    const problems = problemsOf({ WorkingDir: '/proc/\u001b[2J\u202e', Volumes: { '/x': {} }, Env: ['LD_PRELOAD=/x'], Entrypoint: [] });
    expect(problems).toHaveLength(4);
    expect(problems.join('')).toMatch(/^[\x20-\x7e]*$/);
  });
});

describe('a document that engines read differently', () => {
  it('is recognised by fields in other cases and by two spellings of one', () => {
    expect(ambiguousField({ config: { volumes: { '/x': {} } } })).toBe('volumes');
    expect(ambiguousField({ config: {}, CONFIG: { Volumes: {} } })).toBe('CONFIG');
    expect(ambiguousField({ layers: [{ URLS: [] }] })).toBe('URLS');
    expect(ambiguousField({ weird: 1, Weird: 2 })).toBe('Weird');
    expect(ambiguousField({ config: { Labels: { user: 'x', USER: 'y' }, Volumes: { '/a': {}, '/A': {} } } })).toBeNull();
  });

  it('is refused when a layer is to come from another address or is of another kind', () => {
    const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digest('c'), size: 1 };
    const withLayer = (more: object) => Manifest.safeParse({ ...manifestOf([]), layers: [{ ...layer, ...more }] }).success;
    expect(withLayer({})).toBe(true);
    expect(withLayer({ urls: ['http://169.254.169.254/'] })).toBe(false);
    expect(withLayer({ mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip' })).toBe(false);
    expect(withLayer({ mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd' })).toBe(false);
    expect(withLayer({ digest: 'sha256:../../etc' })).toBe(false);
    expect(withLayer({ size: -1 })).toBe(false);
  });
});
