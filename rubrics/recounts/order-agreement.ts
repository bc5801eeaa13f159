import { cohenKappa } from '../statistics/cohen-kappa.ts';
import type { Estimate } from '../statistics/interval.ts';

/** What a judge said of one pair: the winner in the first order and in the other one, both named as in the data; null for no answer. */
export type Votes = readonly [string | null, string | null];

export interface OrderAgreement {
  n: number;
  correctFirst: number;
  correctSwapped: number;
  correctBoth: number;
  /** Pairs with the same vote in both orders; two missing ones are equal, as LLMBar counts them. */
  equal: number;
  /** Orders in which no winner was named. */
  unanswered: number;
  /** Cohen's κ between the two orders; null where it is not defined or a vote is missing. */
  kappa: Estimate | null;
}

/**
 * Statistics of LLMBar (Z. Zeng et al., ICLR 2024) for one judge: against the human label in each order and in both, and
 * between the orders. A missing vote is wrong, never right by luck. Throws a `RangeError` when the lists differ in length.
 */
export function orderAgreement(labels: readonly string[], votes: readonly Votes[]): OrderAgreement {
  if (labels.length !== votes.length) throw new RangeError(`${votes.length} pairs of votes for ${labels.length} labels`);
  const count = (holds: (vote: Votes, label: string) => boolean) => votes.filter((vote, i) => holds(vote, labels[i] as string)).length;
  const unanswered = votes.flat().filter((vote) => vote === null).length;
  return {
    n: labels.length,
    correctFirst: count(([first], label) => first === label),
    correctSwapped: count(([, swapped], label) => swapped === label),
    correctBoth: count(([first, swapped], label) => first === label && swapped === label),
    equal: count(([first, swapped]) => first === swapped),
    unanswered,
    kappa: unanswered > 0 ? null : kappaOf(votes),
  };
}

function kappaOf(votes: readonly Votes[]): Estimate | null {
  const values = [...new Set(votes.flat())];
  const table = values.map((one) => values.map((other) => votes.filter(([first, swapped]) => first === one && swapped === other).length));
  const kappa = cohenKappa(table, 0.95);
  return kappa === null ? null : { value: kappa.value, lower: kappa.lower, upper: kappa.upper };
}
