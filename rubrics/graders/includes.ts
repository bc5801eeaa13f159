import type { GraderSpec } from '../../contracts/graders.ts';
import { clip, noReference } from './evidence.ts';
import { graded, type Grader } from './grader.ts';
import { normalise } from './normalise.ts';
import { resolveTexts, sourceHead } from './sources.ts';

type Spec = Extract<GraderSpec, { kind: 'includes' }>;

/**
 * 1 when a text at `of` contains a text at `to`. The cut to `firstCharacters` code points comes before the
 * normalisation, as in LLM-PC's rule `truth.lower() in guess[:100].lower()`. A text that normalises to nothing would
 * be inside every answer and is never found.
 */
export function includes(spec: Spec): Grader {
  const hidden = sourceHead(spec.to) === 'secret';
  return (context) => {
    const wanted = resolveTexts(spec.to, context);
    if (wanted.length === 0) return noReference(spec.to);
    const needles = wanted.map((text) => normalise(text, spec.normalise)).filter((text) => text !== '');
    const given = resolveTexts(spec.of, context);
    const at = given.findIndex((text) => {
      const searched = normalise(firstCharacters(text, spec.firstCharacters), spec.normalise);
      return needles.some((needle) => searched.includes(needle));
    });
    const shown = given[Math.max(at, 0)];
    return graded(at < 0 ? 0 : 1, {
      found: at >= 0,
      ...(at >= 0 ? { position: at } : {}),
      ...(hidden ? {} : { text: shown === undefined ? null : clip(shown) }),
    });
  };
}

/** The first `count` code points; a text this short in UTF-16 units needs no splitting. */
function firstCharacters(text: string, count: number | undefined): string {
  if (count === undefined || text.length <= count) return text;
  return Array.from(text.slice(0, count * 2))
    .slice(0, count)
    .join('');
}
