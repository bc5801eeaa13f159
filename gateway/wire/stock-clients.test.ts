import { stat } from 'node:fs/promises';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ChatEvent, ProviderFault } from '../providers/provider.ts';
import { end, failing, Script, scriptedTarget } from '../test-script.ts';
import { echoTarget, forward, type Opened, openTest, refOf, roomy, socketFolder, until } from '../test-support.ts';

let script: Script;
let opened: Opened;
let stack: AsyncDisposableStack;
let openai: OpenAI;
let anthropic: Anthropic;
let socket: string;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  script = new Script();
  const folder = stack.use(await socketFolder());
  opened = stack.use(
    await openTest({ targets: [echoTarget, scriptedTarget], budget: { ...roomy, callsPerCase: 60 }, providers: { openai: script } }),
  );
  socket = folder.path('gw.sock');
  stack.use(await opened.session.door(refOf('case-1'), 'submission').listen(socket));
  const { url } = stack.use(await forward(socket));
  openai = new OpenAI({ apiKey: 'anything', baseURL: `${url}/v1` });
  anthropic = new Anthropic({ apiKey: 'anything', baseURL: url });
});
afterEach(() => stack.disposeAsync());

const ask = (content: string, model = 'echo') => ({ model, messages: [{ role: 'user' as const, content }] });
const tools: ChatEvent[] = [
  { type: 'text', text: 'Looking.' },
  { type: 'tool-start', index: 0, id: 'call_a', name: 'weather' },
  { type: 'tool-arguments', index: 0, text: '{"city":' },
  { type: 'tool-arguments', index: 0, text: '"Riga"}' },
  { type: 'tool-start', index: 1, id: 'call_b', name: 'time' },
  { type: 'tool-arguments', index: 1, text: '{}' },
  end('tool_calls'),
];
const weather = { type: 'object' as const, properties: { city: { type: 'string' } } };

describe('the socket', () => {
  it('can be reached by every user who reaches its directory', async () => {
    expect((await stat(socket)).mode & 0o777).toBe(0o666);
  });
});

