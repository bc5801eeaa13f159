/** A score or metric with at most four significant figures, never as a misleading 0: 0.8123, 1, 3.1e-71. */
export function formatScore(value: number): string {
  if (value === 0 || Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  if (size < 0.001) return value.toExponential(1);
  if (size < 1 && size > 0.9999) return value.toFixed(6).replace(/0+$/, '');
  return String(Number(value.toPrecision(4)));
}

/** `[0.71, 0.89]`, the two bounds of an interval. */
export const formatInterval = ([lower, upper]: readonly [number, number]): string => `${formatScore(lower)} to ${formatScore(upper)}`;

/** Milliseconds as people say them: 12 ms, 3.4 s, 2 min 5 s, 3 h 10 min. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

/** Micro-units of USD (a whole number as text) as an amount of money with its currency. */
export function formatCost(micros: string): string {
  const value = BigInt(micros);
  if (value === 0n) return '0 USD';
  const cents = Number(value / 100n) / 10_000;
  return cents < 0.0001 ? 'under 0.0001 USD' : `${cents.toFixed(4)} USD`;
}

/** Bytes in decimal units: 812 B, 12.4 kB, 3.1 MB. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

export const formatCount = (count: number): string => count.toLocaleString('en');
export const plural = (count: number, one: string, many = `${one}s`): string => `${formatCount(count)} ${count === 1 ? one : many}`;

const steps: [limit: number, divisor: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [60, 1, 'second'],
  [3_600, 60, 'minute'],
  [86_400, 3_600, 'hour'],
  [2_592_000, 86_400, 'day'],
  [31_536_000, 2_592_000, 'month'],
  [Number.POSITIVE_INFINITY, 31_536_000, 'year'],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** "5 minutes ago", "in 2 hours", "now" within five seconds. Both times in ms since the epoch. */
export function formatRelative(at: number, now: number): string {
  const seconds = Math.round((at - now) / 1_000);
  if (Math.abs(seconds) < 5) return 'now';
  const [, divisor, unit] = steps.find(([limit]) => Math.abs(seconds) < limit) ?? [0, 1, 'second' as const];
  return relative.format(Math.trunc(seconds / divisor), unit);
}

/** `2026-11-23 13:05:09 UTC` */
export const formatAbsolute = (iso: string): string => `${new Date(iso).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
