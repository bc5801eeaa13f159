import type { SubmissionView } from '../../../contracts/api.ts';
import { Tag } from '../components/badges.tsx';

/** Which sandbox ran the code of each split; nothing where no code ran. */
function WhereItRan({ records }: { records: SubmissionView['evaluation']['sandbox'] }) {
  if (records.length === 0) return null;
  return (
    <ul>
      {records.map((one) => (
        <li key={`${one.split}-${one.workerId}-${one.profileSha256 ?? ''}`}>
          {one.split} cases ran in{' '}
          {one.driver === 'wasm'
            ? 'WebAssembly'
            : `a container (${one.runtime ?? 'unknown runtime'}, engine ${one.engineVersion ?? 'unknown'})`}{' '}
          on worker <code>{one.workerId.slice(-8)}</code>
          {one.imageId !== null && (
            <>
              , image <code className="whole-hash">{one.imageId}</code>
            </>
          )}
          {one.profileSha256 !== null && (
            <>
              , profile <code className="whole-hash">{one.profileSha256}</code>
            </>
          )}
          {one.acceptedRisks.length > 0 && <Tag tone="warn">accepted risks: {one.acceptedRisks.join(', ')}</Tag>}
        </li>
      ))}
    </ul>
  );
}

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
      <WhereItRan records={evaluation.sandbox} />
    </details>
  );
}
