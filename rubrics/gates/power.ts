import { type MetricSpec, metricInputs } from '../../contracts/metrics.ts';
import type { Case, Rubric, Split } from '../../contracts/rubric.ts';
import { asText, resolveCaseSource } from '../graders/sources.ts';
import { binomialUpperTail } from '../statistics/exact-binomial.ts';
import { proportionPower, trialsForPower } from '../statistics/power.ts';

/** What verification should be able to do at its margin; the convention of most power analyses (J. Cohen, 1988). */
export const wantedPower = 0.8;

export interface VerificationPower {
  power: number;
  /** The score whose recognition is asked about: threshold plus margin. */
  score: number;
  margin: number;
  /** Independent observations: cases, or groups of cases that belong together, in units of equally large groups. */
  observations: number;
  replicas: number;
  /** How many observations would be enough; null where no reasonable number is, or the score is no share. */
  needed: number | null;
}

/** No rubric has more cases than this. */
const mostObservations = 5_000;

/**
 * The probability that a submission whose true score lies `margin` above the threshold is verified: that the exact
 * one-sided lower bound of its share of `n` independent observations reaches the threshold, in enough of the replicas.
 * Conservative where it simplifies: a case's trials are not counted as further observations, and every score in [0, 1]
 * is treated as a share of zeros and ones, which vary most; replicas are taken as independent when anything is drawn
 * from the seed (then all `k` succeed with power^k), as copies of each other when nothing is. Not conservative for
 * conditional means and products: they are treated like means over all cases, though fewer may count; and what
 * `pass.require` asks for beside the score is not counted. `margin` is
 * `verification.margin`, else the smaller of 0.1 and half of what lies above the threshold. Null where the threshold is
 * no share that a bound could reach: the score is no mean of cases. `threshold` is that of a bounty, where one asks for more than `pass`.
 */
export function verificationPower(
  rubric: Rubric,
  cases: readonly Case[],
  isDrawn: boolean,
  threshold = rubric.pass.threshold,
): VerificationPower | null {
  const { bound, level } = rubric.pass;
  const share = shareOf(rubric, rubric.score);
  const at = share.of(threshold);
  if (cases.length === 0 || !(at > 0 && at < 1)) return null;
  const margin = rubric.verification.margin ?? Math.min(0.1, (share.from(1) - threshold) / 2);
  const truth = Math.min(1, share.of(threshold + margin));
  const observations = Math.max(1, Math.floor(observationsOf(share.metric, cases)));
  // The rubric's level is two-sided: its lower bound has half of what is outside on its side.
  const test = { threshold: at, level: (1 + (rubric.verification.level ?? level)) / 2 };
  const once =
    bound === 'lower'
      ? proportionPower(observations, truth, test)
      : binomialUpperTail(Math.ceil(at * observations - 1e-9), observations, truth);
  const { replicas, agreement } = rubric.verification;
  const power = isDrawn ? binomialUpperTail(Math.ceil(agreement * replicas - 1e-9), replicas, once) : once;
  const perReplica = isDrawn && agreement === 1 ? wantedPower ** (1 / replicas) : wantedPower;
  const needed = bound === 'lower' && truth > at ? enough(perReplica, truth - at, test) : null;
  return { power, score: share.from(truth), margin, observations, replicas, needed };
}

function enough(power: number, margin: number, test: { threshold: number; level: number }): number | null {
  try {
    return trialsForPower(power, margin, test, mostObservations);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

interface Share {
  /** The share of cases that a score stands for, and back. */
  of: (score: number) => number;
  from: (share: number) => number;
  metric: MetricSpec | undefined;
}

/** Looks through what only rescales (`lift`, `relative`) at the share below. */
function shareOf(rubric: Rubric, name: string): Share {
  const metric = rubric.metrics.find((one) => one.name === name);
  if (metric?.kind === 'lift') {
    const inner = shareOf(rubric, metric.of);
    const { prior } = metric;
    return {
      of: (score) => inner.of(score * (1 - prior) + prior),
      from: (share) => (inner.from(share) - prior) / (1 - prior),
      metric: inner.metric,
    };
  }
  if (metric?.kind === 'relative') {
    const inner = shareOf(rubric, metric.of);
    return { of: (score) => inner.of(score * metric.base), from: (share) => inner.from(share) / metric.base, metric: inner.metric };
  }
  // Between -1 and 1, so twice as wide as a share.
  if (metric?.kind === 'difference') return { of: (score) => (score + 1) / 2, from: (share) => 2 * share - 1, metric };
  const [only, ...others] = metric === undefined ? [] : metricInputs(metric).metrics;
  // A mix of means over the same cases varies at most like one of them; which one does not matter here.
  if (metric?.kind === 'weighted' && only !== undefined && others.length === 0) return shareOf(rubric, only);
  return { of: (score) => score, from: (share) => share, metric };
}

/**
 * Cases of one `group` count once. A mean of G group means has the variance p(1−p)·Σ(1/n_g)/G², that of a plain share
 * of G²/Σ(1/n_g) cases; coverage is a share of groups.
 */
function observationsOf(metric: MetricSpec | undefined, cases: readonly Case[]): number {
  const clusters = (of: readonly Case[]) => new Set(of.map((c) => (c.group === undefined ? `case ${c.id}` : `group ${c.group}`))).size;
  if (metric?.kind !== 'group-mean' && metric?.kind !== 'harmonic-mean' && metric?.kind !== 'coverage') return clusters(cases);
  const groups = new Map<string, Case[]>();
  for (const c of cases) {
    const by = asText(resolveCaseSource(metric.by, c))[0] ?? '';
    groups.set(by, [...(groups.get(by) ?? []), c]);
  }
  if (metric.kind === 'coverage') return groups.size;
  const inverse = [...groups.values()].reduce((sum, members) => sum + 1 / clusters(members), 0);
  return groups.size ** 2 / inverse;
}

/** The cases that verification decides on: the holdout where there is one, else those of the phase with the most. */
export function verificationCases(rubric: Rubric, cases: Readonly<Record<Split, readonly Case[]>>): readonly Case[] {
  if (cases.holdout.length > 0) return cases.holdout;
  const phases = rubric.phases.map((phase) => [...new Set(phase.splits)].flatMap((split) => cases[split]));
  return phases.reduce((most, one) => (one.length > most.length ? one : most), []);
}
