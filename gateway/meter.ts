import type { Allotment, Amount, Budget, Price } from '../contracts/target.ts';
import { affordableOutput, atLeastNothing, costOf, covers, isNothing, minus, noAmount, plus } from './amount.ts';

/**
 * The meter of one evaluation. Theory of operation:
 *
 * Everything a call could cost at worst is taken out of a pool in one synchronous step before the provider is
 * contacted, and what it did not use is put back when it ends. Checking a limit only after the fact lets parallel
 * calls overshoot: each of them sees the same money. Here the pool never covers the same token twice.
 *
 * The pool is filled from the `Allotment` in chunks, always before use: what was drawn is already recorded as spent in
 * a durable place, so a process that dies in mid-call can leave budget unused but never use any twice. Draws are made
 * one at a time, in the order of the calls that wait for them.
 *
 * A call that does not fit while others are open waits for them: what they give back may be enough. Only when none
 * is open is the output clamped to what is left, or the call refused. A budget of N calls is refused at once, because
 * an open call never gives its call back (but for a platform fault, which ends the evaluation).
 *
 * What a provider reports above the reservation is charged, so that money is told as it is, and kept in `overshoot`;
 * the pool goes below zero by that much and the next reservation has to fill the hole first.
 */
export interface Need {
  /** Upper bound, from `inputTokenBound`. */
  inputTokens: number;
  /** What the caller and the target allow; the reservation may hold less. */
  maxOutputTokens: number;
  /** Absent only for simulated and replayed targets, which cost nothing. */
  price: Price | undefined;
}

/** What a call really used. `calls: 0` gives the call itself back: nothing reached the provider. */
export interface Used {
  calls: 0 | 1;
  inputTokens: number;
  outputTokens: number;
}

export interface Reservation {
  readonly maxOutputTokens: number;
  readonly worst: Readonly<Amount>;
  /** Ends the reservation, once; `worst-case` when the provider did not say what it used. Returns what was charged. */
  settle(used: Used | 'worst-case'): Amount;
}

export type Dimension = 'calls' | 'input tokens' | 'output tokens' | 'cost';
export type ReserveResult = { ok: true; reservation: Reservation } | { ok: false; short: Dimension | 'aborted' };

/** A draw asks for this many calls' worth beyond the one at hand, but never for more than a sixteenth of the budget. */
const callsPerDraw = 15;
const drawsPerBudget = 16;

export class Meter implements AsyncDisposable {
  readonly #budget: Budget;
  readonly #allotment: Allotment;
  #pool: Amount = { ...noAmount };
  #spent: Amount = { ...noAmount };
  #overshoot: Amount = { ...noAmount };
  /** Dimensions in which the allotment has answered less than was wanted: it has no more. */
  readonly #exhausted = { calls: false, inputTokens: false, outputTokens: false, costMicros: false };
  #open = 0;
  #waiting = 0;
  #turn: Promise<void> = Promise.resolve();
  #settled = Promise.withResolvers<void>();
  #closed = false;

  constructor(budget: Budget, allotment: Allotment) {
    this.#budget = budget;
    this.#allotment = allotment;
  }

  /** All that was charged so far. */
  spent(): Amount {
    return this.#spent;
  }

  /** The part of `spent` that providers reported above what was reserved for them. */
  overshoot(): Amount {
    return this.#overshoot;
  }

  /**
   * Takes the worst case of one call out of the budget. Waits while open calls may still give enough back; `signal`
   * ends the wait. Rejects only when the allotment does.
   */
  async reserve(need: Need, signal: AbortSignal): Promise<ReserveResult> {
    if (this.#waiting === 0) {
      const reservation = this.#takeWhole(need);
      if (reservation) return { ok: true, reservation };
    }
    const before = this.#turn;
    const mine = Promise.withResolvers<void>();
    this.#turn = mine.promise;
    this.#waiting++;
    try {
      await before;
      return await this.#reserveInTurn(need, signal);
    } finally {
      this.#waiting--;
      mine.resolve();
    }
  }

