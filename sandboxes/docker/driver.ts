import type { SandboxDriver } from '../../contracts/sandbox.ts';
import { accept } from './accept.ts';
import { engineAt, engineProblem } from './engine.ts';
import type { DockerDriverOptions } from './options.ts';
import { installEngine, probeEngine } from './probe.ts';
import { DockerSandbox } from './sandbox.ts';
import { type Workplace, workplaceOf } from './workplace.ts';

/**
 * Theory of operation. A sandbox is one container of a Docker engine: no network, read-only root, bounded memory,
 * processes and scratch space, our own system call filter (hardening.ts). Its first process is our runner
 * (sandboxes/images/runner), which starts every case of the evaluation as another user. Containers are started before
 * anybody needs them and used for one evaluation each (pool.ts). The worker speaks to the runner over the container's
 * attached stdin and stdout in frames (frames.ts, runner-protocol.ts) and observes the container from outside
 * (meter.ts); what it observed decides over what it is told (verdict.ts). The only way out is a unix socket in a
 * read-only folder, behind which the gateway session of this evaluation answers (socket-folder.ts). What a worker that
 * died left behind is cleared by the others (presence.ts, reap.ts).
 *
 * Engine calls are create, attach, start, inspect, stats, list and remove, and for images of participants pull by digest. Never used, because each let a container
 * reach the host before: archive (copies files through paths the container shapes), exec, build, and images by tag.
 */
export type DockerDriver = SandboxDriver & AsyncDisposable;

/** The driver for profiles `node`, `python` and `image`. Connects to nothing until it is used. */
export function dockerDriver(given: DockerDriverOptions): DockerDriver {
  const engine = engineAt(given.dockerHost, given.engineTimeoutMs);
  let workplace: Promise<Workplace> | null = null;
  const ready = async (): Promise<Workplace> => {
    if (!engine.ok) throw new Error(engine.problem);
    // A folder that could not be written may be writable the next time.
    workplace ??= workplaceOf(engine, given).catch((error: unknown) => {
      workplace = null;
      throw error;
    });
    return await workplace;
  };
  return {
    name: 'docker',
    profiles: ['node', 'python', 'image'],
    probe: async () => {
      if (!engine.ok) return { available: false, profiles: [], reason: engine.problem, install: installEngine };
      const found = await probeEngine(engine, given);
      // From its first look on a worker also clears what dead ones left. Not waited for: an engine can hang on one of them.
      if (found.available)
        void ready().then(
          (place) => place.startReaping(),
          // A folder for sockets that cannot be used is told to whoever opens a sandbox.
          () => {},
        );
      return found;
    },
    open: async (options) => {
      if (!engine.ok) return { ok: false, message: engine.problem };
      if (options.signal.aborted) return { ok: false, message: 'the evaluation was cancelled' };
      try {
        const accepted = await accept(engine, options, given);
        if (!accepted.ok) return accepted;
        const { pool } = await ready();
        const sandbox = new DockerSandbox({ pool, options, ...accepted });
        const prepared = await sandbox.prepare();
        if (prepared.ok) return { ok: true, sandbox };
        await sandbox[Symbol.asyncDispose]();
        return prepared;
      } catch (error) {
        return { ok: false, message: `the sandbox could not be opened: ${engineProblem(error)}` };
      }
    },
    [Symbol.asyncDispose]: async () => {
      await workplace?.then(
        (place) => place[Symbol.asyncDispose](),
        () => {},
      );
    },
  };
}
