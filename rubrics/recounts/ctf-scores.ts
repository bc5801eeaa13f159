import { attackTotals, defenceValue } from '../graders/ctf-points.ts';

export interface Defence {
  name: string;
  value: number;
  attackers: readonly { name: string; points: number }[];
}

export interface CtfScores {
  defences: number;
  breaks: number;
  /** Defences whose printed value is not 0.85ⁿ, n being their breakers. */
  wrongValues: { name: string; printed: number; expected: number }[];
  /** Each attacker's sum, highest first. */
  attackTotals: [string, number][];
}

/** The final table of the SaTML 2024 capture the flag, computed again: values of defences (two decimals) and totals of attackers. */
export function ctfScores(defences: readonly Defence[]): CtfScores {
  return {
    defences: defences.length,
    breaks: defences.reduce((sum, { attackers }) => sum + attackers.length, 0),
    wrongValues: defences.flatMap(({ name, value, attackers }) => {
      const expected = defenceValue(attackers.length);
      return Math.abs(value - expected) <= 0.005 + 1e-12 ? [] : [{ name, printed: value, expected }];
    }),
    attackTotals: attackTotals(defences),
  };
}
