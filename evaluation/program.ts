import type { Rubric } from '../contracts/rubric.ts';
import type { CaseRun, Profile, Sandbox, SandboxDriver, SandboxEnvironment } from '../contracts/sandbox.ts';
import type { CaseDoor, GatewaySession } from '../gateway/session.ts';
import type { Collected, Collector } from './collect.ts';
import type { LoadCode, NotOpened } from './load-code.ts';
import { openSandbox } from './open-sandbox.ts';
import type { PlannedCase } from './plan.ts';

export interface ProgramSetting {
  /** Names the sandbox in labels and directories. */
  id: string;
  load: LoadCode;
  profile: Profile;
  /** What the rubric says of the machine its cases run on. */
  sandbox: NonNullable<Rubric['sandbox']>;
  riskTier: Rubric['riskTier'];
  drivers: readonly SandboxDriver[];
  session: GatewaySession;
  firstTarget: string | null;
  signal: AbortSignal;
}

/** One sandbox for one split: what a program learnt from public cases cannot wait in memory for hidden ones. */
export interface ProgramRun extends AsyncDisposable {
  collect: Collector;
  environment: SandboxEnvironment;
}

/** Opens the sandbox of the split; an archive that does not unpack and an image that is refused are the participant's. */
export async function openProgram(setting: ProgramSetting): Promise<{ ok: true; run: ProgramRun } | NotOpened> {
  const loaded = await setting.load();
  if (!loaded.ok) return loaded;
  const { limits, cases, runtime } = setting.sandbox;
  const door = setting.session.sandboxDoor();
  const opened = await openSandbox('Programs', setting.profile, setting.drivers, (driver) =>
    driver.open({
      id: setting.id,
      profile: setting.profile,
      program: loaded.program,
      ...{ limits, cases, runtime, riskTier: setting.riskTier },
      door,
      signal: setting.signal,
    }),
  );
  if (!opened.ok) return opened;
  return { ok: true, run: programRun(opened.sandbox, (current) => door.enter(current), setting.firstTarget) };
}

function programRun(sandbox: Sandbox, enter: (door: CaseDoor | null) => void, firstTarget: string | null): ProgramRun {
  return {
    collect: async (planned, door, signal) => {
      enter(door);
      try {
        return ofRun(await sandbox.run(taskOf(planned, firstTarget), signal));
      } finally {
        enter(null);
      }
    },
    environment: sandbox.environment,
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

/** Only these three fields ever reach submitted code. */
const taskOf = (planned: PlannedCase, firstTarget: string | null) => ({
  id: planned.case.id,
  input: planned.case.input,
  target: planned.case.target ?? firstTarget,
});

function ofRun(run: CaseRun): Collected {
  switch (run.kind) {
    case 'answer':
      return { end: 'answered', answer: run.answer, log: run.log, wallMs: run.wallMs, artifacts: run.artifacts ?? [] };
    case 'fault':
      return { end: 'fault', message: `${run.code}: ${run.message}`, log: run.log, wallMs: run.wallMs };
    case 'limit':
      return { end: 'limit', limit: run.limit, message: run.message, log: run.log, wallMs: run.wallMs };
    case 'error':
      return { end: 'error', message: run.message };
  }
}
