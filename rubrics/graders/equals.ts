import { canonicalJson } from '../../contracts/canonical.ts';
import type { GraderSpec } from '../../contracts/graders.ts';
import type { Json } from '../../contracts/json.ts';
import type { Normalisation } from '../../contracts/sources.ts';
import { clip, noReference } from './evidence.ts';
import { graded, type Grader } from './grader.ts';
import { normalise } from './normalise.ts';
import { sameJson } from './same-json.ts';
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
    const accepted = Array.isArray(wanted) && !Array.isArray(given) ? wanted : [wanted];
    const matched = accepted.some((value) => isEqual(value, given, spec.normalise));
    return graded(matched ? 1 : 0, hidden ? { matched } : { matched, answer: clip(asText(given)[0] ?? canonicalJson(wellFormed(given))) });
  };
}

/** Scalars compare as text (1975 is "1975"); lists and objects as JSON with normalised texts, the order of members aside. */
function isEqual(a: Json, b: Json, names: readonly Normalisation[]): boolean {
  const [x, y] = [asText(a)[0], asText(b)[0]];
  if (x !== undefined && y !== undefined) return normalise(x, names) === normalise(y, names);
  return x === y && sameJson(normalised(a, names), normalised(b, names));
}

function normalised(value: Json, names: readonly Normalisation[]): Json {
  return mapTexts(
    value,
    (text) => normalise(text, names),
    (key) => key,
  );
}

/** A reply may hold half of a surrogate pair, for which there is no canonical JSON. */
function wellFormed(value: Json): Json {
  const whole = (text: string) => text.toWellFormed();
  return mapTexts(value, whole, whole);
}

function mapTexts(value: Json, ofText: (text: string) => string, ofKey: (key: string) => string): Json {
  if (typeof value === 'string') return ofText(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, ofText, ofKey));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [ofKey(key), mapTexts(item, ofText, ofKey)]));
}
