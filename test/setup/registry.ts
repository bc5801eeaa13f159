import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Pack, pack } from 'tar-stream';
import type { Optional } from './optional.ts';
import { until } from './until.ts';

export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  host: string;
  /** Where its blobs lie, so that a test can take one away. */
  blobFile(digest: string): string;
  /** Ends the server and keeps its files: whoever asks now finds nobody. */
  stop(): Promise<void>;
}

/** Debian's `docker-registry` on a free loopback port, if the program is there. */
export async function testRegistry(): Promise<{ state: Optional; registry: TestRegistry | null }> {
  if (!(await isInstalled()))
    return { state: { available: false, reason: 'there is no docker-registry (Debian package docker-registry)' }, registry: null };
  const folder = await mkdtemp(join(tmpdir(), 'collective-test-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const settings = { version: 0.1, log: { level: 'error' }, storage: { filesystem: { rootdirectory: folder } }, http: { addr: host } };
  const file = join(folder, 'config.yml');
  // JSON is YAML.
  await writeFile(file, JSON.stringify(settings));
  // The shell ends the server when its input closes, so that it does not outlive a killed test process.
  const keeper = 'docker-registry serve "$0" & read -r none; kill $!; wait $!';
  const child = spawn('sh', ['-c', keeper, file], { stdio: ['pipe', 'ignore', 'ignore'] });
  const stop = async () => {
    if (child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.stdin?.end();
    await ended;
  };
  await until('docker-registry answers', async () => (await fetch(`http://${host}/v2/`).catch(() => null))?.ok === true);
  const registry = {
    host,
    stop,
    blobFile: (digest: string) => {
      const hash = digest.slice('sha256:'.length);
      return join(folder, 'docker/registry/v2/blobs/sha256', hash.slice(0, 2), hash, 'data');
    },
    [Symbol.asyncDispose]: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return { state: { available: true }, registry };
}

export const sha256 = (bytes: Uint8Array | string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export type TestFile = Parameters<Pack['entry']>[0] & { content?: string | Buffer };

/** A tar archive of these entries, in this order. */
export async function tarOf(files: readonly TestFile[]): Promise<Buffer> {
  const archive = pack();
  for (const { content, ...header } of files) archive.entry({ mtime: new Date(0), mode: 0o755, ...header }, content ?? '');
  archive.finalize();
  const parts: Buffer[] = [];
  for await (const part of archive) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

export interface TestImage {
  /** Uncompressed archives, bottom first. */
  layers: Buffer[];
  /** The object `config` of the image's configuration, or the whole document as text where only that can say it. */
  config?: object | string;
  architecture?: string;
}

export const machine = process.arch === 'x64' ? 'amd64' : process.arch;

/** Puts an image together, well-formed unless the test says otherwise. */
export function assemble({ layers, config = {}, architecture = machine }: TestImage) {
  const packed = layers.map((layer) => gzipSync(layer));
  const rootfs = { type: 'layers', diff_ids: layers.map(sha256) };
  const text = typeof config === 'string' ? config : JSON.stringify({ architecture, os: 'linux', config, rootfs });
  const configBytes = Buffer.from(text);
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: { mediaType: 'application/vnd.docker.container.image.v1+json', size: configBytes.length, digest: sha256(configBytes) },
    layers: packed.map((bytes) => ({
      mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
      size: bytes.length,
      digest: sha256(bytes),
    })),
  };
  return { manifest, blobs: [...packed, configBytes] };
}

/** Pushes an image over HTTP, as any client would, and gives its reference by digest. */
export async function pushImage(registry: TestRegistry, repository: string, image: ReturnType<typeof assemble>): Promise<string> {
  const base = `http://${registry.host}/v2/${repository}`;
  for (const blob of image.blobs) {
    const begun = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
    const url = new URL(begun.headers.get('location') ?? '', base);
    url.searchParams.set('digest', sha256(blob));
    await expectCreated(
      await fetch(url, { method: 'PUT', body: new Uint8Array(blob), headers: { 'content-type': 'application/octet-stream' } }),
    );
  }
  return await pushManifest(registry, repository, image.manifest);
}

export async function pushManifest(registry: TestRegistry, repository: string, manifest: { mediaType: string }): Promise<string> {
  const body = JSON.stringify(manifest);
  const url = `http://${registry.host}/v2/${repository}/manifests/${sha256(body)}`;
  await expectCreated(await fetch(url, { method: 'PUT', body, headers: { 'content-type': manifest.mediaType } }));
  return `${registry.host}/${repository}@${sha256(body)}`;
}

async function expectCreated(response: Response): Promise<void> {
  if (response.status !== 201) throw new Error(`the registry answered HTTP ${response.status}: ${await response.text()}`);
  await response.body?.cancel();
}

async function isInstalled(): Promise<boolean> {
  const probe = spawn('docker-registry', ['--version'], { stdio: 'ignore' });
  return Promise.race([once(probe, 'exit').then(() => true), once(probe, 'error').then(() => false)]).catch(() => false);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
