import { describe, expect, it } from 'vitest';
import type { ChatFault, ChatRequest, ChatResult } from '../contracts/chat.ts';
import type { CaseDoor } from '../gateway/session.ts';
import { chatReply } from '../test/setup/rubrics.ts';
import { collectAnswers, collectDefence, collectPrompts, collectReport } from './collect.ts';
import type { PlannedCase } from './plan.ts';

const planned = (more: Partial<PlannedCase['case']> = {}): PlannedCase => ({
  case: { id: 'one', input: { prompt: 'Hello?' }, ...more },
  split: 'public',
  trial: 0,
});
const { signal } = new AbortController();

function door(...results: ChatResult[]): CaseDoor & { asked: ChatRequest[] } {
  const asked: ChatRequest[] = [];
  return {
    asked,
    ref: { caseId: 'one', split: 'public', trial: 0 },
    exchanges: () => [],
    listen: () => Promise.reject(new Error('not here')),
    chat: async (request) => {
      asked.push(request);
      return results.shift() ?? chatReply('and so on');
    },
  };
}
const faulty = (kind: ChatFault['kind']): ChatResult => ({ ok: false, fault: { kind, message: `because of ${kind}`, httpStatus: 500 } });

describe('answers', () => {
  it('are found by the key of the case; what is not there is missing, inherited names too', async () => {
    const answers = { one: 'first', 'the key': 'second', nothing: null };
    expect(await collectAnswers(answers)(planned(), door(), signal)).toMatchObject({ end: 'answered', answer: 'first' });
    expect(await collectAnswers(answers)(planned({ key: 'the key' }), door(), signal)).toMatchObject({ end: 'answered', answer: 'second' });
    expect(await collectAnswers(answers)(planned({ key: 'nothing' }), door(), signal)).toMatchObject({ end: 'answered', answer: null });
    for (const key of ['two', 'toString', '__proto__', 'constructor']) {
      expect(await collectAnswers(answers)(planned({ key }), door(), signal)).toMatchObject({ end: 'missing' });
    }
  });
});

describe('prompts', () => {
  it('are sent in order as one conversation, each with the replies before it', async () => {
    const given = door(chatReply('one'), chatReply('two'));
    const collected = await collectPrompts({ one: ['first', 'second'] }, 'parrot')(planned(), given, signal);
    expect(collected).toMatchObject({ end: 'answered', answer: ['first', 'second'] });
    expect(given.asked.map(({ messages }) => messages.map(({ content }) => content))).toEqual([['first'], ['first', 'one', 'second']]);
    expect(given.asked.every(({ target }) => target === 'parrot')).toBe(true);
  });

  it('go to the target of the case when it has one, and are missing when there are none', async () => {
    const given = door();
    await collectPrompts({ one: 'hi' }, 'parrot')(planned({ target: 'other' }), given, signal);
    expect(given.asked[0]?.target).toBe('other');
    expect(await collectPrompts({}, 'parrot')(planned({ key: 'valueOf' }), door(), signal)).toMatchObject({ end: 'missing' });
  });

  it.each([
    ['transport', { end: 'error' }],
    ['aborted', { end: 'error' }],
    ['budget', { end: 'limit', limit: 'budget' }],
    ['overflow', { end: 'fault' }],
    ['policy', { end: 'fault' }],
  ] as const)('after a fault of kind %s nothing more is sent', async (kind, expected) => {
    const given = door(chatReply('one'), faulty(kind));
    const collected = await collectPrompts({ one: ['a', 'b', 'c'] }, 'parrot')(planned(), given, signal);
    expect(collected).toMatchObject({ ...expected, message: `because of ${kind}` });
    expect(given.asked).toHaveLength(2);
  });
});

describe('a defence', () => {
  const message = (one: PlannedCase) => (one.case.input as { prompt: string }).prompt;

  it('stands before the message of the case; an empty one is left out', async () => {
    const given = door();
    await collectDefence('Be careful.', message, 'parrot')(planned(), given, signal);
    await collectDefence('', message, 'parrot')(planned(), given, signal);
    expect(given.asked.map(({ messages }) => messages)).toEqual([
      [
        { role: 'system', content: 'Be careful.' },
        { role: 'user', content: 'Hello?' },
      ],
      [{ role: 'user', content: 'Hello?' }],
    ]);
  });

  it('that is too long for the model is the fault of the case', async () => {
    expect(await collectDefence('x', message, 'parrot')(planned(), door(faulty('overflow')), signal)).toMatchObject({ end: 'fault' });
  });
});

describe('a report', () => {
  it('is the answer to every case, and no target is asked', async () => {
    const asked = door();
    const evidence = [{ title: 'Log', text: 'boom' }];
    const collect = collectReport({ kind: 'report', title: 'It falls over', body: 'Push it.', evidence });
    const expected = { end: 'answered', answer: { title: 'It falls over', body: 'Push it.', evidence }, log: '' };
    expect(await collect(planned(), asked, signal)).toMatchObject(expected);
    expect(await collect(planned({ id: 'two' }), asked, signal)).toMatchObject(expected);
    expect(asked.asked).toEqual([]);
  });
});
