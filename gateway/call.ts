import type { ChatFault, ChatReply, ChatRequest, ChatResult, Exchange, ReplyCache, TokenCount } from '../contracts/chat.ts';
import type { Amount, TargetSpec } from '../contracts/target.ts';
import type { Answer, AttemptLimits } from './attempt.ts';
import { noAmount } from './amount.ts';
import { Deadline } from './deadline.ts';
import type { Meter, Reservation, ReserveResult } from './meter.ts';
import type { Pace } from './pace.ts';
import { fault, overBudget, oversize, targetNamed, unknownTarget } from './policy.ts';
import type { ChatEvent, ProviderFault, Providers } from './providers/provider.ts';
import { keyOfReply } from './reply-cache.ts';
import { type RetryTools, runWithRetries } from './retry.ts';
import type { CaseRef, SimulatedWorld } from './session.ts';
import { inputTokenBound, requestBytes } from './token-bound.ts';

/** What every call of a session shares. */
export interface CallTools {
  providers: Providers;
  targets: readonly TargetSpec[];
  world: SimulatedWorld;
  meter: Meter;
  retry: RetryTools;
  limits: AttemptLimits;
  paceOf(target: TargetSpec): Pace | null;
  /** Null where every call is asked anew. */
  replies: ReplyCache | null;
}

export interface CallPlan {
  ref: CaseRef;
  askedBy: Exchange['askedBy'];
  index: number;
  /** Checked last before the budget: a fault here means the case has used its share. */
  admit(): ChatFault | null;
  /** Sees every event as it arrives; null for a caller who waits for the whole reply. */
  onEvent: ((event: ChatEvent) => void) | null;
  /**
   * Longest time in which providers are busy with this call; null for no other bound than that of an attempt. The whole call,
   * with its waits, pauses and tries, ends after `wholeCallMs` of it.
   */
  timeoutMs: number | null;
  /** Neither looks for a kept reply nor keeps its own. */
  fresh: boolean;
  /** Told under which key the reply is kept, before it is looked up. */
  onKey(key: string): void;
  /** Called once, when the call has ended and is settled. `reached`: a part of the budget was reserved for it. */
  onEnd(exchange: Exchange, reached: boolean): void;
}

/**
 * One call from request to settled, recorded exchange. It ends exactly once: by its reply, by its fault, or, in the
 * same tick as `abort` is called, by the abort. That last one is why ending is a step of its own: when a case is over
 * its transcript is complete, although the provider may take a moment to notice.
 */
export class Call {
  readonly #tools: CallTools;
  readonly #plan: CallPlan;
  readonly #controller = new AbortController();
  readonly #result = Promise.withResolvers<ChatResult>();
  readonly #startedAt = new Date();
  readonly #startMs = performance.now();
  #request: ChatRequest;
  #target: TargetSpec | undefined;
  #reservation: Reservation | null = null;
  #providerBusy = false;
  #ended = false;
  #cached = false;
  #key: string | null = null;

  constructor(tools: CallTools, plan: CallPlan, request: ChatRequest) {
    this.#tools = tools;
    this.#plan = plan;
    this.#request = request;
  }

  get result(): Promise<ChatResult> {
    return this.#result.promise;
  }

