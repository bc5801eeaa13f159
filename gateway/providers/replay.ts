import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../../contracts/canonical.ts';
import { ChatRequest, StopReason, TokenCount, ToolCall } from '../../contracts/chat.ts';
import { parseBoundedJson } from '../../contracts/json.ts';
import type { TargetSpec } from '../../contracts/target.ts';
import type { SimulatedWorld } from '../session.ts';
import { type ChatEvent, type Provider, type ProviderContext, ProviderFault, type ProviderRequest } from './provider.ts';

/** One line of a replay file. A line of a recorded transcript is one too: what else it holds is not read. */
const Recording = z.object({
  request: ChatRequest,
  reply: z.object({
    content: z.string(),
    toolCalls: z.array(ToolCall).default([]),
    stopReason: StopReason.default('stop'),
    returnedModel: z.string().optional(),
    fingerprint: z.string().nullable().default(null),
    tokens: TokenCount.nullable().default(null),
  }),
});
type Recording = z.infer<typeof Recording>;
type Recordings = ReadonlyMap<string, readonly Recording['reply'][]>;
type Loaded = { ok: true; recordings: Recordings } | { ok: false; problem: string };

const lineBounds = { maxBytes: 4_194_304, maxDepth: 64 };

/**
 * Names a request by what the model reads and how it is asked. The target's name and the output limit are left out:
 * the first differs between rubrics, the second is clamped by the budget that happens to be left.
 */
export function replayKey(request: ChatRequest): string {
  const { target: _target, maxOutputTokens: _limit, ...rest } = request;
  return createHash('sha256').update(canonicalJson(rest)).digest('hex');
}

/** Answers with recorded replies from a file of the rubric; a request that was not recorded is refused and says so. */
export function replayProvider(): Provider {
  const loadedOf = new WeakMap<SimulatedWorld, Map<string, Loaded>>();
  const load = (file: string, world: SimulatedWorld): Loaded => {
    const files = loadedOf.get(world) ?? new Map<string, Loaded>();
    loadedOf.set(world, files);
    const loaded = files.get(file) ?? readRecordings(file, world);
    files.set(file, loaded);
    return loaded;
  };
  return {
    check: (target, world) => {
      const loaded = load(target.model, world);
      return loaded.ok ? null : loaded.problem;
    },
    stream: (request, target, context) => replay(load(target.model, context.world), request, target, context),
  };
}

function readRecordings(file: string, world: SimulatedWorld): Loaded {
  let text: string;
  try {
    text = world.text(file);
  } catch {
    return { ok: false, problem: `the rubric has no file "${file}" with recorded exchanges` };
  }
  const recordings = new Map<string, Recording['reply'][]>();
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const json = parseBoundedJson(Buffer.from(line), lineBounds);
    if (!json.ok) return { ok: false, problem: `${file}, line ${i + 1}: ${json.problem}` };
    const parsed = Recording.safeParse(json.value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return { ok: false, problem: `${file}, line ${i + 1}, ${issue?.path.join('/')}: ${issue?.message}` };
    }
    const key = replayKey(parsed.data.request);
    recordings.set(key, [...(recordings.get(key) ?? []), parsed.data.reply]);
  }
  return { ok: true, recordings };
}

/** A request recorded several times answers trial 0 with the first recording, trial 1 with the second, and so on. */
async function* replay(loaded: Loaded, request: ProviderRequest, target: TargetSpec, context: ProviderContext): AsyncGenerator<ChatEvent> {
  if (!loaded.ok) throw new ProviderFault('transport', loaded.problem, { httpStatus: 502 });
  const key = replayKey(request);
  const replies = loaded.recordings.get(key);
  const reply = replies?.[context.ref.trial % replies.length];
  if (!reply) {
    throw new ProviderFault('policy', `"${target.name}" replays recorded exchanges and has none for this request (key ${key})`, {
      httpStatus: 404,
    });
  }
  if (reply.content !== '') yield { type: 'text', text: reply.content };
  for (const [index, call] of reply.toolCalls.entries()) {
    yield { type: 'tool-start', index, id: call.id, name: call.name };
    if (call.arguments !== '') yield { type: 'tool-arguments', index, text: call.arguments };
  }
  yield {
    type: 'end',
    stopReason: reply.stopReason,
    tokens: reply.tokens,
    returnedModel: reply.returnedModel ?? target.model,
    fingerprint: reply.fingerprint,
  };
}
