import { Button } from '@mantine/core';
import { getRouteApi, useRouterState } from '@tanstack/react-router';
import type { ChallengeDetail } from '../../../contracts/api.ts';
import { VisibleText } from '../components/visible-text.tsx';
import { RubricFiles } from './rubric-files.tsx';

const route = getRouteApi('/challenges/$slug');

/** The rubric in sentences, made by the server from the executable specification itself; its source on request. */
export function RubricTab({ challenge }: { challenge: ChallengeDetail }) {
  const { source = false } = route.useSearch();
  const navigate = route.useNavigate();
  // A link to a line opens the source it points into.
  const toLine = useRouterState({ select: (state) => state.location.hash.startsWith('file-') });
  const shown = source || toLine;
  return (
    <>
      <div className="rubric-words">
        {challenge.words.map((section) => (
          <section key={section.heading}>
            <h2>
              <VisibleText text={section.heading} />
            </h2>
            <ul>
              {section.sentences.map((sentence) => (
                <li key={sentence}>
                  <VisibleText text={sentence} />
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
      <Button
        variant="default"
        aria-expanded={shown}
        onClick={() => void navigate({ search: shown ? { tab: 'rubric' } : { tab: 'rubric', source: true }, hash: '', resetScroll: false })}
      >
        {shown ? 'Hide source' : 'Show source'}
      </Button>
      {shown && <RubricFiles slug={challenge.slug} />}
    </>
  );
}
