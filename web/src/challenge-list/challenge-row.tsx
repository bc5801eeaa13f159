import { Link } from '@tanstack/react-router';
import type { ChallengeSummary } from '../../../contracts/api.ts';
import { DemonstrationTag, kindLabel, RiskTag, SimulatedTag, Tag } from '../components/badges.tsx';
import { formatCount, formatScore } from '../components/format.ts';
import { VisibleText } from '../components/visible-text.tsx';

export function ChallengeRow({ challenge }: { challenge: ChallengeSummary }) {
  return (
    <li className="challenge-row">
      <div className="challenge-text">
        <h2>
          <Link to="/challenges/$slug" params={{ slug: challenge.slug }}>
            <VisibleText text={challenge.title} />
          </Link>
        </h2>
        <p>
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
        </div>
      </div>
      <dl className="figures">
        <div>
          <dt>Best score</dt>
          <dd>{challenge.bestScore === null ? '–' : formatScore(challenge.bestScore)}</dd>
        </div>
        <div>
          <dt>Submissions</dt>
          <dd>{formatCount(challenge.submissions)}</dd>
        </div>
      </dl>
    </li>
  );
}
