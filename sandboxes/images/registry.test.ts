import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { assemble, sha256, tarOf } from '../../test/setup/registry.ts';
import { checkLayers, readLayer } from './layers.ts';
import { blobSize, fetchImage } from './registry.ts';

/** A registry of our own, because a real one cannot be made to lie. */
const servers: ReturnType<typeof createServer>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(listener: RequestListener, digest: string) {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { parts: { registry, repository: 'team/solver', digest, origin: `http://${registry}` }, signal: new AbortController().signal };
}

const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';
const layer = await tarOf([{ name: 'solve', content: 'hello' }]);
const image = assemble({ layers: [layer], config: { Cmd: ['/solve'] } });

/** Answers like a registry that holds `image`, but for the paths in `instead`. */
function honest(manifest: string, blobs: readonly Uint8Array[], instead: Record<string, RequestListener> = {}): RequestListener {
  return (request, response) => {
    const last = request.url?.split('/').slice(-2).join('/') ?? '';
    const special = instead[last] ?? instead[last.split('/')[0] ?? ''];
    const bytes = last === `manifests/${sha256(manifest)}` ? Buffer.from(manifest) : blobs.find((blob) => last === `blobs/${sha256(blob)}`);
    if (special !== undefined) special(request, response);
    else if (bytes === undefined) response.writeHead(404).end();
    else {
      const type = last.startsWith('manifests') ? manifestType : 'application/octet-stream';
      response.writeHead(200, { 'content-type': type, 'content-length': bytes.length }).end(request.method === 'HEAD' ? undefined : bytes);
    }
  };
}

const text = JSON.stringify(image.manifest);
const fetchWith = async (instead: Record<string, RequestListener>, more = {}) =>
  await fetchImage({ ...(await serve(honest(text, image.blobs, instead), sha256(text))), ...more });
/** A document as it stands in the place of the manifest, with the digest that it has. */
const fetchDocument = async (document: string, type = manifestType) =>
  await fetchImage(
    await serve(
      honest(document, image.blobs, { manifests: (_, response) => response.writeHead(200, { 'content-type': type }).end(document) }),
      sha256(document),
    ),
  );

