import type { GraderSpec } from '../../contracts/graders.ts';
import { charBleu } from './char-bleu.ts';
import { equals } from './equals.ts';
import type { Grader } from './grader.ts';
import { includes } from './includes.ts';
import { reasr } from './reasr.ts';
import { refusal } from './refusal.ts';
import { secretLeak } from './secret-leak.ts';
import { verbatimCopy } from './verbatim-copy.ts';

/**
 * The grader a specification describes. `text` reads a file of the rubric. Throws on a specification that `loadRubric`
 * would have refused (unknown preset, missing queries): that is a bug of the caller.
 */
export function compileGrader(spec: GraderSpec, text: (path: string) => string): Grader {
  switch (spec.kind) {
    case 'equals':
      return equals(spec);
    case 'includes':
      return includes(spec);
    case 'char-bleu':
      return charBleu(spec);
    case 'verbatim-copy':
      return verbatimCopy(spec);
    case 'reasr':
      return reasr(spec, text);
    case 'refusal':
      return refusal(spec);
    case 'secret-leak':
      return secretLeak(spec);
  }
}
