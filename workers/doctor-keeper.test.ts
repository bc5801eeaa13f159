import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { AcceptableRisk, DoctorReport, Finding } from '../contracts/doctor.ts';
import type { SandboxEnvironment } from '../contracts/sandbox.ts';
import { until } from '../test/setup/until.ts';
import { keepDoctor } from './doctor-keeper.ts';

const failed = (check: string, blocks: Finding['blocks']): Finding => ({
  ...{ check, blocks, ok: false, severity: 'critical' as const, detail: `${check} is bad`, why: 'why', cves: [], fix: 'fix' },
});
const container: SandboxEnvironment = { driver: 'docker', runtime: 'runc', imageId: 'sha256:1', profileSha256: 'ab' };

/** A keeper whose checks end when the test says so, with a clock of the test's own. */
function rig(accepted: AcceptableRisk[] = []) {
  const state = { now: 0, version: 'one', changes: 0 };
  const runs: PromiseWithResolvers<DoctorReport>[] = [];
  const examine = (signal: AbortSignal) => {
    const run = Promise.withResolvers<DoctorReport>();
    signal.addEventListener('abort', () => run.reject(signal.reason));
    runs.push(run);
    return run.promise;
  };
  const engineVersion = async () => state.version;
  const doctor = keepDoctor({ examine, engineVersion, accepted, log: pino({ level: 'silent' }) }, () => state.now);
  doctor.onChange(() => state.changes++);
  const end = async (...findings: Finding[]) => {
    const before = state.changes;
    runs.at(-1)?.resolve({ engineVersion: state.version, findings });
    await until('it has taken notice', () => state.changes > before);
  };
  return { doctor, runs, state, end };
}

describe('the doctor of a worker', () => {
  it('runs in the background once an engine is there, and knows nothing until then', async () => {
    const { doctor, runs, end } = rig();
    await using _doctor = doctor;
    doctor.engineSeen(false);
    expect([runs.length, doctor.standing(), doctor.shown()]).toEqual([0, null, null]);
    doctor.engineSeen(true);
    doctor.engineSeen(true);
    expect(runs).toHaveLength(1);
    expect(doctor.standing()).toBeNull();
    expect(doctor.shown()).toMatchObject({ checkedAt: null, bountyWork: false });
    await end(failed('engine-version', 'bounty'));
    expect(doctor.standing()).toMatchObject({ ordinary: true, bounty: false });
    expect(doctor.shown()).toMatchObject({ checkedAt: expect.any(String), bountyWork: false, failed: [{ check: 'engine-version' }] });
  });

  it('runs again after ten minutes, and after one where a wall was missing; what it said stands meanwhile', async () => {
    const { doctor, runs, state, end } = rig();
    await using _doctor = doctor;
    doctor.engineSeen(true);
    await end();
    state.now += 10 * 60_000 - 1;
    doctor.engineSeen(true);
    expect(runs).toHaveLength(1);
    state.now += 1;
    doctor.engineSeen(true);
    expect(runs).toHaveLength(2);
    expect(doctor.standing()).toMatchObject({ bounty: true });
    await end(failed('network', 'all'));
    expect(doctor.standing()).toMatchObject({ ordinary: false });
    state.now += 60_000;
    doctor.engineSeen(true);
    expect(runs).toHaveLength(3);
  });

  it('forgets what it said of an engine that was lost, also of one that was lost while it looked', async () => {
    const { doctor, runs, end } = rig();
    await using _doctor = doctor;
    doctor.engineSeen(true);
    await end();
    doctor.engineSeen(false);
    expect([doctor.standing(), doctor.shown()]).toEqual([null, null]);
    doctor.engineSeen(true);
    expect(runs).toHaveLength(2);
    doctor.engineSeen(false);
    doctor.engineSeen(true);
    await end();
    expect(doctor.standing()).toBeNull();
    doctor.engineSeen(true);
    expect(runs).toHaveLength(3);
    await end();
    expect(doctor.standing()).toMatchObject({ bounty: true });
  });

  it('forgets what it said when the machine cannot be looked at any more, or has another engine', async () => {
    const { doctor, runs, state, end } = rig();
    await using _doctor = doctor;
    doctor.engineSeen(true);
    await end();
    expect(doctor.standing()).toMatchObject({ bounty: true });
    state.now += 10 * 60_000;
    doctor.engineSeen(true);
    runs.at(-1)?.reject(new Error('the engine hangs'));
    await until('it has forgotten', () => doctor.standing() === null);
    state.now += 60_000;
    doctor.engineSeen(true);
    await end();
    expect(doctor.standing()).toMatchObject({ bounty: true });
    state.version = 'two';
    await doctor.facts(container);
    expect(doctor.standing()).toBeNull();
  });

  it('lives on when its checks break, and tries again after a minute', async () => {
    const { doctor, runs, state } = rig();
    await using _doctor = doctor;
    doctor.engineSeen(true);
    runs[0]?.reject(new Error('broken'));
    await until('it has taken notice', () => state.changes === 1);
    doctor.engineSeen(true);
    expect([runs.length, doctor.standing()]).toEqual([1, null]);
    state.now += 60_000;
    doctor.engineSeen(true);
    expect(runs).toHaveLength(2);
  });

  it('tells for the record which engine it is now and which accepted risks are real here', async () => {
    const { doctor, runs, state, end } = rig(['engine-version', 'runc-version']);
    await using _doctor = doctor;
    expect(await doctor.facts({ driver: 'wasm', runtime: null, imageId: null, profileSha256: null })).toEqual({
      engineVersion: null,
      acceptedRisks: [],
    });
    // Nothing is known yet: rather one risk too many in the record.
    expect((await doctor.facts(container)).acceptedRisks).toEqual(['engine-version', 'runc-version']);
    doctor.engineSeen(true);
    await end(failed('engine-version', 'bounty'));
    expect(await doctor.facts(container)).toEqual({ engineVersion: 'one', acceptedRisks: ['engine-version'] });
    expect(doctor.shown()).toMatchObject({ bountyWork: true, acceptedRisks: ['engine-version'] });
    // An engine that was exchanged between two looks is looked at again.
    state.version = 'two';
    expect((await doctor.facts(container)).engineVersion).toBe('two');
    doctor.engineSeen(true);
    expect(runs).toHaveLength(2);
  });

  it.each(['runtime-runsc', 'walls-runsc'])('believes what it saw of gVisor (%s) rather than what the engine lists', async (check) => {
    const { doctor, end } = rig();
    await using _doctor = doctor;
    doctor.engineSeen(true);
    expect(doctor.gvisorWorks()).toBe(true);
    await end(failed(check, 'nothing'));
    expect(doctor.gvisorWorks()).toBe(false);
  });

  it('is told to stop with its worker, and tells nobody any more', async () => {
    const { doctor, runs, state } = rig();
    doctor.engineSeen(true);
    await doctor[Symbol.asyncDispose]();
    doctor.engineSeen(true);
    expect([runs.length, state.changes]).toEqual([1, 0]);
  });
});
