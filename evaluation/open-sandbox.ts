import type { Opened, Profile, Sandbox, SandboxDriver } from '../contracts/sandbox.ts';
import type { NotOpened } from './load-code.ts';

/**
 * Opens a sandbox of this profile with the first driver that can. Drivers are asked what they lack only after they have
 * failed: a probe costs as much as an opening. What cannot be had is the platform's problem and is named with what to
 * install; what a driver refuses to run is the fault of whoever wrote it (`participant`). `what` begins the message:
 * "Programs of profile …".
 */
export async function openSandbox(
  what: string,
  profile: Profile,
  drivers: readonly SandboxDriver[],
  open: (driver: SandboxDriver) => Promise<Opened>,
): Promise<{ ok: true; sandbox: Sandbox } | NotOpened> {
  const problems: string[] = [];
  for (const driver of drivers.filter((one) => one.profiles.includes(profile))) {
    const opened = await open(driver);
    if (opened.ok) return opened;
    if (opened.fault === 'participant') return { ok: false, fault: 'participant', message: opened.message };
    problems.push(await whyNot(driver, profile, opened.message));
  }
  const why = problems.length > 0 ? problems.join('; ') : 'no sandbox driver of this machine offers it';
  return { ok: false, message: `${what} of profile "${profile}" cannot run here: ${why}` };
}

async function whyNot(driver: SandboxDriver, profile: Profile, message: string): Promise<string> {
  const state = await driver.probe();
  if (!state.available) return `${state.reason}; ${state.install}`;
  if (!state.profiles.includes(profile)) return `the ${driver.name} driver has no "${profile}" image here (${message})`;
  return `the ${driver.name} sandbox could not be opened: ${message}`;
}
