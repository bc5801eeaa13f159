import type { EvaluationView } from '../../../contracts/api.ts';
import { formatCost, formatCount, formatDuration } from '../components/format.ts';

/** What the evaluation used of models, money and time. */
export function UsagePanel({ evaluation }: { evaluation: EvaluationView }) {
  const { usage, startedAt, doneAt } = evaluation;
  if (usage === null && doneAt === null) return null;
  const facts: [string, string][] = [
    ...(usage
      ? ([
          ['Model calls', formatCount(usage.calls)],
          ['Input tokens', formatCount(usage.inputTokens)],
          ['Output tokens', formatCount(usage.outputTokens)],
          ['Cost', formatCost(usage.costMicros)],
        ] satisfies [string, string][])
      : []),
    ...(startedAt && doneAt
      ? ([['Judged in', formatDuration(Date.parse(doneAt) - Date.parse(startedAt))]] satisfies [string, string][])
      : []),
  ];
  return (
    <section>
      <h2>Usage</h2>
      <dl className="stat-line">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="numbers">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
