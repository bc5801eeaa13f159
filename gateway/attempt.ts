import type { StopReason, TokenCount, ToolCall } from '../contracts/chat.ts';
import { type ChatEvent, ProviderFault } from './providers/provider.ts';

export interface AttemptLimits {
  /** Longest silence between two events, the first included. */
  idleMs: number;
  /** Longest time for one whole reply. */
  totalMs: number;
  /** Largest reply, in UTF-16 units over text and arguments of tools. */
  replyCharacters: number;
}

/** A reply as one provider gave it in one try. */
export interface Answer {
  content: string;
  toolCalls: ToolCall[];
  stopReason: StopReason;
  /** Null when the provider did not say. */
  tokens: TokenCount | null;
  returnedModel: string;
  fingerprint: string | null;
}

export type AttemptResult =
  | { ok: true; answer: Answer }
  /** `received`: some of the reply had arrived, so the provider may charge for it. */
  | { ok: false; fault: ProviderFault; received: boolean };

/**
 * Reads one reply to its end. `onEvent` sees every event as it arrives. A provider that is silent, endless or ends
 * early becomes a fault here; an abort of `signal` stops the provider and comes back as a fault that nobody reads.
 */
export async function runAttempt(
  open: (signal: AbortSignal) => AsyncIterable<ChatEvent>,
  onEvent: (event: ChatEvent) => void,
  limits: AttemptLimits,
  signal: AbortSignal,
): Promise<AttemptResult> {
  await using watch = new Watch(limits, signal);
  const reply = new ReplyBuilder(limits.replyCharacters);
  let received = false;
  try {
    const events = watch.iterate(open(watch.signal));
    for await (const event of events) {
      received = true;
      reply.add(event);
      onEvent(event);
    }
    return { ok: true, answer: reply.finish() };
  } catch (error) {
    return { ok: false, fault: faultOf(error), received };
  }
}

/** A provider throws only `ProviderFault`; anything else is a bug of ours, hence the platform's fault. */
const faultOf = (error: unknown): ProviderFault =>
  error instanceof ProviderFault
    ? error
    : new ProviderFault('transport', `Internal error while asking the model: ${String(error).slice(0, 300)}`, { httpStatus: 500 });

/** Given as the reason because an abort without one builds an error with a stack for every call. */
const over = 'the attempt is over';

/** Stops an iteration that is silent or lasts too long, even when the iterator does not heed its signal. */
class Watch implements AsyncDisposable {
  readonly #controller = new AbortController();
  readonly #stopped = Promise.withResolvers<never>();
  readonly #idle: NodeJS.Timeout;
  readonly #total: NodeJS.Timeout;
  readonly #parent: AbortSignal;
  readonly #onAbort = () => this.#stop(new ProviderFault('transport', 'The call was given up', { httpStatus: 499 }));
  #iterator: AsyncIterator<ChatEvent> | undefined;
  /** The provider has said all it had to say. */
  #ended = false;

  constructor(limits: AttemptLimits, parent: AbortSignal) {
    this.#parent = parent;
    this.#stopped.promise.catch(() => {});
    const late = (what: string) => this.#stop(new ProviderFault('transport', `The model ${what}`, { httpStatus: 504, retryable: true }));
    this.#idle = setTimeout(() => late(`was silent for ${limits.idleMs} ms`), limits.idleMs);
    this.#total = setTimeout(() => late(`did not finish within ${limits.totalMs} ms`), limits.totalMs);
    parent.addEventListener('abort', this.#onAbort, { once: true });
    if (parent.aborted) this.#onAbort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  #stop(reason: ProviderFault): void {
    this.#stopped.reject(reason);
    this.#controller.abort(reason);
  }

  async *iterate(events: AsyncIterable<ChatEvent>): AsyncGenerator<ChatEvent> {
    const iterator = events[Symbol.asyncIterator]();
    this.#iterator = iterator;
    for (;;) {
      const next = await Promise.race([iterator.next(), this.#stopped.promise]);
      if (next.done) {
        this.#ended = true;
        return;
      }
      this.#idle.refresh();
      yield next.value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#idle);
    clearTimeout(this.#total);
    this.#parent.removeEventListener('abort', this.#onAbort);
    // An SDK answers an abort with an error of its own, stack included, even where there is nothing left to stop.
    if (this.#ended) return;
    this.#controller.abort(over);
    // Not awaited: an iterator that ignores its signal would hold the call; what it still throws has no reader.
    this.#iterator?.return?.().catch(() => {});
  }
}

class ReplyBuilder {
  readonly #limit: number;
  #size = 0;
  #content = '';
  readonly #tools = new Map<number, ToolCall>();
  #end: Extract<ChatEvent, { type: 'end' }> | null = null;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(event: ChatEvent): void {
    switch (event.type) {
      case 'text':
        this.#grow(event.text);
        this.#content += event.text;
        return;
      case 'tool-start':
        this.#tools.set(event.index, { id: event.id, name: event.name, arguments: '' });
        return;
      case 'tool-arguments': {
        const tool = this.#tools.get(event.index);
        if (!tool) throw brokenReply('arguments of a tool that was not started');
        this.#grow(event.text);
        tool.arguments += event.text;
        return;
      }
      case 'end':
        this.#end = event;
    }
  }

  #grow(text: string): void {
    this.#size += text.length;
    // A caller can make a model repeat itself for as long as it likes: were this the transport's fault, it would be asked
    // again, for nothing, and then again with the whole evaluation.
    if (this.#size > this.#limit)
      throw new ProviderFault('overflow', `The reply is longer than ${this.#limit} characters`, { httpStatus: 400 });
  }

  finish(): Answer {
    if (!this.#end) throw brokenReply('no end');
    const { stopReason, tokens, returnedModel, fingerprint } = this.#end;
    const toolCalls = [...this.#tools.values()].map(({ id, name, arguments: text }) => ({
      id: id.toWellFormed(),
      name: name.toWellFormed(),
      arguments: text.toWellFormed(),
    }));
    // As requests must be: see `isWellFormed`. Halves of a pair that came in two pieces are one again here.
    return {
      content: this.#content.toWellFormed(),
      toolCalls,
      stopReason,
      tokens,
      returnedModel: returnedModel.toWellFormed(),
      fingerprint: fingerprint?.toWellFormed() ?? null,
    };
  }
}

const brokenReply = (what: string): ProviderFault =>
  new ProviderFault('transport', `The model's reply is malformed: ${what}`, { httpStatus: 502, retryable: true });
