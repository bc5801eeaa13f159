import type { SubmissionView } from '../../../contracts/api.ts';

/** What someone needs to judge the same again and compare: every hash, and the seed once it may be known. */
export function Provenance({ submission }: { submission: SubmissionView }) {
  const { evaluation } = submission;
  const facts: [string, string | null, string][] = [
    ['Submission', submission.contentHash, 'SHA-256 of its canonical JSON'],
    ['Rubric', evaluation.rubricHash, 'the version it was judged by'],
    ['Seed commitment', evaluation.seedCommitment, 'published before it ran'],
    ['Seed', evaluation.seed, 'revealed when done'],
    ['Result', evaluation.resultHash, 'SHA-256 of the deterministic part of the result'],
  ];
  return (
    <details className="provenance">
      <summary>How to reproduce this</summary>
      <dl className="facts">
        {facts
          .filter(([, value]) => value !== null)
          .map(([name, value, meaning]) => (
            <div key={name}>
              <dt>
                {name} <span className="muted">({meaning})</span>
              </dt>
              <dd>
                <code className="whole-hash">{value}</code>
              </dd>
            </div>
          ))}
      </dl>
    </details>
  );
}
