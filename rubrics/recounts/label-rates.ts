export interface GroupRates {
  n: number;
  labels: Record<string, { count: number; percent: number }>;
}

/** How often each label was given, by group; everything is one group, `all`, where no group is named. */
export function labelRates(rows: readonly { label: string; group: string | null }[]): Record<string, GroupRates> {
  const groups = new Map<string, Map<string, number>>();
  for (const { label, group } of rows) {
    const counts = groups.get(group ?? 'all') ?? new Map<string, number>();
    counts.set(label, (counts.get(label) ?? 0) + 1);
    groups.set(group ?? 'all', counts);
  }
  return Object.fromEntries(
    [...groups].map(([group, counts]) => {
      const n = [...counts.values()].reduce((sum, count) => sum + count, 0);
      return [
        group,
        { n, labels: Object.fromEntries([...counts].map(([label, count]) => [label, { count, percent: (100 * count) / n }])) },
      ];
    }),
  );
}
