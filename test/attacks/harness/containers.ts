import { readlinkSync } from 'node:fs';
import type Docker from 'dockerode';
import { labels } from '../../../sandboxes/docker/hardening.ts';

/** What is to be gone when a container is gone. */
export interface SeenContainer {
  id: string;
  /** Names of its namespaces as in /proc/<pid>/ns, `net:[4026531840]`; empty where its processes are out of sight. */
  namespaces: readonly string[];
  /** Where the engine mounted its root. */
  root: string | null;
}

export interface ContainerWatch extends Disposable {
  seen(): readonly SeenContainer[];
}

/** Notes every container of this worker as it starts, asking the engine itself and not the proxy under test. */
export async function watchContainers(docker: Docker, workerId: string): Promise<ContainerWatch> {
  const seen = new Map<string, SeenContainer>();
  const filters = { label: [`${labels.worker}=${workerId}`], event: ['create', 'start'] };
  const events = await docker.getEvents({ filters });
  let rest = '';
  events.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.filter((one) => one.trim() !== '')) note(JSON.parse(line) as { id: string });
  });
  const note = ({ id }: { id: string }) => {
    if (!seen.has(id)) seen.set(id, { id, namespaces: [], root: null });
    // One that is gone before it could be looked at is still known by its id.
    void docker
      .getContainer(id)
      .inspect()
      .then(({ State, GraphDriver }) => {
        const namespaces = State.Pid > 0 ? namespacesOf(State.Pid) : [];
        const root = (GraphDriver.Data as { MergedDir?: string } | null)?.MergedDir ?? null;
        seen.set(id, { id, namespaces, root });
      })
      .catch(() => {});
  };
  return {
    seen: () => [...seen.values()],
    [Symbol.dispose]: () => {
      if ('destroy' in events && typeof events.destroy === 'function') events.destroy();
    },
  };
}

function namespacesOf(pid: number): string[] {
  return ['net'].flatMap((kind) => {
    try {
      return [readlinkSync(`/proc/${pid}/ns/${kind}`)];
    } catch {
      return [];
    }
  });
}
