import { formatInterval, formatScore } from './format.ts';

export interface Axis {
  min: number;
  max: number;
}

/** The axis that all given scores share: 0 to 1, wider only where a score lies outside. */
export function sharedAxis(values: readonly number[]): Axis {
  return { min: Math.min(0, ...values), max: Math.max(1, ...values) };
}

/** A score as a dot with its interval as a line, on an axis that may be shared; the numbers are its text alternative. */
export function IntervalBar(props: { score: number; interval: readonly [number, number] | null; axis: Axis }) {
  const { score, interval, axis } = props;
  const place = (value: number) => `${(3 + (94 * (value - axis.min)) / (axis.max - axis.min)).toFixed(2)}%`;
  const words = interval ? `score ${formatScore(score)}, interval ${formatInterval(interval)}` : `score ${formatScore(score)}`;
  return (
    <svg className="interval" role="img" aria-label={words}>
      <title>{words}</title>
      <line className="interval-axis" x1={place(axis.min)} x2={place(axis.max)} y1="50%" y2="50%" />
      <line className="interval-tick" x1={place(axis.min)} x2={place(axis.min)} y1="30%" y2="70%" />
      <line className="interval-tick" x1={place(axis.max)} x2={place(axis.max)} y1="30%" y2="70%" />
      {interval && <line className="interval-range" x1={place(interval[0])} x2={place(interval[1])} y1="50%" y2="50%" />}
      <circle className="interval-dot" cx={place(score)} cy="50%" r="4" />
    </svg>
  );
}
