import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { CaseRun, Sandbox, SandboxDriver } from '../../../contracts/sandbox.ts';
import { labels } from '../../../sandboxes/docker/hardening.ts';
import type { DockerDriverOptions } from '../../../sandboxes/docker/options.ts';
import type { Arena } from './arena.ts';
import type { Attack } from './attack.ts';
import { type AttackDoor, openDoor } from './door.ts';
import { shortly } from './judge.ts';

/** Says that it runs and goes on when it is answered. */
export const waitingProgram = `def solve(task, target):
    target.chat([{"role": "user", "content": "armed"}])
    return "finished"
`;

export interface Waiting extends AsyncDisposable {
  sandbox: Sandbox;
  gateway: AttackDoor;
  running: Promise<CaseRun>;
  end(): Promise<void>;
}

/** A case that is under way: its program has spoken to the gateway and waits for the answer. */
export async function startWaiting(driver: SandboxDriver, attack: Attack, signal = AbortSignal.timeout(60_000)): Promise<Waiting> {
  const gateway = await openDoor(attack.name);
  const opened = await driver.open({
    ...{ id: `worker-${attack.name}`, profile: 'python', program: { language: 'python', source: waitingProgram } },
    ...{ limits: attack.limits, door: gateway.door, signal: AbortSignal.timeout(120_000) },
  });
  if (!opened.ok) throw new Error(opened.message);
  const { sandbox } = opened;
  const running = sandbox.run({ id: 'waiting', input: null, target: 'keeper' }, signal);
  const early = await Promise.race([gateway.armed.then(() => null), running]);
  if (early !== null) throw new Error(`the case ended before it was under way: ${shortly(early)}`);
  const end = async () => {
    await sandbox[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  };
  return { sandbox, gateway, running, end, [Symbol.asyncDispose]: end };
}

/** A worker in a process of its own, with a case under way. */
export async function startWorker(given: DockerDriverOptions | null, profile: string, source: string): Promise<ChildProcess> {
  const worker = spawn(process.execPath, [join(import.meta.dirname, 'worker-process.ts'), JSON.stringify(given), profile, source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = await Promise.race([once(worker.stdout!, 'data'), once(worker, 'exit').then(() => null)]);
  if (said === null) throw new Error('the worker ended before its case was under way');
  return worker;
}

/** Kills it as an operator or the kernel would, and waits until it is gone. */
export async function killWorker(worker: ChildProcess): Promise<void> {
  const gone = once(worker, 'exit');
  worker.kill('SIGKILL');
  await gone;
}

/** Containers of a worker, each with its state, asked from the engine itself. */
export async function containersOf({ engine }: Arena, workerId: string): Promise<string[]> {
  const found = await engine.docker.listContainers({ all: true, filters: { label: [`${labels.worker}=${workerId}`] } });
  return found.map(({ Id, State }) => `${Id.slice(0, 12)} ${State}`);
}
