import type { Logger } from 'pino';
import { type AcceptableRisk, type DoctorReport, type Standing, standingOf, type WorkerDoctor } from '../contracts/doctor.ts';
import type { SandboxEnvironment } from '../contracts/sandbox.ts';

/** Machines change under a running worker: an engine is updated, a disk fills. */
const againAfterMs = 10 * 60_000;
/** After a wall was missing or the checks themselves failed: that may have been a bad moment. */
const soonAfterMs = 60_000;

/** What is recorded of the machine when a sandbox was opened on it. */
export interface MachineFacts {
  /** Null where no engine is involved, or it does not say. */
  engineVersion: string | null;
  acceptedRisks: readonly AcceptableRisk[];
}

export interface DoctorKeeperOptions {
  /** Runs all checks; takes some seconds. Rejects when the signal is aborted. */
  examine(signal: AbortSignal): Promise<DoctorReport>;
  /** Asks the engine, which may have been exchanged since the last checks. */
  engineVersion(): Promise<string | null>;
  accepted: readonly AcceptableRisk[];
  log: Logger;
}

/**
 * Keeps what the doctor says about this machine. The checks run in the background, so that a worker starts at once: until
 * they have ended it does ordinary work and no bounty work. They run again every ten minutes and when an engine that was
 * gone is back. While they run again, what they said the last time stands; when they cannot be made, or the engine turns out to
 * be another one, it is forgotten, and bounty work with it.
 */
export interface DoctorKeeper extends AsyncDisposable {
  /** Called at every look at the drivers; starts the checks when they are due. */
  engineSeen(isThere: boolean): void;
  /** Null while nothing is known. */
  standing(): Standing | null;
  /** False when checks have seen that gVisor does not work here, whatever the engine lists. */
  gvisorWorks(): boolean;
  /** For operators; null where there is no engine. */
  shown(): WorkerDoctor | null;
  facts(environment: SandboxEnvironment): Promise<MachineFacts>;
  /** Calls back when the checks have ended or their result is forgotten. */
  onChange(listener: () => void): void;
}

export function keepDoctor({ examine, engineVersion, accepted, log }: DoctorKeeperOptions, now = () => performance.now()): DoctorKeeper {
  const stopping = new AbortController();
  const listeners: (() => void)[] = [];
  let isThere = false;
  let report: (DoctorReport & { standing: Standing; checkedAt: string }) | null = null;
  let dueAt = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | null = null;
  /** Grows each time the engine is lost: checks of an engine that is gone say nothing about the one that came after it. */
  let engine = 0;

  const run = async () => {
    const checked = engine;
    try {
      const found = await examine(stopping.signal);
      if (checked !== engine) return;
      report = { ...found, standing: standingOf(found, accepted), checkedAt: new Date().toISOString() };
      dueAt = now() + (report.standing.ordinary ? againAfterMs : soonAfterMs);
      tellLog(log, report.standing);
    } catch (error) {
      if (stopping.signal.aborted) return;
      dueAt = now() + soonAfterMs;
      // What was seen before says nothing about a machine that cannot be looked at now.
      report = null;
      log.warn({ err: error }, 'the checks of this machine failed; they run again in a minute');
    }
  };
  const tell = () => {
    for (const listener of listeners) listener();
  };
  const start = () => {
    running = run().finally(() => {
      running = null;
      if (!stopping.signal.aborted) tell();
    });
  };

  return {
    engineSeen: (there) => {
      if (isThere && !there) {
        engine += 1;
        report = null;
        dueAt = Number.NEGATIVE_INFINITY;
      }
      isThere = there;
      if (there && running === null && now() >= dueAt && !stopping.signal.aborted) start();
    },
    standing: () => report?.standing ?? null,
    gvisorWorks: () => !(report?.findings.some((one) => /^(runtime|walls)-runsc$/.test(one.check) && !one.ok) ?? false),
    shown: () => (isThere ? shownOf(report) : null),
    facts: async ({ driver }) => {
      if (driver === 'wasm') return { engineVersion: null, acceptedRisks: [] };
      const version = await engineVersion();
      // Another engine than the one that was looked at.
      if (version !== null && report !== null && version !== report.engineVersion) {
        report = null;
        dueAt = Number.NEGATIVE_INFINITY;
        tell();
      }
      // Before the first checks it is not known which of them are real here; then all of them are named.
      return { engineVersion: version, acceptedRisks: report?.standing.acceptedRisks ?? accepted };
    },
    onChange: (listener) => void listeners.push(listener),
    [Symbol.asyncDispose]: async () => {
      stopping.abort(new Error('the worker is stopping'));
      await running;
    },
  };
}

function shownOf(report: (DoctorReport & { standing: Standing; checkedAt: string }) | null): WorkerDoctor {
  if (report === null) return { checkedAt: null, engineVersion: null, bountyWork: false, acceptedRisks: [], passed: 0, failed: [] };
  const { findings, standing, checkedAt, engineVersion } = report;
  const failed = findings.filter((one) => !one.ok);
  const passed = findings.length - failed.length;
  return { checkedAt, engineVersion, bountyWork: standing.bounty, acceptedRisks: standing.acceptedRisks, passed, failed };
}

function tellLog(log: Logger, { ordinary, bounty, blocking, acceptedRisks }: Standing): void {
  const checks = blocking.map((one) => one.check);
  if (!ordinary) log.error({ checks }, 'this machine cannot run submissions in containers: `collective doctor` says why');
  else if (!bounty) log.warn({ checks }, 'this machine runs no bounty work: `collective doctor` says why');
  else if (acceptedRisks.length > 0) log.warn({ acceptedRisks }, 'bounty work runs here with accepted risks');
}
