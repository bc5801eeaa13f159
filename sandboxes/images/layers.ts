import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import type { ImagePolicy } from '../docker/options.ts';
import type { ImageConfig, Manifest } from './oci.ts';
import { blobSize, type Failure, openBlob, participant, platform, type RegistryOptions, unreachable } from './registry.ts';

/**
 * Reads every layer once before the engine may have it. A manifest's sizes are its author's claims, engines unpack
 * without a limit, and one kilobyte of gzip holds a megabyte of zeros or thousands of empty files: whoever pulls first
 * and looks afterwards has a full disk. Nothing is written here; bytes are counted, hashed and forgotten.
 */
const maxEntries = 200_000;
/** Unpacked against packed: real images are at 2 to 4. */
const maxGrowth = 6;
const layersMs = 300_000;

export async function checkLayers(
  options: RegistryOptions,
  manifest: Manifest,
  config: ImageConfig,
  policy: ImagePolicy,
): Promise<{ ok: true } | Failure> {
  for (const { digest, size } of manifest.layers) {
    const held = await blobSize(options, digest);
    if (!held.ok) return held;
    if (held.bytes !== size) {
      return participant(`the manifest says that layer ${digest} has ${size} bytes, it has ${held.bytes}: push the image again`);
    }
  }
  const left: Budget = { bytes: policy.maxBytes * maxGrowth, entries: maxEntries };
  const timed = { ...options, signal: AbortSignal.any([options.signal, AbortSignal.timeout(layersMs)]) };
  for (const [index, { digest, size }] of manifest.layers.entries()) {
    const blob = await openBlob(timed, digest);
    if (!blob.ok) return blob;
    try {
      const read = await readLayer(Readable.from(blob.body), size, left);
      if (read.problem !== null) return participant(`layer ${digest}: ${read.problem}`);
      if (read.digest !== digest) return platform(`the registry sent other bytes for ${digest} than its name says`);
      if (read.diffId !== config.rootfs.diff_ids[index]) {
        return participant(`layer ${digest} unpacks to ${read.diffId}, the configuration names another content: push the image again`);
      }
    } catch (error) {
      return unreachable(timed, error);
    }
  }
  return { ok: true };
}

interface Budget {
  bytes: number;
  entries: number;
}

/** What a layer holds may be wrong in the ways named here; a broken stream of the registry is thrown. */
class LayerProblem extends Error {}

/**
 * Something of the sandbox is mounted at these places. An image in which they are anything else makes every start of
 * its containers fail, which would look like a fault of the platform and be free of charge.
 */
const folders = new Set(['collective', 'dev', 'dev/shm', 'etc', 'gateway', 'proc', 'program', 'sys', 'work']);
const files = new Set(['etc/hosts', 'etc/hostname', 'etc/resolv.conf']);

const accounts = new Set(['etc/passwd', 'etc/group']);
/** The engine gives up on a longer line. */
const mostAccountBytes = 65_536;
const plainTypes = new Set(['file', 'contiguous-file', 'directory', 'symlink', 'link']);
const longestName = 255;

function wrongPlace(name: string, type: string | null, bytes: number): string | null {
  const path = posix.normalize(`/${name}`).slice(1).replace(/\/$/, '');
  if (path.length > 4_000 || path.split('/').some((part) => Buffer.byteLength(part) > longestName))
    return 'it holds a name that is too long';
  if (folders.has(path) && type !== 'directory') return `/${path} is not a folder, and the sandbox needs one there: leave it out`;
  // The engine itself opens these two, on the host and as root, to look up our user 0: a device there was read and a pipe
  // waited at (tried). No other place needs a device or a pipe either.
  if (type !== null && !plainTypes.has(type)) return `/${path} is a device, pipe or other special file: leave it out`;
  if (accounts.has(path) && (type !== 'file' || bytes >= mostAccountBytes)) {
    return `/${path} must be a file of less than ${mostAccountBytes} bytes, or be left out`;
  }
  if (files.has(path) && type === 'directory') return `/${path} is a folder, and the sandbox needs a file there: leave it out`;
  return null;
}

export async function readLayer(
  source: Readable,
  size: number,
  left: Budget,
): Promise<{ problem: string | null; digest: string; diffId: string }> {
  const packed = createHash('sha256');
  const unpacked = createHash('sha256');
  let received = 0;
  const entries = extract();
  entries.on('entry', (header, stream, next) => {
    left.entries--;
    // Its types do not know the extended header.
    const { type, pax } = header as typeof header & { pax?: object | null };
    const sparse = Object.keys(pax ?? {}).some((key) => key.startsWith('GNU.sparse'));
    const inTheWay = wrongPlace(header.name, type ?? null, header.size ?? 0);
    if (left.entries < 0) entries.destroy(new LayerProblem(`the image has more than ${maxEntries} files: make it smaller`));
    else if (inTheWay !== null) entries.destroy(new LayerProblem(inTheWay));
    // The engine would fill the holes of such a file with zeros that nobody has counted.
    else if (sparse || type === null)
      entries.destroy(new LayerProblem('it holds a sparse or unknown kind of file: pack it as a plain one'));
    // Ends with the archive's own error, which is the one that is reported.
    stream
      .on('error', () => {})
      .on('end', next)
      .resume();
  });
  try {
    await pipeline(
      source,
      async function* (parts: AsyncIterable<Buffer>) {
        for await (const part of parts) {
          received += part.length;
          if (received > size) throw new LayerProblem(`it is longer than ${size} bytes`);
          packed.update(part);
          yield part;
        }
      },
      createGunzip(),
      async function* (parts: AsyncIterable<Buffer>) {
        for await (const part of parts) {
          left.bytes -= part.length;
          if (left.bytes < 0) throw new LayerProblem('the image unpacks to more bytes than this platform accepts: make it smaller');
          unpacked.update(part);
          yield part;
        }
      },
      entries,
    );
  } catch (error) {
    const problem = problemOf(error as NodeJS.ErrnoException);
    if (problem === null) throw error;
    return { problem, digest: '', diffId: '' };
  }
  return { problem: null, digest: `sha256:${packed.digest('hex')}`, diffId: `sha256:${unpacked.digest('hex')}` };
}

function problemOf(error: NodeJS.ErrnoException): string | null {
  if (error instanceof LayerProblem) return error.message;
  if (error.code?.startsWith('Z_')) return `it is not gzip: ${error.message}`;
  return /invalid tar header|unexpected end of data/i.test(error.message) ? `it is not a tar archive: ${error.message}` : null;
}
