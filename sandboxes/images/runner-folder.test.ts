import { chmod, lstat, mkdir, mkdtemp, readdir, rename, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { Limits } from '../../contracts/sandbox.ts';
import { testEngine, testImagesFile } from '../../test/setup/docker.ts';
import { describeWith } from '../../test/setup/optional.ts';
import { type TestFile, tarOf } from '../../test/setup/registry.ts';
import { createBody } from '../docker/hardening.ts';
import { loadRunnerFolder, readRecords } from './build.ts';
import {
  confine,
  ensureRunnerFolder,
  removeOldRunners,
  removeTree,
  runnerFolderOf,
  runnerStart,
  verifyRunnerFolder,
} from './runner-folder.ts';
import { hashTree } from './tree.ts';

const engine = await testEngine();
const folder = () => mkdtemp(join(tmpdir(), 'collective-runner-test-'));

describe('a binary', () => {
  it('has its paths overwritten in place, and is refused when they are not where they are expected', () => {
    const before = Buffer.from('ab\0/etc/ld.so.preload\0cd\0/etc/ld.so.cache\0');
    const after = confine(before, ['/etc/ld.so.preload', '/etc/ld.so.cache']);
    expect(after.toString()).toBe('ab\0/collective/------\0cd\0/collective/----\0');
    expect(before.toString()).toContain('/etc/ld.so.preload');
    expect(() => confine(Buffer.from('nothing'), ['/etc/ld.so.preload'])).toThrow(/not one whose paths are known/);
    expect(() => confine(Buffer.from('\0/etc/x\0\0/etc/x\0'), ['/etc/x'])).toThrow(/not one whose paths are known/);
  });
});

describe('the hash of a folder', () => {
  it('changes with every name, mode, byte and link', async () => {
    const place = await folder();
    const seen = new Set<string>();
    const look = async () => seen.add((await hashTree(place)).sha256).size;
    await writeFile(join(place, 'a'), 'x');
    expect(await look()).toBe(1);
    expect(await look()).toBe(1);
    await writeFile(join(place, 'a'), 'y');
    expect(await look()).toBe(2);
    await chmod(join(place, 'a'), 0o600);
    expect(await look()).toBe(3);
    await rename(join(place, 'a'), join(place, 'b'));
    expect(await look()).toBe(4);
    await symlink('b', join(place, 'c'));
    expect(await look()).toBe(5);
  });
});

describe('the folder of the runner', () => {
  /** As much of unpacked packages as the folder is made from, with the links that Debian has. */
  const unpacked = async () => {
    const root = await folder();
    const library = 'lib/x86_64-linux-gnu';
    for (const path of [library, 'usr/bin', 'usr/lib/python3.11/lib-dynload', 'opt/collective'])
      await mkdir(join(root, path), { recursive: true });
    await writeFile(join(root, library, 'ld-linux-x86-64.so.2'), '\0/etc/ld.so.preload\0/etc/ld.so.cache\0');
    await writeFile(join(root, library, 'libc.so.6'), '\0/etc/nsswitch.conf\0');
    await writeFile(join(root, library, 'libssl.so.3'), 'not wanted');
    await writeFile(join(root, 'usr/bin/python3.11'), 'python');
    await writeFile(join(root, 'usr/lib/python3.11/os.py'), 'pass');
    await writeFile(join(root, 'usr/lib/python3.11/lib-dynload/_ssl.cpython-311.so'), 'not wanted');
    await symlink('/etc/python3.11/sitecustomize.py', join(root, 'usr/lib/python3.11/sitecustomize.py'));
    await symlink('/etc/passwd', join(root, 'usr/lib/python3.11/other.py'));
    await writeFile(join(root, 'opt/collective/runner.py'), 'runner');
    return root;
  };
  const archiveSha256 = 'a'.repeat(64);

  it('has no link, nothing writable and nothing that asks the image; a damaged one is replaced', async () => {
    const [root, home] = [await unpacked(), await folder()];
    const record = await ensureRunnerFolder({ root, home, archiveSha256 });
    const place = runnerFolderOf(home, archiveSha256);
    const entries = await readdir(place, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
    expect(files.map((file) => file.slice(place.length + 1)).sort()).toEqual([
      'ld.so',
      'lib/libc.so.6',
      'opt/collective/runner.py',
      'usr/bin/python3',
      'usr/lib/python3.11/os.py',
    ]);
    for (const entry of entries) expect((await lstat(join(entry.parentPath, entry.name))).mode & 0o222).toBe(0);
    const loader = join(place, 'ld.so');
    await chmod(loader, 0o644);
    expect(await verifyRunnerFolder(place, record)).toBe('changed');
    expect(await ensureRunnerFolder({ root, home, archiveSha256 })).toEqual(record);
    expect(await verifyRunnerFolder(place, record)).toBe('ok');
    expect(await readdir(join(home, 'runner'))).toEqual([archiveSha256]);
  });

  it('is built by several processes at once without harm, and old ones go but for the last', async () => {
    const [root, home] = [await unpacked(), await folder()];
    const all = await Promise.all([1, 2, 3, 4].map(() => ensureRunnerFolder({ root, home, archiveSha256 })));
    expect(new Set(all.map(({ sha256 }) => sha256)).size).toBe(1);
    expect(await readdir(join(home, 'runner'))).toEqual([archiveSha256]);
    for (const letter of ['b', 'c', 'd']) await ensureRunnerFolder({ root, home, archiveSha256: letter.repeat(64) });
    await removeOldRunners(home, 'd'.repeat(64));
    expect((await readdir(join(home, 'runner'))).sort()).toEqual(['c'.repeat(64), 'd'.repeat(64)]);
    await removeTree(home);
  });
});

describeWith('docker', engine.state, 'the runner in an image of a participant', async () => {
  const { docker } = engine;
  const images: string[] = [];
  afterAll(async () => {
    for (const id of images) await docker.getImage(id).remove();
  });

  const imageOf = async (files: readonly TestFile[]): Promise<string> => {
    const answer: NodeJS.ReadableStream = await docker.importImage(Readable.from([await tarOf(files)]) as never, { fromSrc: '-' });
    let text = '';
    for await (const part of answer) text += part.toString();
    const id = /sha256:[0-9a-f]{64}/.exec(text)?.[0];
    if (id === undefined) throw new Error(text);
    images.push(id);
    return id;
  };

  /** Runs Python code in the place of the runner, in a container with the hardening of every sandbox. */
  const runPython = async (imageId: string, code: string): Promise<{ exit: number; out: string; error: string }> => {
    const { command, environment } = runnerStart();
    const body = createBody(
      {
        profile: 'image',
        imageId,
        runtime: 'runc',
        limits: Limits.parse({}),
        cases: 'independent',
        program: 'small',
        foreign: {
          command: ['/solve'],
          environment: {},
          runnerFolder: (await loadRunnerFolder(testImagesFile)) ?? '',
          runnerCommand: [...command.slice(0, -1), '-c', code],
          runnerEnvironment: environment,
        },
      },
      { containerId: 'test', workerId: 'test', place: '', uid: 20_000, socketFolder: await folder(), deadlineAt: Date.now() + 60_000 },
    );
    const container = await docker.createContainer(body);
    try {
      const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
      const [out, error] = [new PassThrough(), new PassThrough()];
      docker.modem.demuxStream(stream, out, error);
      const ended = new Promise((resolve) => stream.on('end', resolve));
      await container.start();
      const { StatusCode } = await container.wait();
      await ended;
      const textOf = (pass: PassThrough) => String(pass.read() ?? '');
      return { exit: StatusCode, out: textOf(out), error: textOf(error) };
    } finally {
      await container.remove({ force: true });
    }
  };

  const report = `
import sys, os, json, ctypes, hashlib, asyncio, socket, http.client, selectors, datetime, random, pwd
try: name = pwd.getpwuid(4242).pw_name
except KeyError: name = None
maps = sorted({line.split()[5] for line in open('/proc/self/maps') if len(line.split()) > 5 and line.split()[5].startswith('/')})
links = [line.split(':')[0].strip() for line in open('/proc/net/dev') if ':' in line]
secure = [line.split()[1] for line in open('/proc/self/status') if line.startswith(('Seccomp:', 'NoNewPrivs:'))]
try: open('/written', 'w'); root = 'writable'
except OSError as error: root = error.strerror
try: open('/collective/opt/collective/runner.py', 'a'); ours = 'writable'
except OSError as error: ours = error.strerror
print(json.dumps({'maps': maps, 'path': sys.path, 'prefix': sys.prefix, 'name': name, 'links': links, 'secure': secure, 'root': root, 'ours': ours}))`;

  it('needs no other file: it starts where there is only one', async () => {
    const { exit, out, error } = await runPython(await imageOf([{ name: 'solve', content: 'a static binary, for all we know' }]), report);
    expect({ exit, error }).toEqual({ exit: 0, error: '' });
    const seen = JSON.parse(out);
    expect(seen).toMatchObject({
      prefix: '/collective/usr',
      name: null,
      links: ['lo'],
      secure: ['1', '2'],
      root: 'Read-only file system',
      ours: 'Permission denied',
    });
    for (const path of [...seen.maps, ...seen.path.filter((one: string) => one !== '')]) expect(path).toMatch(/^\/collective\//);
  });

  it('takes nothing into its process that an image puts in its way', async () => {
    const code = `open('/proc/self/fd/2', 'w').write('ran in the runner')`;
    const evil = [
      'etc/ld.so.cache',
      'evil.so',
      'lib/x86_64-linux-gnu/libc.so.6',
      'lib/x86_64-linux-gnu/libm.so.6',
      'lib/x86_64-linux-gnu/libnss_evil.so.2',
      'lib64/ld-linux-x86-64.so.2',
      'lib/ld-musl-x86_64.so.1',
      'usr/lib/libz.so.1',
    ].map((name) => ({ name, content: 'no library' }));
    const image = await imageOf([
      ...evil,
      { name: 'etc/ld.so.preload', content: '/evil.so\n' },
      { name: 'etc/nsswitch.conf', content: 'passwd: evil\n' },
      { name: 'etc/python3.11/sitecustomize.py', content: code },
      { name: 'usr/lib/python3.11/os.py', content: code },
      { name: 'usr/bin/python3', content: code },
      { name: 'pyvenv.cfg', content: 'home = /usr/bin\n' },
      // Whoever opens one of these waits for ever; with content of its own it made PID 1 load a library of the image.
      ...['usr/lib/locale/locale-archive', 'usr/lib/locale/C.UTF-8/LC_CTYPE', 'usr/lib/locale/C.utf8/LC_CTYPE', 'etc/localtime'].map(
        (name) => ({ name, type: 'fifo' as const }),
      ),
      ...['usr/share/zoneinfo/UTC', 'usr/share/zoneinfo/UTC0', 'usr/share/locale/locale.alias'].map((name) => ({
        name,
        type: 'fifo' as const,
      })),
      { name: 'collective/ld.so', content: 'no loader' },
      { name: 'usr/lib/ssl/openssl.cnf', content: 'openssl_conf = evil\n[evil]\nengines = e\n[e]\nx = y\n[y]\ndynamic_path = /evil.so\n' },
    ]);
    const { exit, out, error } = await runPython(image, report);
    expect({ exit, error }).toEqual({ exit: 0, error: '' });
    for (const path of JSON.parse(out).maps) expect(path).toMatch(/^\/collective\//);
    // The zygote loads `site`, so what that imports counts as well.
    const zygote = await runPython(image, 'import site, sys; site.main(); print(sys.prefix)');
    expect(zygote).toEqual({ exit: 0, out: '/collective/usr\n', error: '' });
  });

  it('lies in a folder without links that is exactly what was recorded', async () => {
    const place = (await loadRunnerFolder(testImagesFile)) ?? '';
    const { python } = await readRecords(testImagesFile);
    if (python?.runner === undefined) throw new Error('no runner was built');
    expect(await verifyRunnerFolder(place, python.runner)).toBe('ok');
    const entries = await readdir(place, { recursive: true, withFileTypes: true });
    expect(entries.filter((entry) => !entry.isFile() && !entry.isDirectory())).toEqual([]);
    expect(await verifyRunnerFolder(`${place}x`, python.runner)).toBe('gone');
    expect(await verifyRunnerFolder(join(place, 'opt'), python.runner)).toBe('changed');
  });
});
