import { canonicalJson } from '../../contracts/canonical.ts';
import type { GraderSpec, Normalisation } from '../../contracts/graders.ts';
import type { Json } from '../../contracts/json.ts';
import { clip, noReference } from './evidence.ts';
import { graded, type Grader } from './grader.ts';
import { normalise } from './normalise.ts';
import { asText, resolveSource, sourceHead } from './sources.ts';

type Spec = Extract<GraderSpec, { kind: 'equals' }>;

/**
 * 1 when the whole value at `of` equals the value at `to`, or one entry of it when `to` is a list of accepted values.
 * A list at `of` is never searched: else a submission could guess many times in one answer.
 */
export function equals(spec: Spec): Grader {
  const hidden = sourceHead(spec.of) === 'secret' || sourceHead(spec.to) === 'secret';
  return (context) => {
    const wanted = resolveSource(spec.to, context);
    if (wanted === undefined) return noReference(spec.to);
    const given = resolveSource(spec.of, context);
    if (given === undefined) return graded(0, { matched: false, answer: null });
    const form = comparable(given, spec.normalise);
    const accepted = Array.isArray(wanted) && !Array.isArray(given) ? wanted : [wanted];
    const matched = accepted.some((value) => comparable(value, spec.normalise) === form);
    return graded(matched ? 1 : 0, hidden ? { matched } : { matched, answer: clip(asText(given)[0] ?? canonicalJson(given)) });
  };
}

/** Scalars compare as text (1975 is "1975"); lists and objects as canonical JSON of their normalised texts. */
function comparable(value: Json, names: readonly Normalisation[]): string {
  const text = asText(value)[0];
  return text === undefined ? `json ${canonicalJson(normalised(value, names))}` : `text ${normalise(text, names)}`;
}

function normalised(value: Json, names: readonly Normalisation[]): Json {
  if (typeof value === 'string') return normalise(value, names);
  if (Array.isArray(value)) return value.map((item) => normalised(item, names));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, normalised(item, names)]));
}
