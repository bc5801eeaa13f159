import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type Docker from 'dockerode';
import { z } from 'zod';
import { assemble, pushImage, pushManifest, type TestFile, type TestRegistry, tarOf } from '../../setup/registry.ts';

/** An image as a stranger would push it: our busybox, a program `solve` in shell, and whatever the attack adds. */
const Entry = z.strictObject({
  name: z.string(),
  type: z.enum(['file', 'directory', 'symlink', 'link', 'character-device', 'block-device', 'fifo']).default('file'),
  linkname: z.string().optional(),
  mode: z.number().int().optional(),
  uid: z.number().int().optional(),
  devmajor: z.number().int().optional(),
  devminor: z.number().int().optional(),
  content: z.string().default(''),
  /** So many zeros instead of a content. */
  zeros: z.number().int().optional(),
  /** A copy of busybox instead of a content. */
  busybox: z.boolean().default(false),
});
const HostileImage = z.strictObject({
  solve: z.string().default('$b echo "\\"ran\\""'),
  /** Of the image's configuration; as text where only that can say it. */
  config: z.union([z.record(z.string(), z.unknown()), z.string()]).default({}),
  /** Further layers, on top. */
  layers: z.array(z.array(Entry)).default([]),
  /** How it is named: by digest, by a tag, by the digest of a list for several machines, or by digest in a registry nobody allowed. */
  named: z.enum(['digest', 'tag', 'list', 'elsewhere']).default('digest'),
});
type HostileImage = z.infer<typeof HostileImage>;

/** Pushes the image that a file describes and gives the reference a participant would submit. */
export async function pushHostile(registry: TestRegistry, file: string): Promise<string> {
  const parsed = HostileImage.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
  const image = parsed.data;
  const config = typeof image.config === 'string' ? image.config : { Entrypoint: ['/solve'], ...image.config };
  const pushed = assemble({ layers: await layersOf(image), config });
  const reference = await pushImage(registry, 'hostile', pushed);
  if (image.named === 'tag') return `${registry.host}/hostile:latest`;
  if (image.named === 'elsewhere') return reference.replace(registry.host, '127.0.0.1:1');
  return image.named === 'list' ? await pushList(registry, pushed.manifest, reference) : reference;
}

async function layersOf({ solve, layers }: HostileImage): Promise<Buffer[]> {
  const busybox = await readFile('/bin/busybox');
  const base: TestFile[] = [
    { name: 'bin/busybox', content: busybox },
    { name: 'solve', content: `#!/bin/busybox sh\nb=/bin/busybox\ntask=$($b cat)\n${solve}\n` },
  ];
  const content = (entry: z.infer<typeof Entry>) =>
    entry.busybox ? busybox : entry.zeros === undefined ? entry.content : Buffer.alloc(entry.zeros);
  const more = layers.map((layer) =>
    tarOf(
      layer.map(({ zeros: _zeros, busybox: _busybox, content: _content, ...header }, i) => {
        const entry = layer[i] as z.infer<typeof Entry>;
        return {
          ...Object.fromEntries(Object.entries(header).filter(([, value]) => value !== undefined)),
          name: header.name,
          content: content(entry),
        };
      }),
    ),
  );
  return [await tarOf(base), ...(await Promise.all(more))];
}

/** A list that names the image once for every kind of machine. */
async function pushList(registry: TestRegistry, manifest: object, reference: string): Promise<string> {
  const bytes = Buffer.byteLength(JSON.stringify(manifest));
  const entry = (architecture: string) => ({
    ...{ mediaType: 'application/vnd.docker.distribution.manifest.v2+json', size: bytes, digest: reference.split('@')[1] },
    platform: { architecture, os: 'linux' },
  });
  const list = {
    ...{ schemaVersion: 2, mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json' },
    manifests: ['amd64', 'arm64'].map(entry),
  };
  return await pushManifest(registry, 'hostile', list);
}

/** Takes a pulled image off the engine again; one that was refused never came there. */
export async function forgetImage(docker: Docker, reference: string): Promise<void> {
  await docker
    .getImage(reference)
    .remove({ force: true })
    .catch((error: { statusCode?: number }) => {
      if (error.statusCode !== 404 && error.statusCode !== 400) throw error;
    });
}
