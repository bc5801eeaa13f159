import type { Grade } from '../../../contracts/evaluation.ts';
import type { Json } from '../../../contracts/json.ts';
import { formatScore } from '../components/format.ts';
import { VisibleText } from '../components/visible-text.tsx';

const statusWords: Record<Grade['status'], string> = { graded: '', needs_review: 'needs review', error: 'grader error' };

/** One grader's decision with the small facts to check it by hand. */
export function GradeCard({ grade }: { grade: Grade }) {
  const facts = Object.entries(grade.evidence);
  return (
    <div className="grade-card">
      <p className="result-line">
        <strong>{grade.criterion}</strong>
        <span className="numbers">{grade.score === null ? statusWords[grade.status] : formatScore(grade.score)}</span>
        <span className="muted">by {grade.grader}</span>
      </p>
      {facts.length > 0 && (
        <dl className="evidence">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <VisibleText text={factWords(value)} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

function factWords(value: Json): string {
  if (typeof value === 'number') return formatScore(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
