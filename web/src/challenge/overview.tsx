import { Button } from '@mantine/core';
import type { ChallengeDetail } from '../../../contracts/api.ts';
import { formatCount, formatScore, plural } from '../components/format.ts';
import { Markdown, OutsideLink } from '../components/markdown.tsx';
import { VisibleText } from '../components/visible-text.tsx';

export function Overview({ challenge, onSubmit }: { challenge: ChallengeDetail; onSubmit: () => void }) {
  return (
    <div className="with-side">
      <div>
        <Markdown source={challenge.readme} skipTitle />
      </div>
      <aside className="side" aria-label="Facts">
        <Button fullWidth onClick={onSubmit}>
          Make a submission
        </Button>
        <dl className="facts">
          <div>
            <dt>Best score</dt>
            <dd>{challenge.bestScore === null ? 'none yet' : formatScore(challenge.bestScore)}</dd>
          </div>
          <div>
            <dt>Submissions</dt>
            <dd>{formatCount(challenge.submissions)}</dd>
          </div>
          {challenge.phases.map((phase) => (
            <div key={phase.name}>
              <dt>Phase: {phase.title}</dt>
              <dd>
                {plural(phase.cases, 'case')} ({phase.splits.join(', ')})
              </dd>
            </div>
          ))}
        </dl>
        {challenge.attribution.length > 0 && (
          <>
            <h2 className="side-head">Data</h2>
            <ul className="attribution">
              {challenge.attribution.map((entry) => (
                <li key={entry.source + entry.what}>
                  <OutsideLink href={entry.source}>{entry.what}</OutsideLink>{' '}
                  <span className="muted">
                    <VisibleText text={entry.license} />
                  </span>
                </li>
              ))}
            </ul>
          </>
        )}
      </aside>
    </div>
  );
}
