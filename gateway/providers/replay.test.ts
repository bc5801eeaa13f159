import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../contracts/chat.ts';
import { TargetSpec } from '../../contracts/target.ts';
import { openTest, refOf, worldOf } from '../test-support.ts';
import { replayKey } from './replay.ts';

const never = new AbortController().signal;
const request: ChatRequest = { target: 'then', messages: [{ role: 'user', content: 'Hi' }], temperature: 0 };
const line = (content: string, more: object = {}) => JSON.stringify({ request, reply: { content, ...more }, costMicros: '0' });
const target = TargetSpec.parse({ name: 'now', provider: 'replay', model: 'r.jsonl' });
const world = worldOf({ 'r.jsonl': `${line('first', { returnedModel: 'gpt-2024', fingerprint: 'fp' })}\n\n${line('second')}\n` });

describe('the replay provider', () => {
  it('answers a recorded request, whatever its target and limit are called, with one recording per trial', async () => {
    await using opened = await openTest({ targets: [target], world });
    const reply = async (trial: number) => {
      const result = await opened.session
        .door({ ...refOf('c'), trial }, 'submission')
        .chat({ ...request, target: 'now', maxOutputTokens: 9 }, never);
      return result.ok ? result.reply : null;
    };
    expect(await reply(0)).toMatchObject({ content: 'first', returnedModel: 'gpt-2024', fingerprint: 'fp', requestedModel: 'r.jsonl' });
    expect(await reply(1)).toMatchObject({ content: 'second' });
    expect(await reply(2)).toMatchObject({ content: 'first' });
  });

  it('says that a request was not recorded', async () => {
    await using opened = await openTest({ targets: [target], world });
    const result = await opened.session.door(refOf('c'), 'submission').chat({ ...request, target: 'now', temperature: 1 }, never);
    expect(result).toMatchObject({ ok: false, fault: { kind: 'policy', message: expect.stringContaining('has none for this request') } });
    expect(opened.session.transportFault()).toBeNull();
  });

  it('keys a request by what the model reads', () => {
    expect(replayKey({ ...request, maxOutputTokens: 5, target: 'x' })).toBe(replayKey(request));
    expect(replayKey({ ...request, messages: [{ role: 'user', content: 'hi' }] })).not.toBe(replayKey(request));
  });
});
