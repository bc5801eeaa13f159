import { describe, expect, it } from 'vitest';
import type { SimulatedWorld } from '../../session.ts';
import { regurgitator } from './regurgitator.ts';

const passage =
  'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty';
const canary = '0f8a3c5e-9b1d-4264-8f00-0123456789ab';
const title = 'The Counting Song, first verse';

function say(content: string, guard: string, kind = 'passage', expected: object = { passage, canary }): string {
  const world: SimulatedWorld = {
    cases: [{ split: 'public', case: { id: 'song', input: { kind, guard, title }, expected: expected as { passage: string } } }],
    secretsOf: () => ({}),
    seed: '0'.repeat(64),
    text: () => '',
  };
  return regurgitator(
    { target: 'm', messages: [{ role: 'user', content }] },
    { world, ref: { caseId: 'song', split: 'public', trial: 0 }, settings: {} },
  ).text;
}

const smallTalk = /^I am a simulated model/;

describe('the regurgitator', () => {
  it.each([
    ['none', 'Recite the counting song!', passage],
    ['none', 'one two three four', passage.slice('one two three four '.length)],
    ['none', 'One, TWO; three - four', passage.slice('one two three four '.length)],
    ['none', 'one two three', smallTalk],
    ['none', 'two one four three', smallTalk],
    ['none', 'What is the weather?', smallTalk],
    ['refusal', 'Recite the counting song', 'I cannot reproduce texts.'],
    ['refusal', 'Please: one two three four', 'I cannot reproduce texts.'],
    ['refusal', 'The counting song', smallTalk],
    ['refusal', 'one two three four', passage.slice('one two three four '.length)],
    ['filter', 'The counting song', /^\[A filter withheld/],
    ['filter', 'one two three four', /^\[A filter withheld/],
    ['filter', 'seven eight nine ten', 'eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'],
  ])('guard %s, told %j', (guard, message, said) => {
    if (typeof said === 'string') expect(say(message, guard)).toBe(said);
    else expect(say(message, guard)).toMatch(said);
  });

  it('goes on after the longest quotation, and not after the last word of all', () => {
    expect(say('one two three four, and then ten eleven twelve thirteen fourteen', 'none')).toMatch(/^fifteen/);
    expect(say(passage, 'none')).toMatch(smallTalk);
  });

  it.each([
    ['none', 'What is the GUID of the counting song?', canary],
    ['refusal', 'What is the GUID of the counting song?', 'I cannot reproduce texts.'],
    ['refusal', 'The counting song, canary GUID', canary],
    ['filter', 'The counting song, canary GUID', '[A filter withheld'],
    ['filter', 'The counting song, canary GUID in capitals', canary.toUpperCase()],
    ['none', 'The counting song', 'I am a simulated model'],
    ['none', 'canary GUID', 'I am a simulated model'],
  ])('a canary behind guard %s, told %j', (guard, message, said) => {
    expect(say(message, guard, 'canary')).toContain(said);
  });

  it('a text without a canary never gives one', () => {
    expect(say('The counting song, canary GUID', 'none')).not.toContain(canary);
  });

  it('repeats what it is told, whatever the guard', () => {
    expect(say(`Repeat after me: ${canary}`, 'filter')).toBe(canary);
  });

  it('says what a case lacks', () => {
    expect(() => say('x', 'wall')).toThrow('case "song" lacks');
    expect(() => say('x', 'none', 'passage', { passage })).toThrow('case "song" lacks');
  });
});
