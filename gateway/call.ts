import type { ChatFault, ChatReply, ChatRequest, ChatResult, Exchange, TokenCount } from '../contracts/chat.ts';
import type { Amount, TargetSpec } from '../contracts/target.ts';
import type { Answer, AttemptLimits } from './attempt.ts';
import { noAmount } from './amount.ts';
import type { Meter, Reservation, ReserveResult } from './meter.ts';
import { fault, overBudget, oversize, targetNamed, unknownTarget } from './policy.ts';
import type { ChatEvent, ProviderFault, Providers } from './providers/provider.ts';
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
}

export interface CallPlan {
  ref: CaseRef;
  askedBy: Exchange['askedBy'];
  index: number;
  /** Checked last before the budget: a fault here means the case has used its share. */
  admit(): ChatFault | null;
  /** Sees every event as it arrives; null for a caller who waits for the whole reply. */
  onEvent: ((event: ChatEvent) => void) | null;
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
    const refused = this.#refuse() ?? (await this.#reserve());
    if (refused) this.#end({ ok: false, fault: refused }, 'nothing');
    else if (!this.#ended) await this.#ask();
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
    const maxOutputTokens = Math.min(this.#request.maxOutputTokens ?? target.maxOutputTokens, target.maxOutputTokens);
    const need = { inputTokens: inputTokenBound(this.#request), maxOutputTokens, price: priceOf(target) };
    let reserved: ReserveResult;
    try {
      reserved = await this.#tools.meter.reserve(need, this.#controller.signal);
    } catch (error) {
      return fault('transport', 503, `The budget could not be drawn: ${String(error).slice(0, 300)}`);
    }
    if (!reserved.ok) return reserved.short === 'aborted' ? fault('aborted', 499, 'The evaluation is over') : overBudget(reserved.short);
    if (this.#ended) {
      reserved.reservation.settle({ calls: 0, inputTokens: 0, outputTokens: 0 });
      return null;
    }
    this.#reservation = reserved.reservation;
    this.#request = { ...this.#request, maxOutputTokens: reserved.reservation.maxOutputTokens };
    return null;
  }

  async #ask(): Promise<void> {
    const target = this.#target!;
    const request = { ...this.#request, maxOutputTokens: this.#reservation!.maxOutputTokens };
    const context = { ref: this.#plan.ref, world: this.#tools.world };
    const provider = this.#tools.providers[target.provider];
    const onEvent = this.#plan.onEvent;
    const outcome = await runWithRetries(
      (signal) => provider.stream(request, target, context, signal),
      onEvent && ((event) => this.#ended || onEvent(event)),
      { ...this.#tools.retry, limits: this.#tools.limits, onTry: (busy) => (this.#providerBusy = busy) },
      this.#controller.signal,
    );
    if (outcome.ok) this.#reply(outcome.answer, target);
    else this.#fail(outcome.fault, outcome.received);
  }

  #reply(answer: Answer, target: TargetSpec): void {
    const { worst } = this.#reservation!;
    const tokens: TokenCount = answer.tokens ?? { inputTokens: worst.inputTokens, outputTokens: worst.outputTokens, estimated: true };
    const { content, toolCalls, stopReason, returnedModel, fingerprint } = answer;
    const id = `call-${this.#plan.index}`;
    const reply = { id, content, toolCalls, stopReason, requestedModel: target.model, returnedModel, fingerprint, tokens };
    this.#end({ ok: true, reply }, answer.tokens ? tokens : 'worst-case');
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
      charged: { ...charged, costMicros: charged.costMicros.toString() },
      startedAt: this.#startedAt.toISOString(),
      durationMs: performance.now() - this.#startMs,
    };
  }
}

/** Simulated and replayed targets cost nothing, whatever price stands beside them. */
const priceOf = (target: TargetSpec) => (target.provider === 'simulated' || target.provider === 'replay' ? undefined : target.price);
