import type { Allotment, Amount, Budget } from '../contracts/target.ts';
import { minus, plus, smallerOf } from './amount.ts';

/**
 * A whole budget held in memory, for local runs that keep no records: a draw answers what is left, at most what was
 * wanted. Nothing survives the process, so there is nothing that could be spent twice after a crash.
 */
export function wholeBudget(budget: Budget): Allotment {
  let left: Amount = {
    calls: budget.calls,
    inputTokens: budget.inputTokens,
    outputTokens: budget.outputTokens,
    costMicros: BigInt(budget.costMicros),
  };
  return {
    draw: async (wanted) => {
      const drawn = smallerOf(wanted, left);
      left = minus(left, drawn);
      return drawn;
    },
    giveBack: async (unused) => {
      left = plus(left, unused);
    },
  };
}
