import { z } from 'zod';
import { Id } from './ids.ts';
import { Split } from './rubric.ts';

/**
 * What a failed check stands in the way of. `all`: a wall that every sandbox relies on is not there, nothing is judged in
 * containers. `bounty`: ordinary work goes on, but nothing on which money hangs. `nothing`: worth knowing.
 */
export const Blocks = z.enum(['all', 'bounty', 'nothing']);
export type Blocks = z.infer<typeof Blocks>;

/** One thing the doctor looked at on a machine. */
export const Finding = z
  .object({
    /** Stable name, kebab-case. */
    check: z.string(),
    ok: z.boolean(),
    severity: z.enum(['critical', 'warning', 'info']),
    blocks: Blocks,
    /** What was found. */
    detail: z.string(),
    /** Why it matters. */
    why: z.string(),
    cves: z.array(z.string()),
    /** What to do about it; empty when it is ok. */
    fix: z.string(),
  })
  .meta({ id: 'Finding' });
export type Finding = z.infer<typeof Finding>;

/**
 * Failed checks that an operator may accept for bounty work on a machine of their own (ACCEPTED_SANDBOX_RISKS): known
 * holes that our profile is believed to cover. A missing wall is not among them.
 */
export const acceptableRisks = ['engine-version', 'runc-version', 'crun-version'] as const;
export const AcceptableRisk = z.enum(acceptableRisks);
export type AcceptableRisk = z.infer<typeof AcceptableRisk>;

/** What one run of the doctor says about a machine. */
export interface DoctorReport {
  engineVersion: string | null;
  findings: readonly Finding[];
}

export interface Standing {
  /** May submitted code run in containers here at all. */
  ordinary: boolean;
  /** May it run where money hangs on the result. */
  bounty: boolean;
  /** What stands in the way, everything accepted left out; the worst first. */
  blocking: Finding[];
  /** Accepted risks that are real here: checks that failed and count as if they had not. */
  acceptedRisks: AcceptableRisk[];
}

/** What may run on a machine, by what its doctor found and what its operator accepts. */
export function standingOf({ findings }: Pick<DoctorReport, 'findings'>, accepted: readonly AcceptableRisk[]): Standing {
  const failed = findings.filter((one) => !one.ok && one.blocks !== 'nothing');
  const isAccepted = (one: Finding) => one.blocks === 'bounty' && accepted.some((risk) => risk === one.check);
  const walls = failed.filter((one) => one.blocks === 'all');
  const open = failed.filter((one) => one.blocks === 'bounty' && !isAccepted(one));
  return {
    ordinary: walls.length === 0,
    bounty: walls.length === 0 && open.length === 0,
    blocking: [...walls, ...open],
    acceptedRisks: accepted.filter((risk) => failed.some((one) => one.check === risk && isAccepted(one))),
  };
}

/** What a worker says about its machine; shown to operators. */
export const WorkerDoctor = z
  .object({
    /** When the checks ended; null while they run for the first time. */
    checkedAt: z.string().meta({ format: 'date-time' }).nullable(),
    engineVersion: z.string().nullable(),
    /** May code run here on whose result money hangs. */
    bountyWork: z.boolean(),
    /** Failed checks that count as if they had not failed, because the operator said so. */
    acceptedRisks: z.array(z.string()),
    passed: z.number().int(),
    /** The checks that failed, accepted ones included. */
    failed: z.array(Finding),
  })
  .meta({ id: 'WorkerDoctor' });
export type WorkerDoctor = z.infer<typeof WorkerDoctor>;

/** Where the code of one split ran. An evaluation that another worker went on with has several of a split. */
export const SandboxRecord = z
  .object({
    split: Split,
    workerId: Id,
    driver: z.enum(['wasm', 'docker']),
    runtime: z.string().nullable(),
    imageId: z.string().nullable(),
    profileSha256: z.string().nullable(),
    engineVersion: z.string().nullable(),
    acceptedRisks: z.array(z.string()),
  })
  .meta({ id: 'SandboxRecord' });
export type SandboxRecord = z.infer<typeof SandboxRecord>;
