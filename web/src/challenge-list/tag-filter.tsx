import { useState } from 'react';
import type { ChallengeSummary } from '../../../contracts/api.ts';

/** The tags of all challenges seen so far as buttons; the chosen one is pressed and a second press drops it. */
export function TagFilter(props: {
  shown: readonly ChallengeSummary[];
  chosen: string | undefined;
  onChoose: (tag: string | undefined) => void;
}) {
  const { shown, chosen, onChoose } = props;
  const [known, setKnown] = useState<readonly string[]>([]);
  const all = new Set([...known, ...shown.flatMap((challenge) => challenge.tags), ...(chosen ? [chosen] : [])]);
  // Tags stay once seen: choosing one must not take the others away.
  if (all.size > known.length) setKnown([...all].sort());
  return (
    <fieldset className="tag-filter">
      <legend className="visually-hidden">Filter by tag</legend>
      {known.map((tag) => (
        <button
          key={tag}
          type="button"
          className="tag tag-button"
          aria-pressed={tag === chosen}
          onClick={() => onChoose(tag === chosen ? undefined : tag)}
        >
          {tag === chosen && <span aria-hidden="true">✕ </span>}
          {tag}
        </button>
      ))}
    </fieldset>
  );
}
