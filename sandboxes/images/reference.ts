import { ImageReference } from '../../contracts/sandbox.ts';
import type { ImagePolicy } from '../docker/options.ts';

export interface ReferenceParts {
  /** `host[:port]` as written. */
  registry: string;
  repository: string;
  digest: string;
  /** Base address of the registry's HTTP interface. */
  origin: string;
}

/**
 * Takes a reference apart when the operator allows its registry. Nothing is resolved or contacted: a stranger chooses
 * the name, and a worker that connected to it could be sent to any address it can reach.
 */
export function readReference(
  reference: string,
  policy: Pick<ImagePolicy, 'registries'>,
): { ok: true; parts: ReferenceParts } | { ok: false; message: string } {
  const parsed = ImageReference.safeParse(reference);
  if (!parsed.success) return { ok: false, message: `"${reference.slice(0, 300)}" is not ${parsed.error.issues[0]?.message}` };
  const [name = '', digest = ''] = reference.split('@');
  const registry = name.slice(0, name.indexOf('/'));
  if (!policy.registries.includes(registry)) {
    const allowed = policy.registries.join(', ');
    return {
      ok: false,
      message:
        policy.registries.length === 0
          ? 'no image is run on this platform: its operator has named no registry (IMAGE_REGISTRIES)'
          : `images from ${registry} are not run on this platform, which allows ${allowed}. Push the image to one of these.`,
    };
  }
  // To an engine a first part without dot, port or this one name is a folder of a public registry and not a host.
  if (registry !== 'localhost' && !registry.includes('.') && !registry.includes(':')) {
    return { ok: false, message: `"${registry}" is no host name of a registry: name it in full, registry.example/repository@sha256:…` };
  }
  const host = registry.replace(/:\d+$/, '');
  const origin = `${isLoopback(host) ? 'http' : 'https'}://${registry}`;
  const url = URL.parse(origin);
  // URLs know many spellings of one address (127.1, 0x7f000001); only the plain one is the same to everybody.
  if (url === null || url.hostname !== host) return { ok: false, message: `"${registry}" is not the plain spelling of a host and port` };
  return { ok: true, parts: { registry, repository: name.slice(registry.length + 1), digest, origin } };
}

/** Only the name and the addresses that cannot leave the machine; `localhost.example` and `127.0.0.1.example` can. */
const isLoopback = (host: string): boolean => host === 'localhost' || /^127(\.\d{1,3}){3}$/.test(host);
