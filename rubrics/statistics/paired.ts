import { bootstrap } from './bootstrap.ts';
import { binomialUpperTail } from './exact-binomial.ts';
import { checkCounts, type Estimate } from './interval.ts';
import { mean, variance } from './moments.ts';

/**
 * McNemar's test, exact (Q. McNemar, Psychometrika 12, 1947): of the pairs in which the two sides differ, `onlyFirst`
 * and `onlySecond` count who was right alone; where neither is better they are Binomial(b + c, ½). `p` is two-sided,
 * twice the smaller tail and at most 1. `chiSquare` is the older (b − c)²/(b + c) for comparison with print.
 */
export function mcnemar(onlyFirst: number, onlySecond: number): { p: number; chiSquare: number } {
  const discordant = onlyFirst + onlySecond;
  checkCounts(onlyFirst, discordant);
  if (discordant === 0) return { p: 1, chiSquare: 0 };
  const tail = binomialUpperTail(Math.max(onlyFirst, onlySecond), discordant, 0.5);
  return { p: Math.min(1, 2 * tail), chiSquare: (onlyFirst - onlySecond) ** 2 / discordant };
}

export interface PairedDifference extends Estimate {
  /** Standard error of the mean difference, √(s²/n) of the differences. */
  error: number;
}

/**
 * Mean of first − second over cases that both sides answered, in units of the values, with its standard error and a
 * percentile bootstrap over the pairs (2,000 resamples, seeded). Pairing takes out what makes a case hard for both: its
 * variance is that of the differences. Throws on lists of unequal length or fewer than two pairs.
 */
export function pairedDifference(
  first: readonly number[],
  second: readonly number[],
  options: { level: number; seed: string },
): PairedDifference {
  if (first.length !== second.length || first.length < 2)
    throw new RangeError(`expected at least two pairs, found ${first.length} and ${second.length} values`);
  const differences = Float64Array.from(first, (value, i) => value - (second[i] as number));
  const table = { width: 1, sums: differences, strata: [Int32Array.from(differences.keys())] };
  const interval = bootstrap(table, (totals) => (totals[0] as number) / differences.length, options);
  return { value: mean(differences), error: Math.sqrt(variance(differences) / differences.length), ...interval };
}
