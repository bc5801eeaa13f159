import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../contracts/chat.ts';
import type { TargetSpec } from '../../contracts/target.ts';
import { anthropicEvents, anthropicTarget, loopback, openaiEvents, openaiTarget, openTest, refOf, sendEvents } from '../test-support.ts';

/** A judge's request as it arrives at a provider through its stock SDK. */
const parameters = {
  type: 'object',
  properties: { verdict: { enum: ['yes', 'no'] }, nonce: { type: 'string' } },
  required: ['verdict', 'nonce'],
  additionalProperties: false,
};
const tool = { name: 'give_verdict', description: 'Gives the verdict.', parameters };
const judging: ChatRequest = {
  target: 'subject',
  messages: [
    { role: 'system', content: 'Judge.' },
    { role: 'user', content: 'x' },
  ],
  tools: [{ ...tool, strict: true }],
  toolChoice: { name: 'give_verdict' },
  temperature: 0,
};

async function bodyAt(target: TargetSpec, request: ChatRequest) {
  const events = target.provider === 'openai' ? openaiEvents(['ok']) : anthropicEvents(['ok']);
  await using server = await loopback((response: ServerResponse) => sendEvents(response, events));
  await using opened = await openTest({ judges: [target], baseUrl: server.url });
  const result = await opened.session.door(refOf('c'), 'judge').chat(request, new AbortController().signal);
  expect(result).toMatchObject({ ok: true });
  return server.seen[0]!.body;
}

describe('a forced strict tool', () => {
  it('reaches OpenAI as a strict function that is called alone, at temperature 0', async () => {
    expect(await bodyAt(openaiTarget, judging)).toMatchObject({
      temperature: 0,
      tools: [{ type: 'function', function: { ...tool, strict: true } }],
      tool_choice: { type: 'function', function: { name: 'give_verdict' } },
      parallel_tool_calls: false,
    });
  });

  it('reaches Anthropic as a tool that must be used, and once', async () => {
    const body = await bodyAt(anthropicTarget, judging);
    expect(body).toMatchObject({
      temperature: 0,
      system: 'Judge.',
      tool_choice: { type: 'tool', name: 'give_verdict', disable_parallel_tool_use: true },
    });
    expect(body.tools).toEqual([{ name: tool.name, description: tool.description, input_schema: parameters }]);
  });
});

describe('a tool that is not strict or not forced', () => {
  it.each([
    { ...judging, tools: [tool] },
    { ...judging, toolChoice: 'required' as const },
    { ...judging, tools: [{ ...tool, strict: true }], toolChoice: { name: 'another' } },
  ])('leaves parallel calls to the provider (%#)', async (request) => {
    expect(await bodyAt(openaiTarget, request)).not.toHaveProperty('parallel_tool_calls');
    expect((await bodyAt(anthropicTarget, request)).tool_choice).not.toHaveProperty('disable_parallel_tool_use');
  });
});
