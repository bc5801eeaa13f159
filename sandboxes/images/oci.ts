import { z } from 'zod';

/** Documents of the OCI image format and of Docker's older one, as far as they decide what runs. Both spell fields alike. */

export const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'a SHA-256 digest, sha256:…');

/** Layers are gzip only: what an engine makes of other compressions differs from version to version. */
export const layerTypes = ['application/vnd.oci.image.layer.v1.tar+gzip', 'application/vnd.docker.image.rootfs.diff.tar.gzip'] as const;
export const configTypes = ['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json'] as const;
export const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const;
export const indexTypes = ['application/vnd.oci.image.index.v1+json', 'application/vnd.docker.distribution.manifest.list.v2+json'];

const descriptor = { digest: Digest, size: z.number().int().min(0) };
/** Strict where an unknown field has a meaning: `urls` makes an engine fetch a layer from any address. */
const Layer = z.strictObject({
  ...descriptor,
  mediaType: z.enum(layerTypes, 'layers must be compressed with gzip'),
  annotations: z.unknown().optional(),
});

export const Manifest = z.strictObject({
  schemaVersion: z.literal(2),
  mediaType: z.enum(manifestTypes).optional(),
  config: z.strictObject({
    ...descriptor,
    mediaType: z.enum(configTypes, 'this is no container image'),
    annotations: z.unknown().optional(),
  }),
  layers: z.array(Layer).max(1_000),
  annotations: z.unknown().optional(),
});
export type Manifest = z.infer<typeof Manifest>;

const strings = z.array(z.string()).nullish();
const named = z.record(z.string(), z.unknown()).nullish();

/** What an image says about the containers made from it. */
export const ContainerDefaults = z.object({
  User: z.string().nullish(),
  Env: strings,
  Entrypoint: strings,
  Cmd: strings,
  WorkingDir: z.string().nullish(),
  Volumes: named,
  ExposedPorts: named,
  Labels: z.record(z.string(), z.string()).nullish(),
  Healthcheck: z.unknown().optional(),
  OnBuild: strings,
  StopSignal: z.string().nullish(),
  Shell: strings,
});
export type ContainerDefaults = z.infer<typeof ContainerDefaults>;

export const ImageConfig = z.object({
  architecture: z.string(),
  os: z.string(),
  config: ContainerDefaults.nullish(),
  rootfs: z.object({ type: z.literal('layers'), diff_ids: z.array(Digest).max(1_000) }),
});
export type ImageConfig = z.infer<typeof ImageConfig>;

const knownKeys = new Map(
  [...Object.keys(Manifest.shape), ...Object.keys(Layer.shape), ...Object.keys(ImageConfig.shape), 'type', 'diff_ids', 'urls', 'manifests']
    .concat(Object.keys(ContainerDefaults.shape))
    .map((key) => [key.toLowerCase(), key]),
);

/**
 * The first field that an engine could read otherwise than we do: engines ignore case in names, so that `volumes` is
 * `Volumes` to them and nothing to us. Null when there is none. Labels, annotations and history are data and not looked at.
 */
export function ambiguousField(value: unknown): string | null {
  if (Array.isArray(value)) return value.map(ambiguousField).find((found) => found !== null) ?? null;
  if (value === null || typeof value !== 'object') return null;
  const seen = new Set<string>();
  for (const [key, inner] of Object.entries(value)) {
    const lower = key.toLowerCase();
    const spelling = knownKeys.get(lower);
    if (seen.has(lower) || (spelling !== undefined && spelling !== key)) return key;
    seen.add(lower);
    if (['Labels', 'annotations', 'history', 'Volumes', 'ExposedPorts', 'container_config'].includes(key)) continue;
    const found = ambiguousField(inner);
    if (found !== null) return found;
  }
  return null;
}