describe('the client of a registry', () => {
  it('reads manifest and configuration', async () => {
    expect(await fetchWith({})).toMatchObject({ ok: true, manifest: image.manifest, config: { os: 'linux', config: { Cmd: ['/solve'] } } });
  });

  it('takes other bytes than the digest names for a fault of the registry, before it parses them', async () => {
    const other = await fetchWith({ manifests: (_, response) => response.writeHead(200, { 'content-type': manifestType }).end('{"not":') });
    expect(other).toMatchObject({ ok: false, fault: 'platform', message: expect.stringContaining('other bytes') });
    const config = await fetchWith({ [`blobs/${image.manifest.config.digest}`]: (_, response) => response.end('{}') });
    expect(config).toMatchObject({ ok: false, fault: 'platform', message: expect.stringContaining('other bytes') });
  });

  it('stops reading an endless answer', async () => {
    let sent = 0;
    const endless = await fetchWith({
      manifests: (_, response) => {
        const chunk = Buffer.alloc(65_536, 32);
        const more = () => {
          while (!response.destroyed && response.write(chunk)) sent += chunk.length;
          sent += chunk.length;
          if (!response.destroyed) response.once('drain', more);
        };
        more();
      },
    });
    expect(endless).toMatchObject({ ok: false, fault: 'participant', message: expect.stringContaining('1048576 bytes') });
    expect(sent).toBeLessThan(32 * 1_048_576);
  });

  it('follows no redirect, neither to another host nor to itself', async () => {
    let asked = 0;
    const elsewhere = await serve((_, response) => {
      asked++;
      response.end(text);
    }, '');
    const redirect: RequestListener = (_, response) => response.writeHead(307, { location: `${elsewhere.parts.origin}/x` }).end();
    for (const path of ['manifests', `blobs/${image.manifest.config.digest}`]) {
      expect(await fetchWith({ [path]: redirect })).toMatchObject({
        ok: false,
        fault: 'platform',
        message: expect.stringContaining('not followed'),
      });
    }
    expect(asked).toBe(0);
  });

  it('gives up on a registry that is slow to begin or slow to end', async () => {
    for (const slow of [
      (() => {}) as RequestListener,
      ((_, response) => void response.writeHead(200, { 'content-type': manifestType }).write('{')) as RequestListener,
    ]) {
      const result = await fetchWith({ manifests: slow }, { timeoutMs: 200 });
      expect(result).toMatchObject({ ok: false, fault: 'platform', message: expect.stringContaining('did not answer in time') });
    }
  });

  it('says so when the evaluation ended meanwhile', async () => {
    const abort = new AbortController();
    const result = fetchWith({ manifests: () => abort.abort() }, { signal: abort.signal });
    expect(await result).toMatchObject({ ok: false, fault: 'platform', message: expect.stringContaining('was ended') });
  });

  it('tells a list of images, and what is no JSON or no image, from an image', async () => {
    const list = JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] });
    expect(await fetchDocument(list)).toMatchObject({ fault: 'participant', message: expect.stringContaining('list of images') });
    expect(await fetchDocument('hello')).toMatchObject({ fault: 'participant', message: expect.stringContaining('not JSON') });
    expect(await fetchDocument('\ud800')).toMatchObject({ fault: 'participant' });
    for (const json of ['null', '[]', '1', '{}', JSON.stringify({ ...image.manifest, schemaVersion: 1 })]) {
      expect(await fetchDocument(json)).toMatchObject({
        fault: 'participant',
        message: expect.stringContaining('not what this platform accepts'),
      });
    }
    const artifact = { ...image.manifest, config: { ...image.manifest.config, mediaType: 'application/vnd.cncf.helm.config.v1+json' } };
    expect(await fetchDocument(JSON.stringify(artifact))).toMatchObject({ message: expect.stringContaining('no container image') });
  });

  it('refuses a document that is two things at once (CVE-2021-41190)', async () => {
    expect(await fetchDocument(JSON.stringify({ ...image.manifest, manifests: [] }))).toMatchObject({ fault: 'participant' });
    expect(await fetchDocument(text, 'application/vnd.oci.image.manifest.v1+json')).toMatchObject({
      fault: 'participant',
      message: expect.stringContaining('push the image again'),
    });
  });

  it('blames the participant for what is not there and the platform for a registry that fails', async () => {
    const status = (code: number) => fetchWith({ manifests: (_, response) => response.writeHead(code).end() });
    expect(await status(404)).toMatchObject({ fault: 'participant', message: expect.stringContaining('push the image') });
    expect(await status(401)).toMatchObject({ fault: 'participant', message: expect.stringContaining('readable without') });
    for (const code of [429, 500, 503])
      expect(await status(code)).toMatchObject({ fault: 'platform', message: expect.stringContaining(`${code}`) });
    const gone = await serve(() => {}, sha256(text));
    servers.at(-1)?.close();
    expect(await fetchImage(gone)).toMatchObject({ fault: 'platform', message: expect.stringContaining('ECONNREFUSED') });
    const broken = await fetchWith({ manifests: (request) => request.socket.destroy() });
    expect(broken).toMatchObject({ fault: 'platform', message: expect.stringContaining('cannot be reached') });
  });

  it('asks how large a blob is without reading it', async () => {
    const options = await serve(honest(text, image.blobs), '');
    expect(await blobSize(options, sha256(image.blobs[0] ?? ''))).toEqual({ ok: true, bytes: image.blobs[0]?.length });
    expect(await blobSize(options, sha256('other'))).toMatchObject({ fault: 'participant' });
  });
});

describe('what the engine would open on its host', () => {
  const read = async (...files: Parameters<typeof tarOf>[0]) => {
    const bytes = gzipSync(await tarOf(files));
    return await readLayer(Readable.from([bytes]), bytes.length, { bytes: 1_000_000, entries: 100 });
  };

  it('is refused as anything but a short list of accounts', async () => {
    for (const name of ['etc/passwd', './etc/group', '/etc/passwd']) {
      expect(await read({ name, content: 'root:x:0:0:root:/:/bin/sh\n' })).toMatchObject({ problem: null });
      expect(await read({ name, content: 'x'.repeat(65_536) })).toMatchObject({ problem: expect.stringContaining('less than') });
      expect(await read({ name, type: 'symlink', linkname: '/dev/zero' })).toMatchObject({ problem: expect.stringContaining('less than') });
      expect(await read({ name, type: 'directory' })).toMatchObject({ problem: expect.stringContaining('less than') });
      for (const type of ['character-device', 'block-device', 'fifo'] as const) {
        expect(await read({ name, type, devmajor: 1, devminor: 5 })).toMatchObject({ problem: expect.stringContaining('special file') });
      }
    }
    expect(await read({ name: 'usr/lib/locale/locale-archive', type: 'fifo' })).toMatchObject({
      problem: expect.stringContaining('special'),
    });
    expect(await read({ name: 'a'.repeat(300), content: '' })).toMatchObject({ problem: expect.stringContaining('too long') });
  });
});

