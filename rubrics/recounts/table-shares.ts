import { publishedCount } from '../graders/published-share.ts';

export interface Column {
  name: string;
  /** What the percentages of this column are shares of. */
  denominator: number;
}

export interface TableShares {
  rows: number;
  cells: number;
  /** Cells that are no share of their denominator: computed on something else, or mistyped. */
  wrong: { row: number; column: string; printed: string }[];
}

/**
 * Is every percentage of a table k/n of its own denominator, as it is printed? The cheapest check of an imported
 * leaderboard: AgentDojo's cells are shares of 97 user tasks and 629 security cases. Throws a `RangeError` on a missing
 * column or a cell that is no percentage.
 */
export function tableShares(rows: readonly Readonly<Record<string, string>>[], columns: readonly Column[]): TableShares {
  const wrong = rows.flatMap((row, i) =>
    columns.flatMap(({ name, denominator }) => {
      const printed = Object.hasOwn(row, name) ? row[name] : undefined;
      if (printed === undefined) throw new RangeError(`the table has no column "${name}"; it has ${Object.keys(row).join(', ')}`);
      const found = /^(\d+(?:\.(\d+))?) ?%?$/.exec(printed.trim());
      if (found === null) throw new RangeError(`row ${i + 1}, column "${name}": "${printed.slice(0, 40)}" is no percentage`);
      const decimals = found[2]?.length ?? 0;
      return publishedCount(Number(found[1]), denominator, decimals) === null ? [{ row: i + 1, column: name, printed }] : [];
    }),
  );
  return { rows: rows.length, cells: rows.length * columns.length, wrong };
}
