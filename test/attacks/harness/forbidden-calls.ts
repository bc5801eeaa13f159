import type { EngineCall } from '../../setup/engine-proxy.ts';

/**
 * Engine calls that let a container reach its host before, and create bodies that take anything but an image by its
 * id or digest: CVE-2018-15664, CVE-2026-41567, -41568, -42306, -17106 (archive), CVE-2024-21626 and CVE-2019-5736
 * (exec into a used container), CVE-2024-23651 to -23653 (build). One line for each call that must not be.
 */
export function forbiddenCalls(calls: readonly EngineCall[]): string[] {
  return calls.flatMap((call) => {
    const problem = problemOf(call);
    return problem === null ? [] : [`${call.method} ${call.path.replace(/[0-9a-f]{64}/, (id) => id.slice(0, 12))}: ${problem}`];
  });
}

const neverInContainers = /\/containers\/[^/]+\/(archive|copy|exec|export|attach\/ws|update|rename|commit)$/;
const never = /^(\/v[\d.]+)?\/(build|commit|exec\/|session|grpc|plugins\/|swarm|secrets|images\/(load|get)|volumes\/create|networks\/)/;
const byDigest = /^sha256:[0-9a-f]{64}$/;

function problemOf({ method, path, query, body }: EngineCall): string | null {
  if (neverInContainers.test(path) || never.test(path)) return 'this call is never made';
  if (method === 'POST' && /\/images\/create$/.test(path)) return imageCreate(new URLSearchParams(query));
  if (method === 'POST' && /\/containers\/create$/.test(path)) return containerCreate(body);
  return null;
}

function imageCreate(query: URLSearchParams): string | null {
  const from = query.get('fromImage') ?? '';
  const tag = query.get('tag') ?? '';
  if (query.has('fromSrc')) return 'an image from an archive is made only by `images build`';
  return byDigest.test(tag) || /@sha256:[0-9a-f]{64}$/.test(from) ? null : `image "${from}:${tag}" is not named by digest`;
}

function containerCreate(body: unknown): string | null {
  const { Image, HostConfig } = (body ?? {}) as { Image?: string; HostConfig?: Record<string, unknown> };
  if (!/^(.+@)?sha256:[0-9a-f]{64}$/.test(Image ?? '')) return `image ${JSON.stringify(Image)} is not named by id or digest`;
  if (HostConfig?.NetworkMode !== 'none') return `network ${JSON.stringify(HostConfig?.NetworkMode)}`;
  if (HostConfig.Privileged !== false || HostConfig.ReadonlyRootfs !== true) return 'privileged, or a writable root';
  const mounts = (HostConfig.Mounts ?? []) as { ReadOnly?: boolean; Source?: string }[];
  const writable = mounts.filter(({ ReadOnly }) => ReadOnly !== true);
  if (writable.length > 0 || HostConfig.Binds) return `something of the host mounted writable: ${JSON.stringify(writable)}`;
  return mounts.some(({ Source }) => Source?.endsWith('.sock')) ? 'a socket of the host is mounted by its name' : null;
}