describe('a stock OpenAI client', () => {
  it('gets a plain reply', async () => {
    const reply = await openai.chat.completions.create(ask('Hi'));
    expect(reply.choices[0]?.message.content).toBe('case-1: Hi');
    expect(reply.choices[0]?.finish_reason).toBe('stop');
    expect(reply.model).toBe('simulated/echo');
    expect(reply.usage?.total_tokens).toBe(reply.usage!.prompt_tokens + reply.usage!.completion_tokens);
    expect(opened.recorded).toHaveLength(1);
    expect(opened.recorded[0]).toMatchObject({ ref: refOf('case-1'), exchange: { index: 0, simulated: true, askedBy: 'submission' } });
  });

  it('streams text, and usage when asked for', async () => {
    const stream = await openai.chat.completions.create({
      ...ask('word '.repeat(20)),
      stream: true,
      stream_options: { include_usage: true },
    });
    const texts: string[] = [];
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      texts.push(chunk.choices[0]?.delta.content ?? '');
      usage = chunk.usage ?? usage;
    }
    expect(texts.join('')).toBe(`case-1: ${'word '.repeat(20)}`);
    expect(texts.filter((text) => text !== '').length).toBeGreaterThan(1);
    expect(usage).toMatchObject({ prompt_tokens: opened.session.usage().inputTokens });
  });

  it('calls tools, whole and streamed, and sends their results', async () => {
    script.say(...tools);
    const definition = { type: 'function' as const, function: { name: 'weather', description: 'd', parameters: weather } };
    const body = { ...ask('Riga?', 'scripted'), tools: [definition], tool_choice: 'required' as const };
    const whole = await openai.chat.completions.create(body);
    expect(whole.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: 'Looking.' } });
    const streamed = await openai.chat.completions.stream(body).finalChatCompletion();
    for (const reply of [whole, streamed]) {
      const calls = reply.choices[0]?.message.tool_calls;
      expect(calls).toMatchObject([
        { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{"city":"Riga"}' } },
        { id: 'call_b', function: { name: 'time', arguments: '{}' } },
      ]);
    }
    expect(script.last).toMatchObject({ tools: [{ name: 'weather', parameters: weather }], toolChoice: 'required' });
    const message = whole.choices[0]!.message;
    await openai.chat.completions.create({
      ...body,
      messages: [...body.messages, message, { role: 'tool', tool_call_id: 'call_a', content: '3 degrees' }],
    });
    expect(script.last?.messages.slice(1)).toEqual([
      {
        role: 'assistant',
        content: 'Looking.',
        toolCalls: [
          { id: 'call_a', name: 'weather', arguments: '{"city":"Riga"}' },
          { id: 'call_b', name: 'time', arguments: '{}' },
        ],
      },
      { role: 'tool', content: '3 degrees', toolCallId: 'call_a' },
    ]);
  });

  it('gets refusals and filters as replies', async () => {
    script.say({ type: 'text', text: 'I cannot.' }, end('refusal'));
    const refusal = await openai.chat.completions.create(ask('x', 'scripted'));
    expect(refusal.choices[0]?.message).toMatchObject({ refusal: 'I cannot.', content: 'I cannot.' });
    script.say(end('content_filter'));
    expect((await openai.chat.completions.create(ask('x', 'scripted'))).choices[0]?.finish_reason).toBe('content_filter');
    script.say({ type: 'text', text: 'cut' }, end('length'));
    expect((await openai.chat.completions.create(ask('x', 'scripted'))).choices[0]?.finish_reason).toBe('length');
  });

  it('gets each fault as the error it knows, once', async () => {
    const unknown = openai.chat.completions.create(ask('x', 'gpt-5'));
    await expect(unknown).rejects.toThrow(OpenAI.NotFoundError);
    await expect(unknown).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      message: expect.stringContaining('echo, scripted'),
    });
    script.reply = () => failing(new ProviderFault('overflow', 'too long', { httpStatus: 400 }));
    await expect(openai.chat.completions.create(ask('x', 'scripted'))).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    });
    let tries = 0;
    script.reply = () => {
      tries++;
      return failing(new ProviderFault('transport', 'OpenAI answered 429', { httpStatus: 503, retryable: true, retryAfterMs: 2_000 }));
    };
    const failed = await openai.chat.completions.create(ask('x', 'scripted')).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(OpenAI.InternalServerError);
    expect((failed as InstanceType<typeof OpenAI.APIError>).headers?.get('retry-after')).toBe('2');
    expect(tries).toBe(3);
    expect(opened.session.transportFault()).toBe('OpenAI answered 429');
  });

  it('is told in the stream when a reply breaks off', async () => {
    script.reply = async function* () {
      yield { type: 'text', text: 'half' };
      throw new ProviderFault('transport', 'broke', { httpStatus: 502, retryable: true });
    };
    const stream = await openai.chat.completions.create({ ...ask('x', 'scripted'), stream: true });
    const read = async () => {
      for await (const chunk of stream) expect(chunk.choices[0]?.delta.content ?? '').toMatch(/^(half)?$/);
    };
    await expect(read()).rejects.toThrow('broke');
    expect(opened.session.transportFault()).toBe('broke');
    expect(opened.recorded[0]?.exchange.reply).toBeNull();
  });

  it('lists the models of the rubric only', async () => {
    expect((await openai.models.list()).data.map((model) => model.id)).toEqual(['echo', 'scripted']);
    expect((await openai.models.retrieve('echo')).id).toBe('echo');
    await expect(openai.models.retrieve('gpt-5')).rejects.toMatchObject({ status: 404 });
  });

  it('runs 50 streams at once, each with its own reply', async () => {
    const replies = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const stream = await openai.chat.completions.create({ ...ask(`number ${i}`), stream: true });
        let text = '';
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
        return text;
      }),
    );
    expect(replies).toEqual(Array.from({ length: 50 }, (_, i) => `case-1: number ${i}`));
    expect(opened.session.usage().calls).toBe(50);
  });

  it('that leaves in mid-stream ends the call at the provider and is charged for it', async () => {
    let stopped = false;
    script.reply = async function* (_request, signal) {
      yield { type: 'text', text: 'first' };
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      stopped = true;
    };
    const leaving = new AbortController();
    const stream = await openai.chat.completions.create(
      { ...ask('x', 'scripted'), max_tokens: 33, stream: true },
      { signal: leaving.signal },
    );
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content === 'first') leaving.abort();
    }
    await until(() => stopped && opened.recorded.length === 1);
    expect(opened.recorded[0]?.exchange.fault?.kind).toBe('aborted');
    expect(opened.session.usage()).toMatchObject({ calls: 1, outputTokens: 33 });
    expect(opened.session.transportFault()).toBeNull();
    expect((await openai.chat.completions.create(ask('still there'))).choices[0]?.message.content).toContain('still there');
  });
});

