import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../contracts/chat.ts';
import { TargetSpec } from '../../contracts/target.ts';
import { inputTokenBound } from '../token-bound.ts';
import { openTest, refOf } from '../test-support.ts';
import { simulatedProvider } from './simulated.ts';

const never = new AbortController().signal;
const target = TargetSpec.parse({ name: 't', provider: 'simulated', model: 'fixed', contextTokens: 256 });
const provider = simulatedProvider({ fixed: () => ({ text: 'äöü END rest' }) });

async function chat(more: Partial<ChatRequest>) {
  await using opened = await openTest({ targets: [target], providers: { simulated: provider } });
  return await opened.session
    .door(refOf('c'), 'submission')
    .chat({ target: 't', messages: [{ role: 'user', content: 'Hi' }], ...more }, never);
}

describe('the simulated provider', () => {
  it('says that it is simulated, counts deterministically and below the bound', async () => {
    const result = await chat({});
    expect(result).toMatchObject({
      ok: true,
      reply: { content: 'äöü END rest', returnedModel: 'simulated/fixed', tokens: { estimated: false } },
    });
    const bound = inputTokenBound({ target: 't', messages: [{ role: 'user', content: 'Hi' }] });
    if (result.ok) expect(result.reply.tokens.inputTokens).toBeLessThanOrEqual(bound);
  });

  it('obeys stop words and the output limit, and cuts no character', async () => {
    expect(await chat({ stop: [' END', 'rest'] })).toMatchObject({ ok: true, reply: { content: 'äöü', stopReason: 'stop' } });
    expect(await chat({ maxOutputTokens: 1 })).toMatchObject({ ok: true, reply: { content: 'äö', stopReason: 'length' } });
  });

  it('gives a conversation that is too long back to its sender', async () => {
    expect(await chat({ messages: [{ role: 'user', content: 'x'.repeat(2000) }] })).toMatchObject({
      ok: false,
      fault: { kind: 'overflow' },
    });
  });

  it('is a platform fault when it fails itself', async () => {
    const broken = simulatedProvider({
      fixed: () => {
        throw new Error('bug');
      },
    });
    await using opened = await openTest({ targets: [target], providers: { simulated: broken } });
    const result = await opened.session
      .door(refOf('c'), 'submission')
      .chat({ target: 't', messages: [{ role: 'user', content: 'Hi' }] }, never);
    expect(result).toMatchObject({ ok: false, fault: { kind: 'transport', httpStatus: 500 } });
    expect(opened.session.transportFault()).toContain('bug');
  });
});