  /** Ends the call now. A provider that was busy with it is charged for in full: nobody will say what it used. */
  abort(why: string): void {
    if (this.#ended) return;
    this.#end({ ok: false, fault: fault('aborted', 499, why) }, this.#providerBusy ? 'worst-case' : 'nothing');
    this.#controller.abort();
  }

  async run(): Promise<void> {
    const { timeoutMs } = this.#plan;
    const wholeMs = timeoutMs === null ? null : wholeCallMs(timeoutMs);
    using whole = new Deadline(wholeMs, () => this.#expireWaiting(wholeMs!));
    whole.run();
    await this.#run();
  }

  async #run(): Promise<void> {
    const refused = this.#refuse() ?? (await this.#lookUp());
    if (refused) return this.#end({ ok: false, fault: refused }, 'nothing');
    if (this.#ended) return;
    const short = await this.#reserve();
    if (short) this.#end({ ok: false, fault: short }, 'nothing');
    else if (!this.#ended) await this.#ask();
  }

  /** Ends the call with the reply that is kept for it. A cache that cannot be read is the platform's fault, not a miss to be paid. */
  async #lookUp(): Promise<ChatFault | null> {
    const { replies, providers } = this.#tools;
    const target = this.#target!;
    const address = providers[target.provider].address;
    if (replies === null || address === undefined || this.#plan.fresh) return null;
    this.#key = keyOfReply(this.#request, target, address);
    this.#plan.onKey(this.#key);
    let kept: ChatReply | null;
    try {
      kept = await replies.get(this.#key);
    } catch (error) {
      return fault('transport', 503, `The kept replies could not be read: ${String(error).slice(0, 300)}`);
    }
    if (kept === null || this.#ended) return null;
    this.#cached = true;
    this.#end({ ok: true, reply: { ...kept, id: `call-${this.#plan.index}`, requestedModel: target.model } }, 'nothing');
    return null;
  }

  #refuse(): ChatFault | null {
    const tooLarge = oversize(this.#request, requestBytes(this.#request));
    if (tooLarge) return tooLarge;
    this.#target = targetNamed(this.#tools.targets, this.#request.target);
    if (!this.#target) return unknownTarget(this.#request.target, this.#tools.targets);
    return this.#plan.admit();
  }

  async #reserve(): Promise<ChatFault | null> {
    const target = this.#target!;
    const maxOutputTokens = outputLimit(this.#request, target);
    const need = { inputTokens: inputTokenBound(this.#request), maxOutputTokens, price: priceOf(target) };
    let reserved: ReserveResult;
    try {
      reserved = await this.#tools.meter.reserve(need, this.#controller.signal);
    } catch (error) {
      return fault('transport', 503, `The budget could not be drawn: ${String(error).slice(0, 300)}`);
    }
    if (!reserved.ok) {
      if (reserved.short === 'aborted') return fault('aborted', 499, 'The evaluation is over');
      return overBudget(reserved.short, this.#plan.askedBy === 'judge' ? 'judging' : 'budget');
    }
    if (this.#ended) {
      reserved.reservation.settle({ calls: 0, inputTokens: 0, outputTokens: 0 });
      return null;
    }
    // A reply to a shorter limit than was asked for is not the reply to this request.
    if (reserved.reservation.maxOutputTokens < maxOutputTokens) this.#key = null;
    this.#reservation = reserved.reservation;
    this.#request = { ...this.#request, maxOutputTokens: reserved.reservation.maxOutputTokens };
    return null;
  }

  async #ask(): Promise<void> {
    const target = this.#target!;
    const request = { ...this.#request, maxOutputTokens: this.#reservation!.maxOutputTokens };
    const context = { ref: this.#plan.ref, world: this.#tools.world };
    const provider = this.#tools.providers[target.provider];
    const { onEvent, timeoutMs } = this.#plan;
    using deadline = new Deadline(timeoutMs, () => this.#expire(timeoutMs!));
    const onTry = (busy: boolean) => {
      this.#providerBusy = busy;
      if (busy) deadline.run();
      else deadline.pause();
    };
    const outcome = await runWithRetries(
      (signal) => provider.stream(request, target, context, signal),
      onEvent && ((event) => this.#ended || onEvent(event)),
      { ...this.#tools.retry, limits: this.#tools.limits, pace: this.#tools.paceOf(target), onTry },
      this.#controller.signal,
    );
    deadline.pause();
    if (outcome.ok) await this.#reply(outcome.answer, target);
    else this.#fail(outcome.fault, outcome.received);
  }

  /** The provider is still busy, and will not say what it used. */
  #expire(timeoutMs: number): void {
    const message = `"${this.#request.target}" did not finish its answer within ${timeoutMs} ms`;
    this.#end({ ok: false, fault: fault('transport', 504, message) }, 'worst-case');
    this.#controller.abort();
  }

  /** A provider that asks for an hour of patience, or a queue that does not move, must not hold a case for that long. */
  #expireWaiting(wholeMs: number): void {
    const message = `"${this.#request.target}" gave no answer within ${wholeMs} ms, waits for its turn included`;
    this.#end({ ok: false, fault: fault('transport', 504, message) }, this.#providerBusy ? 'worst-case' : 'nothing');
    this.#controller.abort();
  }

  async #reply(answer: Answer, target: TargetSpec): Promise<void> {
    const { worst } = this.#reservation!;
    const tokens: TokenCount = answer.tokens ?? { inputTokens: worst.inputTokens, outputTokens: worst.outputTokens, estimated: true };
    const { content, toolCalls, stopReason, returnedModel, fingerprint } = answer;
    const id = `call-${this.#plan.index}`;
    const reply = { id, content, toolCalls, stopReason, requestedModel: target.model, returnedModel, fingerprint, tokens };
    const used = answer.tokens ? tokens : 'worst-case';
    const lost = this.#ended ? null : await this.#keep(reply);
    this.#end(lost === null ? { ok: true, reply } : { ok: false, fault: lost }, used);
  }

  /** A reply that cannot be kept would be paid for again by the next attempt, without anybody noticing: that is said at once. */
  async #keep(reply: ChatReply): Promise<ChatFault | null> {
    if (this.#key === null) return null;
    try {
      await this.#tools.replies?.put(this.#key, reply);
      return null;
    } catch (error) {
      return fault('transport', 503, `The reply could not be kept: ${String(error).slice(0, 300)}`);
    }
  }

  /**
   * A request the provider refused counts as a call without tokens; else bad requests would be free probes. Where a part
   * of a reply had come, the provider charges for it and will not say how much.
   */
  #fail(cause: ProviderFault, received: boolean): void {
    const settled = received ? 'worst-case' : cause.kind === 'transport' ? 'nothing' : { inputTokens: 0, outputTokens: 0 };
    this.#end({ ok: false, fault: fault(cause.kind, cause.httpStatus, cause.message, cause.retryAfterMs) }, settled);
  }

  #end(result: ChatResult, used: Pick<TokenCount, 'inputTokens' | 'outputTokens'> | 'worst-case' | 'nothing'): void {
    if (this.#ended) return;
    this.#ended = true;
    const charged = this.#settle(used);
    try {
      this.#plan.onEnd(this.#exchange(result, charged), this.#reservation !== null);
      this.#result.resolve(result);
    } catch (error) {
      // A recorder that throws is a bug; its error belongs to whoever waits for this call.
      this.#result.reject(error);
    }
  }

  #settle(used: Pick<TokenCount, 'inputTokens' | 'outputTokens'> | 'worst-case' | 'nothing'): Amount {
    if (!this.#reservation) return noAmount;
    if (used === 'worst-case') return this.#reservation.settle('worst-case');
    if (used === 'nothing') return this.#reservation.settle({ calls: 0, inputTokens: 0, outputTokens: 0 });
    return this.#reservation.settle({ calls: 1, inputTokens: used.inputTokens, outputTokens: used.outputTokens });
  }

  #exchange(result: ChatResult, charged: Amount): Exchange {
    const reply: ChatReply | null = result.ok ? result.reply : null;
    return {
      index: this.#plan.index,
      target: this.#request.target,
      simulated: this.#target?.provider === 'simulated',
      askedBy: this.#plan.askedBy,
      request: this.#request,
      reply,
      fault: result.ok ? null : result.fault,
      ...(this.#cached && { cached: true }),
      charged: { ...charged, costMicros: charged.costMicros.toString() },
      startedAt: this.#startedAt.toISOString(),
      durationMs: performance.now() - this.#startMs,
    };
  }
}

/** Room for queueing and retries; the floor leaves a turn to judges of a few milliseconds. */
export const wholeCallMs = (timeoutMs: number): number => Math.max(1_000, 3 * timeoutMs);

/** Simulated and replayed targets cost nothing, whatever price stands beside them. */
const priceOf = (target: TargetSpec) => (target.provider === 'simulated' || target.provider === 'replay' ? undefined : target.price);

/** The most that the caller and the target allow; the budget may hold less. */
const outputLimit = (request: ChatRequest, target: TargetSpec): number =>
  Math.min(request.maxOutputTokens ?? target.maxOutputTokens, target.maxOutputTokens);
