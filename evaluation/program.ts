import type { Rubric } from '../contracts/rubric.ts';
import type { CaseRun, Profile, Sandbox, SandboxDriver, SandboxEnvironment } from '../contracts/sandbox.ts';
import type { CaseDoor, GatewaySession } from '../gateway/session.ts';
import type { Collected, Collector } from './collect.ts';
import type { LoadCode, NotOpened } from './load-code.ts';
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

/**
 * Opens the sandbox with the first driver that can. Drivers are asked what they lack only after they have failed: a
 * probe costs as much as an opening. What cannot be had is the platform's problem and is named with what to install; an
 * archive that does not unpack and an image that is refused are the participant's.
 */
export async function openProgram(setting: ProgramSetting): Promise<{ ok: true; run: ProgramRun } | NotOpened> {
  const loaded = await setting.load();
  if (!loaded.ok) return loaded;
  const { limits, cases, runtime } = setting.sandbox;
  const problems: string[] = [];
  for (const driver of setting.drivers.filter((one) => one.profiles.includes(setting.profile))) {
    const door = setting.session.sandboxDoor();
    const opened = await driver.open({
      id: setting.id,
      profile: setting.profile,
      program: loaded.program,
      ...{ limits, cases, runtime, riskTier: setting.riskTier },
      door,
      signal: setting.signal,
    });
    if (opened.ok) return { ok: true, run: programRun(opened.sandbox, (current) => door.enter(current), setting.firstTarget) };
    if (opened.fault === 'participant') return { ok: false, fault: 'participant', message: opened.message };
    problems.push(await whyNot(driver, setting.profile, opened.message));
  }
  const why = problems.length > 0 ? problems.join('; ') : 'no sandbox driver of this machine offers it';
  return { ok: false, message: `Programs of profile "${setting.profile}" cannot run here: ${why}` };
}

async function whyNot(driver: SandboxDriver, profile: Profile, message: string): Promise<string> {
  const state = await driver.probe();
  if (!state.available) return `${state.reason}; ${state.install}`;
  if (!state.profiles.includes(profile)) return `the ${driver.name} driver has no "${profile}" image here (${message})`;
  return `the ${driver.name} sandbox could not be opened: ${message}`;
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
