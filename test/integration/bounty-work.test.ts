import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SystemView } from '../../contracts/api.ts';
import { type AcceptableRisk, acceptableRisks, type DoctorReport, standingOf } from '../../contracts/doctor.ts';
import type { SandboxDriver } from '../../contracts/sandbox.ts';
import { showEvaluation } from '../../domain/evaluation-views.ts';
import { describeWaits } from '../../domain/sweeping.ts';
import { liveWorkers } from '../../domain/workers.ts';
import { EngineInfo, EngineVersion, engineChecks } from '../../sandboxes/docker/engine-checks.ts';
import { dockerDriver } from '../../sandboxes/docker/driver.ts';
import { diagnose, engineVersionOf } from '../../sandboxes/doctor.ts';
import { testEngine } from '../setup/docker.ts';
import { answerOf, wordFiles } from '../setup/evaluation.ts';
import { doctorOf, soundMachine } from '../setup/machine.ts';
import { describeWith } from '../setup/optional.ts';
import { rowOf } from '../setup/records.ts';
import { type House, openHouse } from '../setup/stages.ts';
import { until } from '../setup/until.ts';
import { type DoctorKeeper, keepDoctor } from '../../workers/doctor-keeper.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

/*
 * Money hangs on the result, so the machine must be one that nobody is known to get out of: a rubric with bounties waits
 * where the doctor found a known hole, says so, and runs where it found none or the operator accepts it on the record.
 */

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const slug = 'say-the-word';
const bounties = [{ name: 'first', threshold: 0.9, amountMinor: 100_000, currency: 'EUR', count: 1 }];
const bountyFiles = () => wordFiles({ demonstration: false, bounties, sandbox: { profiles: ['js', 'python'] } });
const python = { kind: 'program', language: 'python', source: 'def solve(task, target):\n    return "word-" + task["id"]\n' } as const;

/** What a sound machine would say whose engine is as old as Debian 12's. */
const oldEngine: DoctorReport = {
  engineVersion: '20.10.24',
  findings: engineChecks(
    EngineInfo.parse({ MemoryLimit: true, SwapLimit: true, PidsLimit: true, CpuCfsQuota: true, SecurityOptions: ['name=seccomp'] }),
    EngineVersion.parse({ Version: '20.10.24' }),
    { runc: '1.1.5', crun: null, runsc: null },
    { runtimes: ['runc'], foreignImages: false },
  ),
};
const bothRisks: AcceptableRisk[] = ['engine-version', 'runc-version'];

const containers: SandboxDriver = {
  name: 'docker',
  profiles: ['python'],
  probe: async () => ({ available: true, profiles: ['python'], gvisor: false, detail: '' }),
  open: async () => ({
    ok: true,
    sandbox: {
      environment: { driver: 'docker', runtime: 'runc', imageId: 'sha256:1', profileSha256: 'ab' },
      run: async (task) => answerOf(task),
      [Symbol.asyncDispose]: async () => {},
    },
  }),
};

const waitingOf = async (house: House, id: string) => {
  await sql`update evaluation set status_since = status_since - interval '5 s' where id = ${id} and status = 'queued'`.execute(house.db);
  await describeWaits(house.db);
  return (await showEvaluation(house.db, id))?.waiting ?? null;
};

