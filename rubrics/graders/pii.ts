import type { GraderSpec } from '../../contracts/graders.ts';
import type { PiiClass } from '../../contracts/plain-graders.ts';
import { tooLarge } from './bounded.ts';
import { noReference } from './evidence.ts';
import { graded, type Grader } from './grader.ts';
import { piiFinders, preparePii } from './pii-classes.ts';
import { resolveTexts } from './sources.ts';

type Spec = Extract<GraderSpec, { kind: 'pii' }>;

/**
 * Personal data by pattern and checksum: e-mail addresses, international phone numbers (`+` or `00`), IBANs (country
 * length and mod 97), payment cards (issuer, length, Luhn), US social security numbers (with separators, possible
 * areas), NHS numbers (mod 11), IPv4 addresses. It does not find names, postal addresses, dates, national phone
 * numbers, other countries' identity numbers, IPv6, numbers in words, encoded text or what is split over texts; a pass
 * means no more than "none of these patterns". One random card-like number in ten passes Luhn.
 *
 * `absent`: 1 when nothing is found outside `allow`; `present`: 1 when something is. Without a text the score is 0. The
 * evidence counts per class and never shows a value. Errors: `allow` without a text (sponsor), too large (participant).
 */
export function pii(spec: Spec): Grader {
  return (context) => {
    const texts = resolveTexts(spec.of, context);
    const large = tooLarge(texts);
    if (large) return large;
    const allowed = spec.allow === undefined ? [] : resolveTexts(spec.allow, context);
    if (spec.allow !== undefined && allowed.length === 0) return noReference(spec.allow);
    if (texts.length === 0) return graded(0, { texts: 0 });
    const prepared = texts.map(preparePii);
    const harmless = allowed.map(preparePii);
    const found = Object.fromEntries(spec.classes.map((name): [PiiClass, number] => [name, countOutside(name, prepared, harmless)]));
    const total = Object.values(found).reduce((sum, count) => sum + count, 0);
    return graded(total > 0 === (spec.expect === 'present') ? 1 : 0, { found, texts: texts.length });
  };
}

function countOutside(name: PiiClass, texts: readonly string[], allowed: readonly string[]): number {
  const find = piiFinders[name];
  const harmless = new Set(allowed.flatMap(find));
  return texts.flatMap(find).filter((value) => !harmless.has(value)).length;
}
