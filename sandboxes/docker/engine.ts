import Docker from 'dockerode';

export const defaultDockerHost = 'unix:///var/run/docker.sock';

export interface Engine {
  docker: Docker;
  host: string;
  /** How long one call may take. */
  timeoutMs: number;
}

export type FoundEngine = ({ ok: true } & Engine) | { ok: false; problem: string };

const usualTimeoutMs = 30_000;

/**
 * A client of the engine at `dockerHost`. No API version is set: the engine then speaks its own, so that one client
 * fits old and new engines. Nothing is connected yet.
 */
export function engineAt(dockerHost: string | undefined, timeoutMs = usualTimeoutMs): FoundEngine {
  const host = dockerHost === undefined || dockerHost === '' ? defaultDockerHost : dockerHost;
  const url = URL.parse(host);
  if (url?.protocol === 'unix:') return { ok: true, docker: new Docker({ socketPath: decodeURIComponent(url.pathname) }), host, timeoutMs };
  if (url?.protocol === 'tcp:' || url?.protocol === 'http:') {
    return { ok: true, docker: new Docker({ protocol: 'http', host: url.hostname, port: url.port || 2375 }), host, timeoutMs };
  }
  return { ok: false, problem: `DOCKER_HOST must be unix:///path or tcp://host:port` };
}

/**
 * Gives up on an engine call after `ms`. An engine can hang on one container and answer for all others, and a call
 * without a bound would hold its evaluation for ever.
 */
export async function within<T>(ms: number, what: string, call: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`the engine did not ${what} within ${ms} ms`)), ms);
  try {
    return await Promise.race([call, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** One line about why an engine call failed, with what the engine said. */
export function engineProblem(error: unknown): string {
  const { message, code, statusCode } = error as { message?: string; code?: string; statusCode?: number };
  const said = (message ?? String(error)).replace(/\s+/g, ' ').slice(0, 500);
  return [statusCode === undefined ? code : `HTTP ${statusCode}`, said].filter((part) => part !== undefined && part !== '').join(': ');
}
