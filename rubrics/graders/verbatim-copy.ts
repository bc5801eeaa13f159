import type { GraderSpec } from '../../contracts/graders.ts';
import { clip, noReference } from './evidence.ts';
import { graded, type Grader } from './grader.ts';
import { resolveTexts } from './sources.ts';

type Spec = Extract<GraderSpec, { kind: 'verbatim-copy' }>;

/**
 * 0 when a guess at `of` contains the text at `to`, else 1. The white space around the text does not count: targets
 * that end in a line break would otherwise be copied without it.
 */
export function verbatimCopy(spec: Spec): Grader {
  return (context) => {
    const targets = resolveTexts(spec.to, context).map((text) => text.trim());
    if (targets.length === 0) return noReference(spec.to);
    const copy = resolveTexts(spec.of, context).find((guess) => targets.some((target) => target !== '' && guess.includes(target)));
    return copy === undefined ? graded(1, { copied: false }) : graded(0, { copied: true, guess: clip(copy) });
  };
}