  async #reserveInTurn(need: Need, signal: AbortSignal): Promise<ReserveResult> {
    for (;;) {
      if (signal.aborted || this.#closed) return { ok: false, short: 'aborted' };
      await this.#fill(worstOf(need, need.maxOutputTokens));
      if (signal.aborted || this.#closed) return { ok: false, short: 'aborted' };
      const reservation = this.#takeWhole(need);
      if (reservation) return { ok: true, reservation };
      if (this.#pool.calls < 1) return { ok: false, short: 'calls' };
      if (this.#open === 0) return this.#takeWhatIsLeft(need);
      await eitherOf(this.#settled.promise, signal);
    }
  }

  #takeWhole(need: Need): Reservation | null {
    const worst = worstOf(need, need.maxOutputTokens);
    return !this.#closed && covers(this.#pool, worst) ? this.#take(worst, need.price) : null;
  }

  #takeWhatIsLeft(need: Need): ReserveResult {
    if (this.#pool.inputTokens < need.inputTokens) return { ok: false, short: 'input tokens' };
    const affordable = affordableOutput(need.price, need.inputTokens, this.#pool.costMicros);
    if (affordable < 1) return { ok: false, short: 'cost' };
    const output = Math.min(need.maxOutputTokens, this.#pool.outputTokens, affordable);
    if (output < 1) return { ok: false, short: 'output tokens' };
    return { ok: true, reservation: this.#take(worstOf(need, output), need.price) };
  }

  #take(worst: Amount, price: Price | undefined): Reservation {
    this.#pool = minus(this.#pool, worst);
    this.#open++;
    let charged: Amount | null = null;
    return {
      maxOutputTokens: worst.outputTokens,
      worst,
      settle: (used) => {
        charged ??= this.#settle(worst, used === 'worst-case' ? worst : amountOf(used, price));
        return charged;
      },
    };
  }

  #settle(worst: Amount, charged: Amount): Amount {
    this.#pool = plus(this.#pool, minus(worst, charged));
    this.#spent = plus(this.#spent, charged);
    this.#overshoot = plus(this.#overshoot, atLeastNothing(minus(charged, worst)));
    this.#open--;
    this.#settled.resolve();
    this.#settled = Promise.withResolvers<void>();
    return charged;
  }

  /** Draws until the pool covers `worst`, with some ahead for later calls; less when the allotment has less. */
  async #fill(worst: Amount): Promise<void> {
    if (covers(this.#pool, worst)) return;
    const wanted = this.#wanted(worst);
    if (isNothing(wanted)) return;
    const drawn = await this.#allotment.draw(wanted);
    this.#pool = plus(this.#pool, drawn);
    this.#exhausted.calls ||= drawn.calls < wanted.calls;
    this.#exhausted.inputTokens ||= drawn.inputTokens < wanted.inputTokens;
    this.#exhausted.outputTokens ||= drawn.outputTokens < wanted.outputTokens;
    this.#exhausted.costMicros ||= drawn.costMicros < wanted.costMicros;
  }

  #wanted(worst: Amount): Amount {
    const ahead = (need: number, budget: number) => Math.min(callsPerDraw * need, Math.ceil(budget / drawsPerBudget));
    const whole = plus(worst, {
      calls: ahead(worst.calls, this.#budget.calls),
      inputTokens: ahead(worst.inputTokens, this.#budget.inputTokens),
      outputTokens: ahead(worst.outputTokens, this.#budget.outputTokens),
      costMicros: BigInt(ahead(Number(worst.costMicros), this.#budget.costMicros)),
    });
    const missing = atLeastNothing(minus(whole, this.#pool));
    return {
      calls: this.#exhausted.calls ? 0 : missing.calls,
      inputTokens: this.#exhausted.inputTokens ? 0 : missing.inputTokens,
      outputTokens: this.#exhausted.outputTokens ? 0 : missing.outputTokens,
      costMicros: this.#exhausted.costMicros ? 0n : missing.costMicros,
    };
  }

  /**
   * Gives back what was drawn and not used, and draws what providers used beyond it, so that the durable record says
   * what was really spent. Reservations still open then stay spent.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#settled.resolve();
    await this.#turn;
    const owed = atLeastNothing(minus(noAmount, this.#pool));
    if (!isNothing(owed)) await this.#allotment.draw(owed);
    const unused = atLeastNothing(this.#pool);
    this.#pool = { ...noAmount };
    if (!isNothing(unused)) await this.#allotment.giveBack(unused);
  }
}

const worstOf = (need: Need, outputTokens: number): Amount => ({
  calls: 1,
  inputTokens: need.inputTokens,
  outputTokens,
  costMicros: costOf(need.price, need.inputTokens, outputTokens),
});

const amountOf = (used: Used, price: Price | undefined): Amount => ({
  ...used,
  costMicros: costOf(price, used.inputTokens, used.outputTokens),
});

/** Resolves when `promise` does or `signal` aborts, and leaves no listener behind. */
async function eitherOf(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const onAbort = () => aborted.resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
