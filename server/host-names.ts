const loopback = ['localhost', '127.0.0.1', '[::1]'];
const everyAddress = new Set(['0.0.0.0', '::']);

/** `HOST` as it stands in an address. */
export const hostInUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/**
 * The names a server that listens on `host` answers to, in lower case: loopback, the address itself and the public
 * name. Empty, so any, only where it listens on every address and its public name is not known.
 */
export function hostNamesOf(host: string, publicUrl: string | undefined): string[] {
  if (publicUrl === undefined && everyAddress.has(host)) return [];
  const own = everyAddress.has(host) ? [] : [hostInUrl(host).toLowerCase()];
  const named = publicUrl === undefined ? [] : [new URL(publicUrl).hostname];
  return [...new Set([...loopback, ...own, ...named])];
}
