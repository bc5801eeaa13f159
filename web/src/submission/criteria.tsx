import type { EvaluationView } from '../../../contracts/api.ts';
import { formatCount, formatScore } from '../components/format.ts';
import { AfterTheLastCase } from './after-the-last-case.tsx';
import { TableFrame } from '../components/table-frame.tsx';
import { VisibleText } from '../components/visible-text.tsx';

/** With hidden cases in the score the counts are withheld, so their columns are left out rather than filled with zeros. */
export function Criteria({ criteria, done, counts }: { criteria: EvaluationView['criteria']; done: boolean; counts: boolean }) {
  if (criteria.length === 0) return done ? null : <AfterTheLastCase title="Criteria" />;
  return (
    <section>
      <h2>Criteria</h2>
      <TableFrame caption="Criteria with their mean over all cases">
        <thead>
          <tr>
            <th scope="col">Criterion</th>
            <th scope="col" className="right">
              Weight
            </th>
            <th scope="col" className="right">
              Mean
            </th>
            {counts && (
              <>
                <th scope="col" className="right">
                  Graded
                </th>
                <th scope="col" className="right">
                  Errors
                </th>
              </>
            )}
          </tr>
        </thead>
        <tbody>
          {criteria.map((criterion) => (
            <tr key={criterion.name}>
              <th scope="row">
                <VisibleText text={criterion.title} />
              </th>
              <td className="right numbers">{criterion.weight === 0 ? 'only shown' : formatScore(criterion.weight)}</td>
              <td className="right numbers">{criterion.mean === null ? '–' : formatScore(criterion.mean)}</td>
              {counts && <td className="right numbers">{formatCount(criterion.graded)}</td>}
              {counts && <td className="right numbers">{formatCount(criterion.errors)}</td>}
            </tr>
          ))}
        </tbody>
      </TableFrame>
    </section>
  );
}
