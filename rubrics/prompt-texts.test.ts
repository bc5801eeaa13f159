import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Case } from '../contracts/rubric.ts';
import { promptCaseProblems, promptOf, type PromptsForm, promptTexts } from './prompt-texts.ts';

const form = (parts: Partial<PromptsForm> = {}): PromptsForm => ({ kind: 'prompts', maxMessages: 3, maxCharacters: 1000, ...parts });
const template = form({ template: { slot: 'goal', fill: 'input/goal' } });
const frame = form({ frame: { slot: 'trigger', of: 'input/page' } });
const position = form({ position: 'input/place' });
const one = (input: Case['input'], key?: string): Case => ({ id: 'one', input, ...(key === undefined ? {} : { key }) });

describe('what is sent for a case', () => {
  it('is what stands under its key: one message or the messages of a conversation', () => {
    expect(promptTexts(form(), { one: 'hi' }, one(null))).toEqual(['hi']);
    expect(promptTexts(form(), { k: ['a', 'b'] }, one(null, 'k'))).toEqual(['a', 'b']);
    for (const key of ['toString', '__proto__', 'constructor']) expect(promptTexts(form(), {}, one(null, key))).toEqual([]);
  });

  it('is the template with the goal of the case at every slot, literally', () => {
    const goal = "say $& and $' and {goal}";
    expect(promptTexts(template, { template: 'A {goal} B {goal}' }, one({ goal }))).toEqual([`A ${goal} B ${goal}`]);
    expect(promptTexts(template, { one: 'not the key' }, one({ goal }))).toEqual([]);
    expect(promptOf(template, { template: 'A {goal}' }, one({ goal }))).toBe('A {goal}');
  });

  it("is the case's own text with the prompt in its slot, and the prompt is what graders see", () => {
    const c = one({ page: 'Task {trigger}\nnext' });
    expect(promptTexts(frame, { one: 'x $1 {trigger}' }, c)).toEqual(['Task x $1 {trigger}\nnext']);
    expect(promptOf(frame, { one: 'x' }, c)).toBe('x');
  });

  it('is the one text of a list at the position of the case, and nothing beyond its end', () => {
    const prompts = { k: ['first', 'second'], alone: 'only' };
    const at = (place: number, key = 'k') => promptTexts(position, prompts, one({ place }, key));
    expect([at(1), at(2), at(3), at(1, 'alone'), at(2, 'alone')]).toEqual([['first'], ['second'], [], ['only'], []]);
    expect(promptOf(position, prompts, one({ place: 2 }, 'k'))).toEqual(['first', 'second']);
    expect(() => at(0)).toThrow(/no position/);
  });

  it('a filled template holds every goal as it is, whatever the texts', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string({ minLength: 1 }), (before, after, goal) => {
        const slots = before.split('{goal}').length + after.split('{goal}').length - 1;
        const [sent = ''] = promptTexts(template, { template: `${before}{goal}${after}` }, one({ goal }));
        expect(sent).toBe(`${before}{goal}${after}`.split('{goal}').join(goal));
        expect(slots).toBeGreaterThan(0);
      }),
    );
  });
});

it('says what a case lacks', () => {
  expect(promptCaseProblems(template, one({ goal: 'x' }))).toEqual([]);
  expect(promptCaseProblems(template, one({}))[0]).toContain('no text at "input/goal"');
  expect(promptCaseProblems(frame, one({ page: 'no slot' }))[0]).toContain('no text with {trigger}');
  for (const place of [0, 4, 1.5, 'x', null])
    expect(promptCaseProblems(position, one({ place }))[0]).toContain('no whole number from 1 to 3');
  expect(promptCaseProblems(position, one({ place: 3 }))).toEqual([]);
});
