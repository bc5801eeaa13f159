export interface WinRate {
  n: number;
  /** In percent, as leaderboards print it. */
  winRate: number;
  wins: number;
  losses: number;
  ties: number;
}

/**
 * Win rate of AlpacaEval: 100 · Σ(pᵢ − 1)/n over preferences pᵢ from 1 (the baseline is surely better) to 2 (the model is
 * surely better). Above 1.5 is a win, below a loss (Y. Dubois et al., "Length-Controlled AlpacaEval", 2024; `winrate` of
 * the project's own metrics). Throws a `RangeError` on a preference outside [1, 2], and without any.
 */
export function winRate(preferences: readonly number[]): WinRate {
  const n = preferences.length;
  if (n === 0) throw new RangeError('a win rate needs at least one preference');
  const wrong = preferences.findIndex((preference) => !(preference >= 1 && preference <= 2));
  if (wrong >= 0) throw new RangeError(`preference ${wrong + 1} is ${preferences[wrong]}; preferences lie between 1 and 2`);
  const sum = preferences.reduce((total, preference) => total + preference - 1, 0);
  const wins = preferences.filter((preference) => preference > 1.5).length;
  const losses = preferences.filter((preference) => preference < 1.5).length;
  return { n, winRate: (100 * sum) / n, wins, losses, ties: n - wins - losses };
}
