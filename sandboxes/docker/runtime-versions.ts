import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Runtime } from '../../contracts/sandbox.ts';

const Registered = z.object({ path: z.string().optional(), status: z.record(z.string(), z.string()).optional() });
const Features = z.object({ annotations: z.record(z.string(), z.string()).default({}) });
/** Under these names runtimes tell their version to engines since 25. */
const annotation = 'org.opencontainers.runtime-spec.features';
const versionNames = ['org.opencontainers.runc.version', 'run.oci.crun.version', 'org.gvisor.version'];

const askMs = 2_000;
/** Of the engine's host, not of whoever started the worker. */
const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Version of a registered runtime: from what the engine knows of it, else by asking the program itself where engine and
 * worker share a machine. Null when neither tells. `entry` is the runtime's part of the engine's `/info`.
 */
export async function runtimeVersion(runtime: Runtime, entry: unknown, sameMachine: boolean): Promise<string | null> {
  const registered = Registered.safeParse(entry).data;
  if (registered === undefined) return null;
  const told = featureVersion(registered.status?.[annotation]);
  if (told !== null || !sameMachine) return told;
  try {
    const { stdout } = await promisify(execFile)(registered.path ?? runtime, ['--version'], { timeout: askMs, env: { PATH: systemPath } });
    return /(?:version\s+)?(release-\d{8}\S*|\d+\.\d+\S*|\d{8}\S*)/.exec(stdout)?.[1] ?? null;
  } catch {
    // Not there, not ours to run, or another program: then it is not known.
    return null;
  }
}

function featureVersion(text: string | undefined): string | null {
  if (text === undefined) return null;
  try {
    const { annotations } = Features.parse(JSON.parse(text));
    return versionNames.flatMap((name) => annotations[name] ?? [])[0] ?? null;
  } catch {
    return null;
  }
}
