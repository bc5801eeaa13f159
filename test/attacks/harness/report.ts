import type { AttackReport } from './run-attack.ts';

const columns = ['family', 'name', 'profile', 'outcome', 'wall ms', 'ok'] as const;

export function table(reports: readonly AttackReport[]): string {
  const rows = reports.map((one) => [
    ...[one.family, one.name, one.profile, one.skipped === undefined ? one.outcome.slice(0, 60) : '-'],
    ...[String(Math.round(one.wallMs)), one.skipped === undefined ? (one.ok ? 'ok' : 'FAILED') : 'skipped'],
  ]);
  const widths = columns.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 4 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join('  ');
  return [line(columns), ...rows.map(line)].map((one) => one.trimEnd()).join('\n');
}

export function details(reports: readonly AttackReport[]): string {
  const failed = reports.filter(({ ok, skipped }) => !ok && skipped === undefined);
  const reasons = new Map<string, number>();
  for (const { skipped } of reports) if (skipped !== undefined) reasons.set(skipped, (reasons.get(skipped) ?? 0) + 1);
  return [
    ...failed.flatMap(({ family, name, profile, problems }) => [`${family}/${name} (${profile})`, ...problems.map((one) => `  ${one}`)]),
    ...[...reasons].map(([reason, count]) => `skipped ${count}: ${reason}`),
  ].join('\n');
}
