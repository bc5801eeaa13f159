import { createServer } from 'node:http';
import { z } from 'zod';
import { type CaseRun, Limits, type ModelDoor, type SandboxDriver } from '../../contracts/sandbox.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { slotUid } from './hardening.ts';
import { selfReport } from './probe-programs.ts';

const SelfReport = z.object({
  status: z.record(z.string(), z.array(z.string())),
  interfaces: z.array(z.string()),
  algSocket: z.string(),
  writeRoot: z.string(),
  writeScratch: z.string(),
  environment: z.record(z.string(), z.string()),
});
type SelfReport = z.infer<typeof SelfReport>;

const limits = Limits.parse({ wallMs: 10_000, cpuMs: 1_000, memoryBytes: 67_108_864, processes: 8, outputBytes: 4096 });
const report = 'Do not judge submissions here; report this with the versions of engine and kernel.';

/**
 * Runs small programs in real sandboxes and tells what they found. What the engine claims does not count here: each
 * line was tried from inside, or is a limit that the worker saw being met.
 */
export async function liveChecks(driver: SandboxDriver): Promise<Diagnosis[]> {
  const run = await runOnce(driver, selfReport);
  const parsed = SelfReport.safeParse(run.kind === 'answer' ? run.answer : null);
  if (!parsed.success) {
    const said = 'message' in run ? run.message : 'an answer of another form';
    return [
      diagnosis('live-sandbox', 'fatal', false, `a sandbox could not run a small program: ${said}`, "See the engine's log for the reason."),
    ];
  }
  return [
    diagnosis('live-sandbox', 'fatal', true, 'a sandbox opened and ran a program', ''),
    ...confinement(parsed.data),
    await gatewayCheck(driver),
    await limitCheck(driver, 'memory', 'kept = []\n    while True:\n        kept.append(b"x" * 1048576 + bytes(len(kept)))'),
    await limitCheck(driver, 'cpu', 'while True:\n        pass'),
    await limitCheck(driver, 'processes', 'import os\n    while True:\n        os.fork()'),
    await limitCheck(driver, 'output', 'while True:\n        print("x" * 100)'),
  ];
}

function confinement({ status, interfaces, algSocket, writeRoot, environment }: SelfReport): Diagnosis[] {
  const fatal = (check: string, ok: boolean, detail: string) => diagnosis(check, 'fatal', ok, detail, report);
  const capabilities = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'].flatMap((name) => status[name] ?? ['unknown']);
  const uids = status.Uid ?? [];
  const foreign = Object.keys(environment).filter((name) => !knownVariables.has(name));
  return [
    fatal('network', interfaces.join() === 'lo', `network interfaces inside: ${interfaces.join(', ')}`),
    fatal('identity', uids.length === 4 && uids.every((uid) => uid === String(slotUid)), `programs run as uid ${uids[0]}`),
    fatal(
      'capabilities',
      capabilities.every((set) => /^0+$/.test(set)),
      `capability sets of a program: ${capabilities.join(', ')}`,
    ),
    fatal('no-new-privileges', status.NoNewPrivs?.[0] === '1', `NoNewPrivs is ${status.NoNewPrivs?.[0]}`),
    fatal('system-call-filter', status.Seccomp?.[0] === '2', `Seccomp mode is ${status.Seccomp?.[0]}`),
    // CVE-2026-31431: such a socket can change files of a shared image layer under other containers.
    fatal('kernel-crypto-socket', algSocket !== 'allowed', `opening an AF_ALG socket: ${algSocket}`),
    fatal('read-only-root', writeRoot !== 'allowed', `writing to /: ${writeRoot}`),
    fatal(
      'environment',
      foreign.length === 0,
      foreign.length === 0 ? 'nothing of the worker in it' : `unexpected variables: ${foreign.join(', ')}`,
    ),
  ];
}

const knownVariables: ReadonlySet<string> = new Set([
  ...['OPENAI_BASE_URL', 'OPENAI_API_KEY', 'ANTHROPIC_BASE_URL', 'ANTHROPIC_API_KEY'],
  ...['HOME', 'TMPDIR', 'PATH', 'LANG', 'PYTHONHASHSEED'],
]);

async function gatewayCheck(driver: SandboxDriver): Promise<Diagnosis> {
  const run = await runOnce(driver, 'def solve(task, target):\n    return target.chat([{"role": "user", "content": "hello"}], "doctor")\n');
  const ok = run.kind === 'answer' && run.answer === reply;
  const advice =
    "The folder for gateway sockets (SANDBOX_SOCKETS) must have the same path for the worker and on the engine's host; with Docker Desktop or a remote engine a socket cannot be shared.";
  const detail = ok
    ? 'a program reaches the gateway through its socket'
    : `a program does not reach the gateway: ${'message' in run ? run.message : ''}`;
  return diagnosis('gateway-socket', 'fatal', ok, detail, advice);
}

async function limitCheck(driver: SandboxDriver, limit: string, body: string): Promise<Diagnosis> {
  const run = await runOnce(driver, `def solve(task, target):\n    ${body}\n`);
  const met = run.kind === 'limit' ? run.limit : run.kind;
  const detail =
    met === limit ? `a program that used too much was stopped and the reason seen` : `a program that used too much ended as "${met}"`;
  // A remote engine does not tell which limit it was; the program is stopped all the same.
  return diagnosis(`limit-${limit}`, run.kind === 'limit' ? 'warning' : 'fatal', met === limit, detail, report);
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

async function runOnce(driver: SandboxDriver, source: string): Promise<CaseRun> {
  const signal = AbortSignal.timeout(60_000);
  const program = { language: 'python' as const, source };
  const opened = await driver.open({ id: 'doctor', profile: 'python', program, limits, door, signal });
  if (!opened.ok) return { kind: 'error', message: opened.message };
  await using sandbox = opened.sandbox;
  return await sandbox.run({ id: 'doctor', input: null, target: null }, signal);
}