describe('a rubric with bounties', () => {
  it('waits on a machine with an old engine and says why, while ordinary work runs there', async () => {
    await using house = await openHouse(database);
    await house.start({ sandboxes: [containers], doctor: doctorOf(oldEngine) });
    await house.publish(wordFiles());
    expect(await house.settled(await house.submit(slug, python, { participant: 'ordinary' }))).toMatchObject({
      outcome: 'pass',
      need: 'python',
    });
    await house.publish(bountyFiles());
    const id = await house.submit(slug, python, { participant: 'hunter' });
    await until('it is queued', async () => (await rowOf(house.db, id)).status === 'queued');
    await until('it is told of the machine', async () =>
      /engine-version|known holes/.test((await waitingOf(house, id))?.reason.message ?? ''),
    );
    const waiting = await waitingOf(house, id);
    expect(waiting?.reason).toMatchObject({ code: 'no_worker', faultOf: 'platform' });
    expect(waiting?.reason.message).toMatch(/run Python programs for a bounty.*20\.10\.24 has known holes.*CVE-2026-41567/);
    expect(waiting?.reason.advice).toMatch(/Install Docker Engine/);
    expect(waiting?.deadlineAt).not.toBeNull();
    const [worker] = await liveWorkers(house.db);
    expect(worker?.needs).toEqual(['none', 'python']);
    expect(worker?.doctor).toMatchObject({ bountyWork: false, acceptedRisks: [], engineVersion: '20.10.24' });
    expect(worker?.doctor?.failed.find((one) => one.check === 'runc-version')?.fix).toMatch(/Install runc/);
    expect(SystemView.shape.workers.safeParse([worker]).success).toBe(true);
    // The same evaluation runs once the operator accepts what was found.
    await house.start({ sandboxes: [containers], doctor: doctorOf(oldEngine, bothRisks) });
    expect(await house.settled(id)).toMatchObject({ outcome: 'pass', need: 'python-bounty', attempt: 1 });
    expect((await showEvaluation(house.db, id))?.sandbox).toMatchObject([
      { split: 'public', driver: 'docker', runtime: 'runc', engineVersion: '20.10.24', acceptedRisks: bothRisks },
      { split: 'hidden', driver: 'docker', imageId: 'sha256:1', profileSha256: 'ab', acceptedRisks: bothRisks },
    ]);
  });

  it('runs on a sound machine with no risk in its record', async () => {
    await using house = await openHouse(database);
    await house.publish(bountyFiles());
    await house.start({ sandboxes: [containers], doctor: doctorOf(soundMachine) });
    const id = await house.submit(slug, python, { participant: 'careful' });
    expect(await house.settled(id)).toMatchObject({ outcome: 'pass', need: 'python-bounty' });
    expect((await showEvaluation(house.db, id))?.sandbox.map((one) => one.acceptedRisks)).toEqual([[], []]);
  });

  it('waits while the machine is worse than it was, and goes on where it is mended', async () => {
    await using house = await openHouse(database);
    await house.publish(bountyFiles());
    const sound = standingOf(soundMachine, []);
    const machine = { standing: sound, changed: () => {} };
    const doctor: DoctorKeeper = {
      ...doctorOf(),
      standing: () => machine.standing,
      onChange: (listener) => {
        machine.changed = listener;
      },
    };
    await house.start({ sandboxes: [containers], doctor });
    const offersBounty = async () => (await liveWorkers(house.db)).some((one) => one.needs.includes('python-bounty'));
    await until('it offers bounty work', offersBounty);
    machine.standing = standingOf(oldEngine, []);
    machine.changed();
    await until('the offer is withdrawn', async () => !(await offersBounty()));
    const id = await house.submit(slug, python, { participant: 'late' });
    await until('it is queued', async () => (await rowOf(house.db, id)).status === 'queued');
    expect(await waitingOf(house, id)).toMatchObject({ reason: { code: 'no_worker' } });
    machine.standing = sound;
    machine.changed();
    expect(await house.settled(id)).toMatchObject({ outcome: 'pass', need: 'python-bounty', attempt: 1 });
  });

  it('never runs where a wall is missing, whatever is accepted; neither does ordinary work in containers', async () => {
    await using house = await openHouse(database);
    const open: DoctorReport = {
      engineVersion: '29.9.9',
      findings: [
        {
          check: 'network',
          ok: false,
          severity: 'critical',
          blocks: 'all',
          detail: 'eth0 inside',
          why: 'a way out',
          cves: [],
          fix: 'Mend it.',
        },
      ],
    };
    await house.start({ sandboxes: [containers], doctor: doctorOf(open, [...acceptableRisks]) });
    await until('its doctor has ended', async () => (await liveWorkers(house.db))[0]?.doctor?.checkedAt);
    const [worker] = await liveWorkers(house.db);
    expect(worker).toMatchObject({ needs: ['none'], doctor: { bountyWork: false, failed: [{ check: 'network', why: 'a way out' }] } });
    expect(worker?.unavailable.find((one) => one.need === 'python')).toMatchObject({ reason: expect.stringContaining('eth0 inside') });
  });
});

const engine = await testEngine();
const socketFolder = await mkdtemp(join(tmpdir(), 'collective-sockets-'));
afterAll(() => rm(socketFolder, { recursive: true, force: true }));

describeWith('docker', engine.state, 'bounty work on a real engine', () => {
  it('runs once the real doctor has ended, with what was accepted there in the record', async () => {
    const options = { socketFolder, images: engine.images, dockerHost: engine.dockerHost, workerId: `bounty-${process.pid}` };
    await using driver = dockerDriver(options);
    const reports: DoctorReport[] = [];
    const doctor = keepDoctor({
      examine: async (signal) => {
        const report = await diagnose({ ...options, signal });
        reports.push(report);
        return report;
      },
      engineVersion: () => engineVersionOf(options),
      accepted: acceptableRisks,
      log: pino({ level: 'silent' }),
    });
    await using house = await openHouse(database);
    await house.publish(bountyFiles());
    const id = await house.submit(slug, python, { participant: 'real' });
    await house.start({ sandboxes: [driver], doctor });
    expect(await house.settled(id, 60_000)).toMatchObject({ outcome: 'pass', need: 'python-bounty' });
    const { acceptedRisks } = standingOf(reports[0] ?? { findings: [] }, acceptableRisks);
    const version = (await engine.docker.version()).Version;
    // Without its known holes an engine accepts no risk, and this test would prove nothing of the record.
    if (Number.parseInt(version, 10) < 29) expect(acceptedRisks).toContain('engine-version');
    const record = (await showEvaluation(house.db, id))?.sandbox ?? [];
    expect(record.map((one) => one.split)).toEqual(['public', 'hidden']);
    for (const one of record) {
      expect(one).toMatchObject({
        driver: 'docker',
        runtime: 'runc',
        imageId: engine.images.python,
        engineVersion: version,
        acceptedRisks,
      });
      expect(one.profileSha256).toMatch(/^[0-9a-f]{64}$/);
    }
  }, 120_000);
});
