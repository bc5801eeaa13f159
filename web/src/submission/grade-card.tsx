import { z } from 'zod/mini';
import type { Grade } from '../../../contracts/evaluation.ts';
import type { Json } from '../../../contracts/json.ts';
import { formatScore } from '../components/format.ts';
import { VisibleText } from '../components/visible-text.tsx';
import { JudgeFacts, judgeFactNames } from './judge-facts.tsx';

const statusWords: Record<Grade['status'], string> = { graded: '', needs_review: 'needs review', error: 'grader error' };

/** One grader's decision with the small facts to check it by hand. */
export function GradeCard({ grade }: { grade: Grade }) {
  return (
    <div className="grade-card">
      <p className="result-line">
        <strong>{grade.criterion}</strong>
        <ScoreWords grade={grade} />
      </p>
      <Facts grade={grade} />
    </div>
  );
}

type Graded = Pick<Grade, 'grader' | 'status' | 'score' | 'evidence'>;

function ScoreWords({ grade }: { grade: Graded }) {
  return (
    <>
      <span className="numbers">{grade.score === null ? statusWords[grade.status] : formatScore(grade.score)}</span>
      <span className="muted">by {grade.grader}</span>
    </>
  );
}

/** What the parts of a combination say, as `partsEvidence` leaves it. */
const Parts = z.array(
  z.object({
    grader: z.string(),
    status: z.enum(['graded', 'needs_review', 'error']),
    score: z.nullable(z.number()),
    evidence: z.record(z.string(), z.unknown()),
  }),
);

function Facts({ grade }: { grade: Graded }) {
  const isJudged = grade.grader === 'judge' || grade.grader === 'jury';
  const parts = Parts.safeParse(grade.evidence.parts);
  const facts = Object.entries(grade.evidence).filter(
    ([name]) => !(isJudged && judgeFactNames.has(name)) && !(parts.success && name === 'parts'),
  );
  return (
    <>
      {isJudged && <JudgeFacts evidence={grade.evidence} />}
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
      {parts.success && (
        <ol className="grade-parts">
          {parts.data.map((part, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: parts are told apart by their place in the rubric only
            <li key={i}>
              <p className="result-line">
                <ScoreWords grade={part as Graded} />
              </p>
              <Facts grade={part as Graded} />
            </li>
          ))}
        </ol>
      )}
    </>
  );
}

function factWords(value: Json): string {
  if (typeof value === 'number') return formatScore(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
