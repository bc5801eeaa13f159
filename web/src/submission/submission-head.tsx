import { Link } from '@tanstack/react-router';
import type { SubmissionView } from '../../../contracts/api.ts';
import { kindLabel, SampleTag, SimulatedTag, Tag } from '../components/badges.tsx';
import { formatBytes } from '../components/format.ts';
import { ShortHash } from '../components/hash.tsx';
import { RelativeTime } from '../components/relative-time.tsx';
import { VisibleText } from '../components/visible-text.tsx';
import type { LiveState } from '../live/follow.ts';
import { CancelButton } from './cancel-button.tsx';

const liveWords: Record<LiveState, string> = {
  connecting: 'connecting',
  live: 'live',
  reconnecting: 'reconnecting',
  polling: 'refreshing every 2 s',
  ended: 'ended',
};

/** What was sent, by whom, to which challenge, and whether the page is being kept up to date. */
export function SubmissionHead({ submission, live }: { submission: SubmissionView; live: LiveState }) {
  const { evaluation } = submission;
  return (
    <header className="page-head">
      <div className="head-line">
        <h1>
          <VisibleText text={submission.title} />
        </h1>
        <span className={`live live-${live}`}>
          <span className="live-dot" aria-hidden="true" />
          {liveWords[live]}
        </span>
        <CancelButton submission={submission} />
      </div>
      <p className="muted">
        to{' '}
        <Link to="/challenges/$slug" params={{ slug: submission.challenge }}>
          {submission.challenge}
        </Link>{' '}
        (phase {evaluation.phase}) {submission.sample ? 'as it ships with the challenge' : 'by '}
        {!submission.sample && <VisibleText text={submission.participant} />}, <RelativeTime at={submission.createdAt} />
      </p>
      <div className="tags">
        <Tag>{kindLabel(submission.kind)}</Tag>
        {submission.sample && <SampleTag />}
        {evaluation.simulated && <SimulatedTag />}
        <Tag>attempt {evaluation.attempt}</Tag>
        <span className="muted">
          content <ShortHash hash={submission.contentHash} /> <span className="numbers">{formatBytes(submission.contentBytes)}</span>
        </span>
      </div>
    </header>
  );
}
