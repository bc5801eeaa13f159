import type { ChatRequest, ChatResult, Exchange } from '../contracts/chat.ts';
import type { ModelDoor } from '../contracts/sandbox.ts';
import type { Amount, TargetSpec, Usage } from '../contracts/target.ts';
import { plus } from './amount.ts';
import type { AttemptLimits } from './attempt.ts';
import { type CaseCounters, Door, type StreamingDoor } from './door.ts';
import { listen } from './listen.ts';
import { Meter } from './meter.ts';
import { fault } from './policy.ts';
import type { Pace } from './pace.ts';
import type { Providers } from './providers/provider.ts';
import type { RetryTools } from './retry.ts';
import type { CaseDoor, CaseRef, GatewaySession, SessionOptions } from './session.ts';

export interface SessionTools {
  providers: Providers;
  retry: RetryTools;
  limits: AttemptLimits;
  /** The pace of a model, shared by all sessions; null for models that have none. */
  paceOf(target: TargetSpec): Pace | null;
}

/** A session that also tells how much providers reported above what they had been granted. */
export interface MeteredSession extends GatewaySession {
  overshoot(): Usage;
  door(ref: CaseRef, askedBy: Exchange['askedBy']): Door;
}

export function openSession(options: SessionOptions, tools: SessionTools): MeteredSession {
  return new Session(options, tools);
}

class Session implements MeteredSession {
  readonly #options: SessionOptions;
  readonly #tools: SessionTools;
  readonly #meter: Meter;
  readonly #judgeMeter: Meter;
  readonly #counters = new Map<string, CaseCounters>();
  readonly #busy = new Set<Door>();
  readonly #listeners = new Set<AsyncDisposable>();
  readonly #onAbort = () => this.#abortAll('The evaluation was stopped');
  #caseTargets: ReadonlyMap<string, string | undefined> | null = null;
  #transportFault: string | null = null;
  #disposed: Promise<void> | null = null;

  constructor(options: SessionOptions, tools: SessionTools) {
    this.#options = options;
    this.#tools = tools;
    this.#meter = new Meter(options.budget, options.allotment);
    this.#judgeMeter = new Meter(options.judging.budget, options.judging.allotment);
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  door(ref: CaseRef, askedBy: Exchange['askedBy']): Door {
    const { world, budget, judges, judging } = this.#options;
    const side =
      askedBy === 'judge'
        ? { targets: judges, meter: this.#judgeMeter, replies: judging.replies }
        : { targets: askedBy === 'grader' ? this.#options.targets : this.#targetsOf(ref), meter: this.#meter, replies: null };
    return new Door(ref, askedBy, {
      call: { ...this.#tools, ...side, world },
      callsPerCase: budget.callsPerCase,
      counters: this.#countersOf(ref),
      busy: this.#busy,
      over: () => this.#disposed !== null || this.#options.signal.aborted,
      listen: (streaming, path) => this.#listen(() => streaming, path),
      record: (of, exchange) => {
        if (exchange.fault?.kind === 'transport' && exchange.askedBy !== 'judge') this.#transportFault ??= exchange.fault.message;
        this.#options.record(of, exchange);
      },
    });
  }

  sandboxDoor(): ModelDoor & { enter(door: CaseDoor | null): void } {
    let current: Door | null = null;
    return {
      enter: (door) => {
        if (door !== null && !(door instanceof Door && door.askedBy === 'submission')) {
          throw new TypeError('a sandbox door enters doors of its own session only, and only those of submissions');
        }
        if (current !== door) current?.close('The case is over');
        current = door;
      },
      chat: async (request: ChatRequest, signal: AbortSignal): Promise<ChatResult> =>
        current ? current.chat(request, signal) : { ok: false, fault: noCase },
      listen: (path) => this.#listen(() => current, path),
    };
  }

  usage(): Usage {
    return usageOf(this.#meter.spent());
  }

  judgeUsage(): Usage {
    return usageOf(this.#judgeMeter.spent());
  }

  overshoot(): Usage {
    return usageOf(plus(this.#meter.overshoot(), this.#judgeMeter.overshoot()));
  }

  transportFault(): string | null {
    return this.#transportFault;
  }

  /**
   * A case that names its target is about that one alone. All targets play in the case's world and hold its secrets: a
   * program that could choose would ask the weakest of them.
   */
  #targetsOf(ref: CaseRef): SessionOptions['targets'] {
    this.#caseTargets ??= new Map(this.#options.world.cases.map(({ split, case: one }) => [`${split}/${one.id}`, one.target]));
    const name = this.#caseTargets.get(`${ref.split}/${ref.caseId}`);
    return name === undefined ? this.#options.targets : this.#options.targets.filter((target) => target.name === name);
  }

  #countersOf(ref: CaseRef): CaseCounters {
    const key = `${ref.split}/${ref.trial}/${ref.caseId}`;
    const counters = this.#counters.get(key) ?? { nextIndex: 0, submissionCalls: 0 };
    this.#counters.set(key, counters);
    return counters;
  }

  async #listen(door: () => StreamingDoor | null, path: string): Promise<AsyncDisposable> {
    const server = await listen({ path, door, targets: this.#options.targets });
    const listener: AsyncDisposable = {
      [Symbol.asyncDispose]: async () => {
        this.#listeners.delete(listener);
        await server[Symbol.asyncDispose]();
      },
    };
    this.#listeners.add(listener);
    if (this.#disposed) await listener[Symbol.asyncDispose]();
    return listener;
  }

  #abortAll(why: string): void {
    for (const door of this.#busy) door.abortOpen(why);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#abortAll('The evaluation is over');
    await Promise.all([...this.#listeners].map((listener) => listener[Symbol.asyncDispose]()));
    // Both purses are settled even when the first of them cannot be.
    const settled = await Promise.allSettled([this.#meter[Symbol.asyncDispose](), this.#judgeMeter[Symbol.asyncDispose]()]);
    for (const one of settled) if (one.status === 'rejected') throw one.reason;
  }
}

const noCase = fault('policy', 409, 'No case is running: models can be asked only while a case runs');

const usageOf = (amount: Amount): Usage => ({ ...amount, costMicros: amount.costMicros.toString() });
