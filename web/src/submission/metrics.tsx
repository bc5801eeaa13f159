import type { EvaluationView } from '../../../contracts/api.ts';
import { formatCount, formatInterval, formatScore } from '../components/format.ts';
import { AfterTheLastCase } from './after-the-last-case.tsx';
import { TableFrame } from '../components/table-frame.tsx';

const methods = { wilson: 'Wilson', bootstrap: 'bootstrap', exact: 'exact' } as const;

export function Metrics({ metrics, done }: { metrics: EvaluationView['metrics']; done: boolean }) {
  const entries = Object.entries(metrics);
  if (entries.length === 0) return done ? null : <AfterTheLastCase title="Metrics" />;
  return (
    <section>
      <h2>Metrics</h2>
      <TableFrame caption="Metrics with their intervals">
        <thead>
          <tr>
            <th scope="col">Metric</th>
            <th scope="col" className="right">
              Value
            </th>
            <th scope="col" className="right">
              Interval
            </th>
            <th scope="col">Method</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(([name, metric]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td className="right numbers">
                {formatScore(metric.value)}
                {metric.numerator !== undefined && metric.denominator !== undefined && (
                  <div className="muted sub-line">
                    {formatCount(metric.numerator)} of {formatCount(metric.denominator)}
                  </div>
                )}
              </td>
              <td className="right numbers nowrap">{formatInterval([metric.lower, metric.upper])}</td>
              <td>{methods[metric.method]}</td>
            </tr>
          ))}
        </tbody>
      </TableFrame>
    </section>
  );
}
