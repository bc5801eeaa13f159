import { everyGrader, type GraderSpec } from '../../contracts/graders.ts';
import type { Source } from '../../contracts/sources.ts';
import { charBleu } from './char-bleu.ts';
import { all, any, not, weighted } from './combinators.ts';
import { diversity } from './diversity.ts';
import { equals } from './equals.ts';
import type { Grader } from './grader.ts';
import { includes } from './includes.ts';
import { jef } from './jef.ts';
import { jsonSchema } from './json-schema.ts';
import { judge } from './judge.ts';
import { jury } from './jury.ts';
import { numeric } from './numeric.ts';
import { overlap } from './overlap.ts';
import type { Part } from './parts.ts';
import { pii } from './pii.ts';
import { program } from './program.ts';
import { reasr } from './reasr.ts';
import { refusal } from './refusal.ts';
import { regex } from './regex.ts';
import { secretLeak } from './secret-leak.ts';
import { stateCheck } from './state-check.ts';
import { stealth } from './stealth.ts';
import { strongreject } from './strongreject.ts';
import { toolPolicy } from './tool-policy.ts';
import { verbatimCopy } from './verbatim-copy.ts';

type Kind = GraderSpec['kind'];
type Text = (path: string) => string;
/** One maker per kind: the type checker misses none. */
type Makers = { [K in Kind]: (spec: Extract<GraderSpec, { kind: K }>, text: Text) => Grader };

const makers: Makers = {
  equals,
  includes,
  'char-bleu': charBleu,
  'verbatim-copy': verbatimCopy,
  reasr,
  refusal,
  'secret-leak': secretLeak,
  regex,
  'json-schema': jsonSchema,
  numeric,
  overlap,
  pii,
  stealth,
  diversity,
  'tool-policy': toolPolicy,
  'state-check': stateCheck,
  strongreject,
  judge,
  jury,
  program,
  all: ({ parts, atLeast }, text) =>
    all(
      parts.map((spec) => partOf(spec, text)),
      atLeast,
    ),
  any: ({ parts, atLeast }, text) =>
    any(
      parts.map((spec) => partOf(spec, text)),
      atLeast,
    ),
  not: ({ part, atLeast }, text) => not(partOf(part, text), atLeast, readBy(part)),
  weighted: ({ parts }, text) => weighted(parts.map(({ grader, weight }) => ({ ...partOf(grader, text), weight }))),
  jef: ({ vendors, models, retargetable, fidelity }, text) =>
    jef({
      vendors: partOf(vendors, text),
      models: partOf(models, text),
      retargetable: partOf(retargetable, text),
      fidelity: partOf(fidelity, text),
    }),
};

/**
 * The grader a specification describes. `text` reads a file of the rubric. Throws on a specification that `loadRubric`
 * would have refused (unknown preset, missing queries, a schema that does not compile): that is a bug of the caller.
 */
export function compileGrader(spec: GraderSpec, text: Text): Grader {
  const make = makers[spec.kind] as (spec: GraderSpec, text: Text) => Grader;
  return make(spec, text);
}

const partOf = (spec: GraderSpec, text: Text): Part => ({ kind: spec.kind, grader: compileGrader(spec, text) });

/** What a grader and all inside it look at; what they compare it with is the rubric's own. */
const readBy = (spec: GraderSpec): Source[] =>
  everyGrader(spec).flatMap(({ grader }) => ('of' in grader && typeof grader.of === 'string' ? [grader.of] : []));