describe('a stock Anthropic client', () => {
  const body = (content: string, model = 'echo') => ({ ...ask(content, model), max_tokens: 50 });

  it('gets a plain reply', async () => {
    const reply = await anthropic.messages.create({ ...body('Hi'), system: [{ type: 'text', text: 'Be kind.' }] });
    expect(reply.content).toEqual([{ type: 'text', text: 'case-1: Hi' }]);
    expect(reply.stop_reason).toBe('end_turn');
    expect(reply.usage.input_tokens).toBe(opened.session.usage().inputTokens);
    expect(opened.recorded[0]?.exchange.request.messages[0]).toEqual({ role: 'system', content: 'Be kind.' });
  });

  it('streams text and usage', async () => {
    const stream = anthropic.messages.stream(body('word '.repeat(20)));
    const texts: string[] = [];
    stream.on('text', (text) => texts.push(text));
    const final = await stream.finalMessage();
    expect(texts.length).toBeGreaterThan(1);
    expect(final.content).toEqual([{ type: 'text', text: `case-1: ${'word '.repeat(20)}` }]);
    expect(final.usage).toMatchObject({
      input_tokens: opened.session.usage().inputTokens,
      output_tokens: opened.session.usage().outputTokens,
    });
  });

  it('calls tools, whole and streamed, and sends their results', async () => {
    script.say(...tools);
    const request = {
      ...body('Riga?', 'scripted'),
      tools: [{ name: 'weather', input_schema: weather }],
      tool_choice: { type: 'any' as const },
    };
    const whole = await anthropic.messages.create(request);
    const streamed = await anthropic.messages.stream(request).finalMessage();
    for (const reply of [whole, streamed]) {
      expect(reply.stop_reason).toBe('tool_use');
      expect(reply.content).toMatchObject([
        { type: 'text', text: 'Looking.' },
        { type: 'tool_use', id: 'call_a', name: 'weather', input: { city: 'Riga' } },
        { type: 'tool_use', id: 'call_b', name: 'time', input: {} },
      ]);
    }
    expect(script.last?.toolChoice).toBe('required');
    const results = [{ type: 'tool_result' as const, tool_use_id: 'call_a', content: 'no data', is_error: true }];
    await anthropic.messages.create({
      ...request,
      messages: [
        ...request.messages,
        { role: 'assistant', content: whole.content },
        { role: 'user', content: [...results, { type: 'text', text: 'go on' }] },
      ],
    });
    expect(script.last?.messages.slice(2)).toEqual([
      { role: 'tool', content: 'Error: no data', toolCallId: 'call_a' },
      { role: 'user', content: 'go on' },
    ]);
  });

  it('gets each fault as the error it knows', async () => {
    await expect(anthropic.messages.create(body('x', 'claude'))).rejects.toThrow(Anthropic.NotFoundError);
    await expect(anthropic.messages.countTokens({ ...ask('x') })).rejects.toMatchObject({ status: 404 });
    const tool = { type: 'web_search_20250305' as const, name: 'web_search' as const };
    await expect(anthropic.messages.create({ ...body('x'), tools: [tool] })).rejects.toThrow(Anthropic.BadRequestError);
    script.reply = async function* () {
      yield { type: 'text', text: 'half' };
      throw new ProviderFault('transport', 'broke', { httpStatus: 502, retryable: true });
    };
    await expect(anthropic.messages.stream(body('x', 'scripted')).finalMessage()).rejects.toThrow('broke');
  });

  it('lists the models of the rubric only', async () => {
    expect((await anthropic.models.list()).data.map((model) => model.id)).toEqual(['echo', 'scripted']);
  });

  it('gets a refusal as a stop reason', async () => {
    script.say(end('refusal'));
    expect(await anthropic.messages.create(body('x', 'scripted'))).toMatchObject({ stop_reason: 'refusal', content: [] });
  });
});
