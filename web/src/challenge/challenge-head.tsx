import type { ChallengeDetail } from '../../../contracts/api.ts';
import { DemonstrationTag, kindLabel, RiskTag, SimulatedTag, Tag } from '../components/badges.tsx';
import { ShortHash } from '../components/hash.tsx';
import { needLabel } from '../components/need.ts';
import { VisibleText } from '../components/visible-text.tsx';
import { JudgeMoneyNote } from './judge-money-note.tsx';

/** Title, what it is about, its marks, and what a participant must know before anything else. */
export function ChallengeHead({ challenge }: { challenge: ChallengeDetail }) {
  const blocked = byReason(challenge);
  return (
    <header className="page-head">
      <h1>
        <VisibleText text={challenge.title} />
      </h1>
      <p className="muted">
        <VisibleText text={challenge.summary} />
      </p>
      <div className="tags">
        <RiskTag tier={challenge.riskTier} />
        {challenge.demonstration && <DemonstrationTag />}
        {challenge.simulated && <SimulatedTag />}
        <Tag title="What you send">send: {challenge.submissionKinds.map(kindLabel).join(' or ')}</Tag>
        {challenge.tags.map((tag) => (
          <Tag key={tag}>{tag}</Tag>
        ))}
        <span className="muted">
          rubric <ShortHash hash={challenge.rubricHash} />
        </span>
      </div>
      <JudgeMoneyNote money={challenge.judgeMoney} />
      {challenge.notice !== null && (
        <div className="notice notice-warn">
          <p>
            <strong>Read first:</strong> <VisibleText text={challenge.notice} />
          </p>
        </div>
      )}
      {[...blocked].map(([reason, needs]) => (
        <div key={reason} className="notice notice-warn">
          <p>
            <strong>Cannot run here now: {needs.map(needLabel).join(', ')}.</strong>{' '}
            {reason === null ? 'No worker that is alive offers it.' : <VisibleText text={reason} />}
          </p>
        </div>
      ))}
    </header>
  );
}

/** What no worker can run now, one entry per reason: one missing engine is said once. */
function byReason({ runnable }: ChallengeDetail): Map<string | null, string[]> {
  const blocked = new Map<string | null, string[]>();
  for (const { need, available, reason } of runnable) if (!available) blocked.set(reason, [...(blocked.get(reason) ?? []), need]);
  return blocked;
}
