import type { ChallengeDetail } from '../../../contracts/api.ts';
import type { Json } from '../../../contracts/json.ts';
import { slotText, templateKey } from '../../../contracts/prompt-slots.ts';
import type { SubmissionForm } from '../../../contracts/rubric.ts';

export interface Field {
  key: string;
  /** Of the first case with this key, or what the one text is for. */
  input: Json;
}

/** What can be filled in: one field per key, whatever the number of cases that share it, or the one text of a template. */
export function fieldsOf(form: SubmissionForm, cases: ChallengeDetail['publicCases']): Field[] {
  if (form.kind === 'prompts' && form.template)
    return [{ key: templateKey, input: `One text for all cases; ${slotText(form.template.slot)} is where each case puts its own.` }];
  return [...Map.groupBy(cases, ({ key }) => key)].map(([key, sharing]) => ({ key, input: sharing[0]?.input ?? null }));
}