describe('layers', () => {
  const policy = { registries: [], maxBytes: 100_000, maxLayers: 10 };
  const config = (layers: readonly Buffer[]) => ({
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers' as const, diff_ids: layers.map(sha256) },
  });
  const check = async (made: ReturnType<typeof assemble>, layers: readonly Buffer[], instead: Record<string, RequestListener> = {}) =>
    await checkLayers(
      await serve(honest('', made.blobs, instead), ''),
      made.manifest as Parameters<typeof checkLayers>[1],
      { ...config(layers), config: null } as Parameters<typeof checkLayers>[2],
      policy,
    );
  const reading = (bytes: Uint8Array, left = { bytes: 1_000_000, entries: 1_000 }) =>
    readLayer(Readable.from([Buffer.from(bytes)]), bytes.length, left);

  it('are read in full and compared with what the documents say', async () => {
    expect(await check(image, [layer])).toEqual({ ok: true });
    expect(await check(image, [Buffer.from('x')])).toMatchObject({
      fault: 'participant',
      message: expect.stringContaining('another content'),
    });
  });

  it('are refused when the manifest lies about their size, or when one is missing', async () => {
    const [first] = image.manifest.layers;
    if (first === undefined) throw new Error('no layer');
    const lying = { ...image, manifest: { ...image.manifest, layers: [{ ...first, size: 1 }] } };
    expect(await check(lying, [layer])).toMatchObject({ fault: 'participant', message: expect.stringContaining('has 1 bytes, it has') });
    expect(await check({ ...image, blobs: [] }, [layer])).toMatchObject({
      fault: 'participant',
      message: expect.stringContaining('has no blobs/'),
    });
  });

  it('that come as other bytes are the registry’s fault', async () => {
    const { digest, size } = image.manifest.layers[0] ?? { digest: '', size: 0 };
    const other = gzipSync(layer, { level: 0 }).subarray(0, size);
    const answer: RequestListener = (request, response) =>
      response
        .writeHead(200, { 'content-length': size })
        .end(request.method === 'HEAD' ? undefined : Buffer.concat([image.blobs[0] ?? other]).fill(7, 4, 8));
    expect(await check(image, [layer], { [`blobs/${digest}`]: answer })).toMatchObject({ fault: 'platform' });
  });

  it('that unpack to more than is accepted are refused while they are read', async () => {
    const bomb = await tarOf([{ name: 'zeros', content: Buffer.alloc(3_000_000) }]);
    expect(await reading(gzipSync(bomb))).toMatchObject({ problem: expect.stringContaining('unpacks to more bytes') });
    const many = await tarOf(Array.from({ length: 50 }, (_, index) => ({ name: `f${index}` })));
    expect(await reading(gzipSync(many), { bytes: 1e9, entries: 40 })).toMatchObject({ problem: expect.stringContaining('more than') });
  });

  it('with sparse files are refused: their holes are bytes that nobody counted', async () => {
    const sparse = await tarOf([{ name: 'hole', content: 'x', pax: { 'GNU.sparse.realsize': '99999999999' } } as { name: string }]);
    expect(await reading(gzipSync(sparse))).toMatchObject({ problem: expect.stringContaining('sparse') });
    const old = Buffer.from(await tarOf([{ name: 'hole', content: 'x' }]));
    old.write('S', 156);
    let sum = 256;
    for (let at = 0; at < 512; at++) if (at < 148 || at >= 156) sum += old[at] ?? 0;
    old.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    expect(await reading(gzipSync(old))).toMatchObject({ problem: expect.stringContaining('sparse') });
  });

  it('may not put anything else where the sandbox has its own folders and files', async () => {
    for (const entry of [
      { name: 'work', content: 'a file' },
      { name: './proc', type: 'symlink' as const, linkname: '/etc' },
      { name: '/collective', type: 'symlink' as const, linkname: 'evil' },
      { name: 'x/../dev//shm', type: 'fifo' as const },
      { name: 'etc', type: 'link' as const, linkname: 'x' },
      { name: 'etc/hosts/', type: 'directory' as const },
    ]) {
      expect(await reading(gzipSync(await tarOf([entry])))).toMatchObject({ problem: expect.stringContaining('leave it out') });
    }
    const usual = ['work/', 'proc/', 'dev/', 'dev/shm/', 'etc/', 'etc/hosts', 'etc/hosts.d/', 'home/work', 'workers'];
    const entries = usual.map((name) => ({ name, type: name.endsWith('/') ? ('directory' as const) : ('file' as const) }));
    expect(await reading(gzipSync(await tarOf(entries)))).toMatchObject({ problem: null });
  });

  it('must be gzip around tar', async () => {
    expect(await reading(Buffer.from('plain'))).toMatchObject({ problem: expect.stringContaining('not gzip') });
    expect(await reading(gzipSync(Buffer.alloc(1024, 65)))).toMatchObject({ problem: expect.stringContaining('not a tar') });
    expect(await reading(gzipSync(layer).subarray(0, 40))).toMatchObject({ problem: expect.stringContaining('not gzip') });
  });
});
