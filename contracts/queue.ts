import { z } from 'zod';
import { everyGrader, type GraderSpec } from './graders.ts';
import { Id } from './ids.ts';
import type { Profile } from './sandbox.ts';
import type { SubmissionKind } from './submission.ts';

/**
 * Queue messages carry ids only: the row holds the truth and the claiming update owns correctness, so a message that
 * arrives twice, late or never is harmless (the sweeper sends it again).
 */
export const StageMessage = z.object({ evaluationId: Id });
export type StageMessage = z.infer<typeof StageMessage>;

const containerNeeds = <P extends ContainerProfile>(profile: P) =>
  [profile, `${profile}-gvisor`, `${profile}-bounty`, `${profile}-gvisor-bounty`] as const;
type ContainerProfile = Exclude<Profile, 'js'>;

/**
 * What an evaluation needs from the worker that runs it. One queue per need: work no worker can do simply waits.
 * `gvisor`: the rubric demands a kernel between program and host. `bounty`: money hangs on the result.
 */
export const Need = z.enum(['none', 'js', ...containerNeeds('node'), ...containerNeeds('python'), ...containerNeeds('image')]);
export type Need = z.infer<typeof Need>;

export interface Demands {
  gvisor: boolean;
  bounty: boolean;
}

/** What a rubric demands of the machine, besides the profile. */
export const demandsOf = (rubric: { sandbox?: { runtime?: string | undefined } | undefined; bounties: readonly unknown[] }): Demands => ({
  gvisor: rubric.sandbox?.runtime === 'runsc',
  bounty: rubric.bounties.length > 0,
});

/** The need of a program in this profile; null where the profile can never meet the demands: `js` runs in no container. */
export function needFor(profile: Profile, { gvisor, bounty }: Demands): Need | null {
  if (profile === 'js') return gvisor || bounty ? null : 'js';
  return `${profile}${gvisor ? '-gvisor' : ''}${bounty ? '-bounty' : ''}`;
}

/** Where the grader programs run that grade submissions of this kind, each profile once, in the rubric's order. */
export const graderProfiles = (criteria: readonly GradedBy[], kind: SubmissionKind): Profile[] => [
  ...new Set(
    criteria
      .filter((criterion) => criterion.for?.includes(kind) ?? true)
      .flatMap((criterion) => everyGrader(criterion.grader))
      .flatMap(({ grader }) => (grader.kind === 'program' ? [grader.profile] : [])),
  ),
];
interface GradedBy {
  grader: GraderSpec;
  for?: readonly SubmissionKind[] | undefined;
}

/**
 * The need of a submission whose code runs in `own` (null: it holds none) and whose graders are programs in `graders`.
 * One profile routes it, a container before `js`, which every worker has: the submission's, else the first grader's.
 * Where a second container profile is needed the worker looks for it when it gets there (docs/decisions/0013). Null
 * where the profile can never meet the demands.
 */
export function needOfAll(own: Profile | null, graders: readonly Profile[], demands: Demands): Need | null {
  const all = own === null ? graders : [own, ...graders];
  const routing = all.find((profile) => profile !== 'js') ?? all[0];
  if (own !== null && needFor(own, demands) === null) return null;
  return routing === undefined ? 'none' : needFor(routing, demands);
}

/** What a need consists of; profile null for `none`. */
export function partsOf(need: Need): Demands & { profile: Profile | null } {
  const [first, ...rest] = need.split('-');
  const profile = first === 'none' ? null : (first as Profile);
  return { profile, gvisor: rest.includes('gvisor'), bounty: rest.includes('bounty') };
}

export const stages = ['screen', 'evaluate', 'verify'] as const;
export type Stage = (typeof stages)[number];

export const queueName = {
  screen: 'screen',
  verify: 'verify',
  evaluate: (need: Need) => `evaluate-${need}` as const,
};

/** Retries happen only for outcome `error`; then the row is parked for an operator. */
export const retryPolicy = { attempts: 4, firstDelayMs: 1_000, factor: 4 } as const;
/** A lease is renewed every third of this. Database time decides. */
export const leaseMs = 15_000;
/** How long an evaluation may wait for a worker that can run it before it ends as `error`. */
export const capabilityDeadlineMs = 15 * 60_000;
