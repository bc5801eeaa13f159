import { type ChatFault, ChatRequest, type ChatResult, type Exchange } from '../contracts/chat.ts';
import type { TargetSpec } from '../contracts/target.ts';
import { Call, type CallTools } from './call.ts';
import { fault, overCallsPerCase } from './policy.ts';
import type { ChatEvent } from './providers/provider.ts';
import type { CaseRef, JudgeCall, JudgeDoor } from './session.ts';
import { isWellFormed } from './well-formed.ts';

/** A door as the wire sees it: its targets, and calls whose events can be watched. */
export interface StreamingDoor {
  readonly targets: readonly TargetSpec[];
  stream(request: ChatRequest, signal: AbortSignal, onEvent: ((event: ChatEvent) => void) | null): Promise<ChatResult>;
}

/** Counters of one case, shared by its doors. */
export interface CaseCounters {
  nextIndex: number;
  submissionCalls: number;
}

export interface DoorTools {
  call: CallTools;
  callsPerCase: number | undefined;
  counters: CaseCounters;
  /** Doors with open calls: those the session has to end. */
  busy: Set<Door>;
  /** The session has ended: no call may begin. */
  over(): boolean;
  listen(door: StreamingDoor, path: string): Promise<AsyncDisposable>;
  record(ref: CaseRef, exchange: Exchange): void;
}

/**
 * Calls that were refused, or given up while they waited for budget, cost no tokens, so a program could make them
 * without end or with megabytes of text; only this many, of this size together, are kept for a case. What reached a
 * provider is bounded by the budget of calls and always recorded, but above these bounds without its text: a thousand
 * conversations too long for the model would be gigabytes of transcript.
 */
const keptRefusals = { count: 100, characters: 1_048_576 };

/** The door of one case. All its calls are attributed to that case, limited by its share, and kept in order. */
export class Door implements JudgeDoor, StreamingDoor {
  readonly ref: CaseRef;
  readonly targets: readonly TargetSpec[];
  readonly askedBy: Exchange['askedBy'];
  readonly #tools: DoorTools;
  readonly #open = new Set<Call>();
  readonly #exchanges: Exchange[] = [];
  readonly #refusals = { count: 0, characters: 0 };
  readonly #keys = new Set<string>();
  #closed = false;

  constructor(ref: CaseRef, askedBy: Exchange['askedBy'], tools: DoorTools) {
    this.ref = ref;
    this.targets = tools.call.targets;
    this.askedBy = askedBy;
    this.#tools = tools;
  }

  /** Calls of this door that have ended, in the order in which they began. */
  exchanges(): readonly Exchange[] {
    return this.#exchanges.toSorted((a, b) => a.index - b.index);
  }

  async chat(request: ChatRequest, signal: AbortSignal, how: JudgeCall = {}): Promise<ChatResult> {
    const parsed = ChatRequest.safeParse(request);
    if (parsed.success) return this.stream(parsed.data, signal, null, how);
    const issue = parsed.error.issues[0];
    return { ok: false, fault: fault('policy', 400, `${issue?.path.join('.') || 'request'}: ${issue?.message}`) };
  }

  /** `request` is already checked. `onEvent` sees the reply grow; null when only the whole of it is wanted. */
  async stream(
    request: ChatRequest,
    signal: AbortSignal,
    onEvent: ((event: ChatEvent) => void) | null,
    { timeoutMs, fresh = false }: JudgeCall = {},
  ): Promise<ChatResult> {
    if (this.#closed || this.#tools.over() || signal.aborted) return { ok: false, fault: fault('aborted', 499, 'This case is over') };
    // Not recorded: a transcript that holds it could not be stored.
    if (!isWellFormed(request)) return { ok: false, fault: fault('policy', 400, 'The request holds half of a surrogate pair') };
    const plan = {
      ref: this.ref,
      askedBy: this.askedBy,
      index: this.#tools.counters.nextIndex++,
      admit: () => this.#admit(),
      onEvent,
      timeoutMs: timeoutMs ?? null,
      fresh,
      onKey: (key: string) => this.#keys.add(key),
      onEnd: (exchange: Exchange, reached: boolean) => this.#keep(exchange, reached),
    };
    const call = new Call(this.#tools.call, plan, request);
    const onAbort = () => call.abort('The caller went away');
    signal.addEventListener('abort', onAbort, { once: true });
    this.#open.add(call);
    this.#tools.busy.add(this);
    try {
      const [result] = await Promise.all([call.result, call.run()]);
      return result;
    } finally {
      this.#open.delete(call);
      if (this.#open.size === 0) this.#tools.busy.delete(this);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async forgetReplies(): Promise<void> {
    if (this.#keys.size > 0) await this.#tools.call.replies?.forget([...this.#keys]);
    this.#keys.clear();
  }

  /** Throws for a judge's door: whatever is on the other side of a socket could search for texts that fool the judge. */
  async listen(path: string): Promise<AsyncDisposable> {
    if (this.askedBy === 'judge') throw new TypeError('judges cannot be reached through a socket');
    return await this.#tools.listen(this, path);
  }

  /** The case is over: ends every open call now, and no other may begin, not even one whose request was half sent. */
  close(why: string): void {
    this.#closed = true;
    this.abortOpen(why);
  }

  /** Ends every open call now. */
  abortOpen(why: string): void {
    for (const call of this.#open) call.abort(why);
  }

  #admit(): ChatFault | null {
    if (this.askedBy !== 'submission') return null;
    const { callsPerCase, counters } = this.#tools;
    if (callsPerCase !== undefined && counters.submissionCalls >= callsPerCase) return overCallsPerCase(callsPerCase);
    counters.submissionCalls++;
    return null;
  }

  #keep(exchange: Exchange, reached: boolean): void {
    const kind = exchange.fault?.kind;
    const costsNoTokens = kind === 'policy' || kind === 'overflow' || kind === 'budget' || (kind === 'aborted' && !reached);
    const fits = !costsNoTokens || this.#fits(exchange);
    if (!fits && !reached) return;
    const kept = fits ? exchange : withoutText(exchange);
    this.#exchanges.push(kept);
    this.#tools.record(this.ref, kept);
  }

  /** Counts a refusal; false when it is one too many or too much. */
  #fits({ request }: Exchange): boolean {
    this.#refusals.count++;
    this.#refusals.characters += JSON.stringify(request).length;
    return this.#refusals.count <= keptRefusals.count && this.#refusals.characters <= keptRefusals.characters;
  }
}

const withoutText = (exchange: Exchange): Exchange => {
  const { target, maxOutputTokens, messages } = exchange.request;
  const content = `(${messages.length} messages that were refused are not kept)`;
  return { ...exchange, request: { target, messages: [{ role: 'user', content }], ...(maxOutputTokens && { maxOutputTokens }) } };
};
