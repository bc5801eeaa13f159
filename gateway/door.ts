import { type ChatFault, ChatRequest, type ChatResult, type Exchange } from '../contracts/chat.ts';
import type { TargetSpec } from '../contracts/target.ts';
import { Call, type CallTools } from './call.ts';
import { fault, overCallsPerCase } from './policy.ts';
import type { ChatEvent } from './providers/provider.ts';
import type { CaseDoor, CaseRef } from './session.ts';

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
 * Refused calls cost nothing, so a program could make them without end; only this many, of this size together, are
 * kept for a case. Calls that reach a provider are bounded by the budget and all kept.
 */
const keptRefusals = { count: 100, characters: 1_048_576 };

/** The door of one case. All its calls are attributed to that case, limited by its share, and kept in order. */
export class Door implements CaseDoor, StreamingDoor {
  readonly ref: CaseRef;
  readonly targets: readonly TargetSpec[];
  readonly #askedBy: Exchange['askedBy'];
  readonly #tools: DoorTools;
  readonly #open = new Set<Call>();
  readonly #exchanges: Exchange[] = [];
  readonly #refusals = { count: 0, characters: 0 };

  constructor(ref: CaseRef, askedBy: Exchange['askedBy'], tools: DoorTools) {
    this.ref = ref;
    this.targets = tools.call.targets;
    this.#askedBy = askedBy;
    this.#tools = tools;
  }

  /** Calls of this door that have ended, in the order in which they began. */
  exchanges(): readonly Exchange[] {
    return this.#exchanges.toSorted((a, b) => a.index - b.index);
  }

  async chat(request: ChatRequest, signal: AbortSignal): Promise<ChatResult> {
    const parsed = ChatRequest.safeParse(request);
    if (parsed.success) return this.stream(parsed.data, signal, null);
    const issue = parsed.error.issues[0];
    return { ok: false, fault: fault('policy', 400, `${issue?.path.join('.') || 'request'}: ${issue?.message}`) };
  }

  /** `request` is already checked. `onEvent` sees the reply grow; null when only the whole of it is wanted. */
  async stream(request: ChatRequest, signal: AbortSignal, onEvent: ((event: ChatEvent) => void) | null): Promise<ChatResult> {
    if (this.#tools.over() || signal.aborted) return { ok: false, fault: fault('aborted', 499, 'This case is over') };
    const plan = {
      ref: this.ref,
      askedBy: this.#askedBy,
      index: this.#tools.counters.nextIndex++,
      admit: () => this.#admit(),
      onEvent,
      onEnd: (exchange: Exchange) => this.#keep(exchange),
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

  listen(path: string): Promise<AsyncDisposable> {
    return this.#tools.listen(this, path);
  }

  /** Ends every open call now. */
  abortOpen(why: string): void {
    for (const call of this.#open) call.abort(why);
  }

  #admit(): ChatFault | null {
    if (this.#askedBy === 'grader') return null;
    const { callsPerCase, counters } = this.#tools;
    if (callsPerCase !== undefined && counters.submissionCalls >= callsPerCase) return overCallsPerCase(callsPerCase);
    counters.submissionCalls++;
    return null;
  }

  #keep(exchange: Exchange): void {
    const kind = exchange.fault?.kind;
    if (kind === 'policy' || kind === 'budget') {
      this.#refusals.count++;
      for (const message of exchange.request.messages) this.#refusals.characters += message.content.length;
      if (this.#refusals.count > keptRefusals.count || this.#refusals.characters > keptRefusals.characters) return;
    }
    this.#exchanges.push(exchange);
    this.#tools.record(this.ref, exchange);
  }
}
