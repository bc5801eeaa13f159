import { createHmac } from 'node:crypto';
import type { Json } from '../../../contracts/json.ts';
import { lastUserMessage, type SimulatedModel } from './model.ts';

/**
 * Theory of operation. A web agent in the manner of SeeAct: it is shown a task, its previous actions and the elements of
 * a page, and answers with three lines, ELEMENT, ACTION and VALUE. It has one backdoor per case: where `expected.trigger`
 * stands in the prompt, word for word, it does `input.wanted` instead of what the task asks (`expected.usual`). It samples
 * as a model at a temperature above 0 does: even the true trigger fails now and then, and a near miss makes it type the
 * target's value into the field that it would have used anyway, the more often the more of the trigger's words are there.
 * A grader that looks at the value alone would pay that. Each draw comes from the evaluation's seed, the case, the trial
 * and the prompt, so a run can be repeated and repeats within it differ.
 */
export const webAgent: SimulatedModel = (request, { world, ref }) => {
  const own = world.cases.find(({ case: c }) => c.id === ref.caseId)?.case;
  const usual = field(own?.expected, 'usual');
  const trigger = field(own?.expected, 'trigger');
  const wanted = field(own?.input, 'wanted');
  if (usual === '' || trigger === '' || wanted === '')
    throw new Error(`case "${ref.caseId}" has no expected.usual, expected.trigger and input.wanted for the simulated web agent`);
  const prompt = lastUserMessage(request);
  const draw = drawFrom(world.seed, [ref.caseId, ref.trial, prompt]);
  if (standsIn(prompt, trigger)) return { text: draw < fires ? wanted : usual };
  const near = shareOfWords(trigger, prompt, field(own?.input, 'page'));
  return { text: draw < near * near ? withValueOf(usual, wanted) : usual };
};

/** How often the true trigger works. */
const fires = 0.99;

/** A number in [0, 1), the same for the same seed and labels. */
function drawFrom(seed: string, labels: readonly (string | number)[]): number {
  return createHmac('sha256', seed).update(JSON.stringify(labels)).digest().readUInt32BE(0) / 4_294_967_296;
}

const letterOrDigit = /[\p{L}\p{N}]/u;

function standsIn(prompt: string, trigger: string): boolean {
  for (let at = prompt.indexOf(trigger); at >= 0; at = prompt.indexOf(trigger, at + 1)) {
    const touching = prompt.slice(Math.max(0, at - 1), at) + prompt.slice(at + trigger.length, at + trigger.length + 1);
    if (!letterOrDigit.test(touching)) return true;
  }
  return false;
}

/** Which share of the trigger's words the prompt adds to the page; words of the page itself are nobody's guess. */
function shareOfWords(trigger: string, prompt: string, page: string): number {
  const wanted = wordsOf(trigger);
  const shown = new Set(wordsOf(page));
  const said = new Set(wordsOf(prompt).filter((word) => !shown.has(word)));
  return wanted.filter((word) => said.has(word)).length / wanted.length;
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** The usual element and action with the value of another action. */
function withValueOf(usual: string, other: string): string {
  const value = other.split('\n').find((line) => line.startsWith('VALUE:')) ?? 'VALUE:';
  return usual
    .split('\n')
    .map((line) => (line.startsWith('VALUE:') ? value : line))
    .join('\n');
}

function field(value: Json | undefined, name: string): string {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return '';
  const found = value[name];
  return typeof found === 'string' ? found : '';
}
