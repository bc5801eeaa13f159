/**
 * How many calls of one model may run at a time. Theory of operation:
 *
 * No provider says what its limits are, they differ between accounts, and other machines share them; so the number is
 * found by trying: additive increase, multiplicative decrease, as TCP finds the room of a network (Chiu and Jain 1989,
 * https://doi.org/10.1016/0169-7552(89)90019-6). It grows by one after a whole window of successes, and is halved when
 * the provider says that it is too much (429, 503, 529 or `Retry-After`). Of the calls that ran together many are refused
 * together, for one reason: only the first of them halves it. `Retry-After` holds for every call of the model, since it
 * is the account that is out of allowance, not the call. It is bounded, because a provider that names an hour would keep
 * the leases of whole evaluations: after the bound the few calls that the halved number allows find out.
 *
 * Calls wait in the order in which they came. Time is injected; a timer exists only while somebody waits.
 */
export interface PaceLimits {
  start: number;
  min: number;
  max: number;
  /** Longest pause that `Retry-After` can ask for. */
  longestPauseMs: number;
}

export interface PaceTools extends PaceLimits {
  nowMs(): number;
  /** Calls `wake` once after `ms`, unless cancelled. */
  later(ms: number, wake: () => void): { cancel(): void };
}

/** What a provider's answer says about its limits. */
export type PaceSign = { kind: 'fine' } | { kind: 'unknown' } | { kind: 'too-much'; retryAfterMs: number | undefined };

/** The right to ask once. Whoever has it gives it back, with what the answer said; a second time changes nothing. */
export interface Permit {
  leave(sign: PaceSign): void;
}

interface Waiter {
  admit(permit: Permit): void;
}

export const defaultPace: PaceTools = {
  start: 16,
  min: 1,
  max: 128,
  longestPauseMs: 60_000,
  nowMs: () => performance.now(),
  later: (ms, wake) => {
    const timer = setTimeout(wake, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};

export class Pace {
  readonly #tools: PaceTools;
  /** In the order of their coming. */
  readonly #waiting = new Set<Waiter>();
  #limit: number;
  #open = 0;
  #successes = 0;
  /** How often the limit was halved: a call that began before the last time says nothing about the limit of now. */
  #cuts = 0;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #timer: { cancel(): void } | null = null;

  constructor(tools: PaceTools) {
    this.#tools = tools;
    this.#limit = Math.min(tools.max, Math.max(tools.min, tools.start));
  }

  /** How many calls may run at a time, as far as is known now. */
  get limit(): number {
    return this.#limit;
  }

  /** Resolves when it is this call's turn; null when `signal` aborts first. */
  async enter(signal: AbortSignal): Promise<Permit | null> {
    if (signal.aborted) return null;
    if (this.#waiting.size === 0 && this.#isFree()) return this.#permit();
    const turn = Promise.withResolvers<Permit | null>();
    const waiter: Waiter = { admit: turn.resolve };
    const onAbort = () => {
      if (!this.#waiting.delete(waiter)) return;
      turn.resolve(null);
      this.#arm();
    };
    this.#waiting.add(waiter);
    this.#arm();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await turn.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #isFree(): boolean {
    return this.#open < this.#limit && this.#tools.nowMs() >= this.#pausedUntilMs;
  }

  #permit(): Permit {
    this.#open++;
    const cuts = this.#cuts;
    let left = false;
    return {
      leave: (sign) => {
        if (left) return;
        left = true;
        this.#open--;
        if (sign.kind === 'fine') this.#succeeded();
        if (sign.kind === 'too-much') this.#refused(cuts, sign.retryAfterMs ?? 0);
        this.#admit();
      },
    };
  }

  /** Counts only while somebody waits: a limit that nobody reaches was not tried, and must not grow. */
  #succeeded(): void {
    if (this.#waiting.size === 0 || ++this.#successes < this.#limit) return;
    this.#successes = 0;
    this.#limit = Math.min(this.#tools.max, this.#limit + 1);
  }

  #refused(cutsAtStart: number, retryAfterMs: number): void {
    if (cutsAtStart === this.#cuts) {
      this.#cuts++;
      this.#successes = 0;
      this.#limit = Math.max(this.#tools.min, Math.floor(this.#limit / 2));
    }
    const pauseMs = Math.min(retryAfterMs, this.#tools.longestPauseMs);
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#tools.nowMs() + pauseMs);
  }

  #admit(): void {
    for (const waiter of this.#waiting) {
      if (!this.#isFree()) break;
      this.#waiting.delete(waiter);
      waiter.admit(this.#permit());
    }
    this.#arm();
  }

  /** Keeps one timer to the end of the pause while somebody waits for it, and none otherwise. */
  #arm(): void {
    const waitMs = this.#pausedUntilMs - this.#tools.nowMs();
    if (this.#waiting.size === 0 || waitMs <= 0) {
      this.#timer?.cancel();
      this.#timer = null;
      return;
    }
    this.#timer ??= this.#tools.later(waitMs, () => {
      this.#timer = null;
      this.#admit();
    });
  }
}
