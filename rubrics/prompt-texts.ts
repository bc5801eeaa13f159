import { slotText, templateKey } from '../contracts/prompt-slots.ts';
import { caseKey, type Case, type SubmissionForm } from '../contracts/rubric.ts';
import { asText, caseText, resolveCaseSource } from './graders/sources.ts';

export type PromptsForm = Extract<SubmissionForm, { kind: 'prompts' }>;
type Prompts = Readonly<Record<string, string | readonly string[]>>;

/** What the submission itself wrote for a case, as graders see it: before any slot is filled. Undefined where it wrote nothing. */
export function promptOf(form: PromptsForm, prompts: Prompts, c: Case): string | string[] | undefined {
  const key = form.template ? templateKey : caseKey(c);
  // Object.hasOwn: a case keyed "toString" must not find an inherited function.
  const given = Object.hasOwn(prompts, key) ? prompts[key] : undefined;
  return typeof given === 'string' || given === undefined ? given : [...given];
}

/** The messages that are sent for a case, in order; empty where the submission wrote none for it. */
export function promptTexts(form: PromptsForm, prompts: Prompts, c: Case): string[] {
  const given = promptOf(form, prompts, c);
  if (given === undefined) return [];
  const texts = chosen(form, typeof given === 'string' ? [given] : given, c);
  if (form.template) return texts.map((text) => filled(text, form.template?.slot ?? '', caseText(form.template?.fill ?? '', c)));
  if (form.frame) return texts.map((text) => filled(caseText(form.frame?.of ?? '', c), form.frame?.slot ?? '', text));
  return texts;
}

/** With a `position` a list is no conversation: every case takes one text of it, counted from 1. */
function chosen(form: PromptsForm, texts: string[], c: Case): string[] {
  if (form.position === undefined) return texts;
  return texts.slice(positionOf(form.position, c) - 1, positionOf(form.position, c));
}

function positionOf(source: string, c: Case): number {
  const position = Number(caseText(source, c));
  if (!Number.isInteger(position) || position < 1) throw new Error(`case "${c.id}" has no position at "${source}"`);
  return position;
}

const filled = (text: string, slot: string, content: string): string => text.replaceAll(slotText(slot), () => content);

/** What is wrong with a case for a form whose prompts are put together with the case's own text; each in words. */
export function promptCaseProblems(form: PromptsForm, c: Case): string[] {
  const textAt = (source: string) => asText(resolveCaseSource(source, c))[0];
  const problems: string[] = [];
  if (form.template && textAt(form.template.fill) === undefined)
    problems.push(`the case has no text at "${form.template.fill}" to put into the template`);
  if (form.frame && !(textAt(form.frame.of) ?? '').includes(slotText(form.frame.slot)))
    problems.push(`the case has no text with ${slotText(form.frame.slot)} at "${form.frame.of}" to put the prompt into`);
  if (form.position !== undefined) {
    const position = Number(textAt(form.position) ?? 'none');
    if (!Number.isInteger(position) || position < 1 || position > form.maxMessages)
      problems.push(`the case has no whole number from 1 to ${form.maxMessages} at "${form.position}"`);
  }
  return problems;
}
