import { createServer } from 'node:http';
import type { z } from 'zod';
import type { Finding } from '../../contracts/doctor.ts';
import { type CaseRun, Limits, type ModelDoor, type Runtime, type SandboxDriver } from '../../contracts/sandbox.ts';
import { type Check, finding } from './diagnosis.ts';
import {
  confinement,
  MachineReport,
  machineChecks,
  outOfReach,
  Reach,
  report,
  SelfReport,
  SystemCalls,
  systemCallChecks,
} from './live-judgements.ts';
import { machineReport, reach, selfReport, systemCalls } from './probe-programs.ts';

const limits = Limits.parse({
  wallMs: 10_000,
  cpuMs: 1_000,
  memoryBytes: 67_108_864,
  processes: 8,
  outputBytes: 4096,
  diskBytes: 1_048_576,
});
const overallMs = 60_000;

export interface LiveSetting {
  driver: SandboxDriver;
  /** What the sandboxes are started with. */
  runtime: Runtime;
  /** Does the engine count swap as memory. */
  swapIsCounted: boolean;
  signal: AbortSignal;
}

/**
 * Runs small programs in real sandboxes and tells what they found. What the engine claims does not count here: each
 * line was tried from inside, or is a limit that the worker saw being met.
 */
export async function liveChecks(setting: LiveSetting): Promise<Finding[]> {
  const walls = await wallChecks(setting);
  if (walls.length === 1) return walls;
  return [
    ...walls,
    await gatewayCheck(setting),
    await limitCheck(setting, 'memory', 'kept = []\n    while True:\n        kept.append(b"x" * 1048576 + bytes(len(kept)))'),
    await limitCheck(setting, 'cpu', 'while True:\n        pass'),
    await limitCheck(setting, 'processes', 'import os\n    while True:\n        os.fork()'),
    await limitCheck(setting, 'output', 'while True:\n        print("x" * 100)'),
    await limitCheck(setting, 'disk', 'with open("/work/big", "wb") as f:\n        while True:\n            f.write(b"x" * 65536)'),
  ];
}

/** Tries every wall from inside. Only one finding: no program runs here, so nothing else can be tried. */
export async function wallChecks(setting: LiveSetting): Promise<Finding[]> {
  const self = await ask(setting, selfReport, SelfReport);
  if (!self.ok) return [finding(liveSandbox, false, `a sandbox could not run a small program: ${self.said}`)];
  const reached = await ask(setting, reach, Reach);
  const machine = await ask(setting, machineReport, MachineReport);
  const calls = await ask(setting, systemCalls, SystemCalls);
  const untried = [reached, machine, calls].flatMap((one) => (one.ok ? [] : [one.said]));
  const detail = untried.length === 0 ? 'sandboxes opened and ran programs' : `a check could not run: ${untried[0]}`;
  return [
    finding(liveSandbox, untried.length === 0, detail),
    ...confinement(self.found, setting.runtime),
    ...(reached.ok ? outOfReach(reached.found, setting.runtime) : []),
    ...(machine.ok ? machineChecks(machine.found, setting.swapIsCounted) : []),
    ...(calls.ok && machine.ok ? systemCallChecks(calls.found, machine.found.machine, setting.runtime) : []),
  ];
}

const liveSandbox: Check = {
  check: 'live-sandbox',
  severity: 'critical',
  blocks: 'all',
  why: 'what cannot be tried here cannot be relied on',
  fix: "See the message, and the engine's log, for the reason.",
};

/** Runs a probe and reads its answer. */
async function ask<T>(
  setting: LiveSetting,
  source: string,
  schema: z.ZodType<T>,
): Promise<{ ok: true; found: T } | { ok: false; said: string }> {
  const run = await runOnce(setting, source);
  const parsed = schema.safeParse(run.kind === 'answer' ? run.answer : null);
  if (parsed.success) return { ok: true, found: parsed.data };
  return { ok: false, said: 'message' in run ? run.message : 'an answer of another form' };
}

const gatewaySocket: Check = {
  check: 'gateway-socket',
  severity: 'critical',
  blocks: 'all',
  why: 'it is the only way out of a sandbox: without it no program reaches a model',
  fix: "The folder for gateway sockets (SANDBOX_SOCKETS) must have the same path for the worker and on the engine's host; with Docker Desktop or a remote engine a socket cannot be shared.",
};

async function gatewayCheck(setting: LiveSetting): Promise<Finding> {
  const run = await runOnce(
    setting,
    'def solve(task, target):\n    return target.chat([{"role": "user", "content": "hello"}], "doctor")\n',
  );
  const ok = run.kind === 'answer' && run.answer === reply;
  const detail = ok
    ? 'a program reaches the gateway through its socket'
    : `a program does not reach the gateway: ${'message' in run ? run.message : ''}`;
  return finding(gatewaySocket, ok, detail);
}

/**
 * A program that goes on for ever must be stopped by its limit. Stopped by another one is a warning: a remote engine does
 * not tell which it was. What could not be tried does not stop ordinary work: a busy machine is not an open one.
 */
async function limitCheck(setting: LiveSetting, limit: string, body: string): Promise<Finding> {
  const run = await runOnce(setting, `def solve(task, target):\n    ${body}\n`);
  const what = {
    check: `limit-${limit}`,
    why: 'a limit that does not hold makes verdicts wrong and lets one program slow down all others',
    fix: report,
  };
  if (run.kind === 'error')
    return finding({ ...what, severity: 'critical', blocks: 'bounty' }, false, `could not be tried: ${run.message}`);
  if (run.kind !== 'limit') {
    return finding({ ...what, severity: 'critical', blocks: 'all' }, false, `a program that used too much was not stopped (${run.kind})`);
  }
  const seen = run.limit === limit;
  const detail = seen
    ? 'a program that used too much was stopped and the reason seen'
    : `a program that used too much was stopped as "${run.limit}"`;
  return finding({ ...what, severity: seen ? 'critical' : 'warning', blocks: seen ? 'all' : 'nothing' }, seen, detail);
}

const reply = 'the gateway is here';

/** Answers every request with one reply in the OpenAI wire format; nothing of the real gateway is needed to try the way. */
const door: ModelDoor = {
  chat: async () => ({ ok: false, fault: { kind: 'policy', message: 'the doctor has no models', httpStatus: 403 } }),
  listen: async (path) => {
    const server = createServer((request, response) => {
      request.resume();
      const message = { role: 'assistant', content: reply };
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] }));
    });
    const listening = Promise.withResolvers<void>();
    server.once('error', listening.reject);
    server.listen(path, listening.resolve);
    await listening.promise;
    return {
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },
};

async function runOnce({ driver, runtime, signal: outer }: LiveSetting, source: string): Promise<CaseRun> {
  const signal = AbortSignal.any([outer, AbortSignal.timeout(overallMs)]);
  const program = { language: 'python' as const, source };
  const opened = await driver.open({ id: 'doctor', profile: 'python', program, limits, runtime, door, signal });
  if (!opened.ok) return { kind: 'error', message: opened.message };
  await using sandbox = opened.sandbox;
  return await sandbox.run({ id: 'doctor', input: null, target: null }, signal);
}
