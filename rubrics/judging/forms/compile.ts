import type { Question } from '../../../contracts/judging.ts';
import { criteria } from './criteria.ts';
import type { QuestionForm } from './form.ts';
import { pairwise } from './pairwise.ts';
import { scale } from './scale.ts';
import { strongrejectForm } from './strongreject.ts';
import { yesNo } from './yes-no.ts';

/** The form of a question. */
export function formOf(question: Question): QuestionForm {
  switch (question.form) {
    case 'yes-no':
      return yesNo(question);
    case 'criteria':
      return criteria(question);
    case 'scale':
      return scale(question);
    case 'pairwise':
      return pairwise(question);
    case 'strongreject':
      return strongrejectForm(question);
  }
}
