import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Allotment, Amount, Budget } from '../contracts/target.ts';
import { wholeBudget } from './allotment.ts';
import { costOf, covers, minus, noAmount, plus } from './amount.ts';
import { Meter, type Reservation } from './meter.ts';

const price = { inputMicrosPerMillion: 3_000_000, outputMicrosPerMillion: 15_000_000 };
const budget: Budget = { calls: 100, inputTokens: 10_000, outputTokens: 10_000, costMicros: 200_000 };
const never = new AbortController().signal;
const whole = (b: Budget): Amount => ({ ...b, costMicros: BigInt(b.costMicros) });

/** Keeps the books as a durable allotment would. */
function watched(of: Budget): Allotment & { drawn: Amount; draws: number } {
  const inner = wholeBudget(of);
  const books = {
    drawn: { ...noAmount },
    draws: 0,
    draw: async (wanted: Amount) => {
      books.draws++;
      const got = await inner.draw(wanted);
      books.drawn = plus(books.drawn, got);
      return got;
    },
    giveBack: async (unused: Amount) => {
      books.drawn = minus(books.drawn, unused);
      await inner.giveBack(unused);
    },
  };
  return books;
}

async function reserved(meter: Meter, inputTokens: number, maxOutputTokens: number): Promise<Reservation> {
  const result = await meter.reserve({ inputTokens, maxOutputTokens, price }, never);
  if (!result.ok) throw new Error(`refused: ${result.short}`);
  return result.reservation;
}

describe('Meter', () => {
  it('lets 50 parallel calls at the edge of a budget through exactly as often as it pays for', async () => {
    const edge: Budget = { calls: 1000, inputTokens: 1_000_000, outputTokens: 17 * 40, costMicros: 1_000_000_000 };
    const allotment = watched(edge);
    await using meter = new Meter(edge, allotment);
    let passed = 0;
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const result = await meter.reserve({ inputTokens: 10, maxOutputTokens: 40, price }, never);
        if (!result.ok) return;
        passed++;
        await new Promise<void>((resolve) => setImmediate(resolve));
        result.reservation.settle('worst-case');
      }),
    );
    expect(passed).toBe(17);
    expect(meter.spent().outputTokens).toBe(680);
  });

  it('never charges more than the budget, and never uses what was not drawn before, in any interleaving', async () => {
    const call = fc.record({
      input: fc.integer({ min: 0, max: 800 }),
      output: fc.integer({ min: 1, max: 800 }),
      usedInput: fc.double({ min: 0, max: 1, noNaN: true }),
      usedOutput: fc.double({ min: 0, max: 1, noNaN: true }),
      end: fc.constantFrom('used', 'worst-case', 'nothing'),
    });
    const small = fc.record({
      calls: fc.integer({ min: 0, max: 20 }),
      inputTokens: fc.integer({ min: 0, max: 4_000 }),
      outputTokens: fc.integer({ min: 0, max: 4_000 }),
      costMicros: fc.integer({ min: 0, max: 40_000 }),
    });
    const property = fc.asyncProperty(small, fc.array(call, { maxLength: 30 }), fc.scheduler(), async (of, calls, scheduler) => {
      const allotment = watched(of);
      const meter = new Meter(of, { draw: (w) => scheduler.schedule(allotment.draw(w)), giveBack: allotment.giveBack });
      let held: Amount = { ...noAmount };
      const one = async (c: (typeof calls)[number]) => {
        const result = await meter.reserve({ inputTokens: c.input, maxOutputTokens: c.output, price }, never);
        if (!result.ok) return;
        held = plus(held, result.reservation.worst);
        expect(covers(allotment.drawn, plus(held, meter.spent()))).toBe(true);
        await scheduler.schedule(Promise.resolve());
        held = minus(held, result.reservation.worst);
        const { worst } = result.reservation;
        if (c.end === 'worst-case') result.reservation.settle('worst-case');
        else if (c.end === 'nothing') result.reservation.settle({ calls: 0, inputTokens: 0, outputTokens: 0 });
        else {
          const used = (most: number, share: number) => Math.floor(most * share);
          const [inputTokens, outputTokens] = [used(worst.inputTokens, c.usedInput), used(worst.outputTokens, c.usedOutput)];
          result.reservation.settle({ calls: 1, inputTokens, outputTokens });
        }
      };
      await scheduler.waitFor(Promise.all(calls.map(one)));
      expect(covers(whole(of), meter.spent())).toBe(true);
      await meter[Symbol.asyncDispose]();
      expect(allotment.drawn).toEqual(meter.spent());
      expect(meter.overshoot()).toEqual(noAmount);
    });
    await fc.assert(property, { numRuns: 300 });
  });

  it('waits for open calls before it refuses or clamps', async () => {
    const of = { ...budget, outputTokens: 100 };
    await using meter = new Meter(of, wholeBudget(of));
    const first = await reserved(meter, 10, 100);
    const second = reserved(meter, 10, 100);
    first.settle({ calls: 1, inputTokens: 5, outputTokens: 20 });
    expect((await second).maxOutputTokens).toBe(80);
  });

  it('clamps the output to what the money left pays for', async () => {
    const of = { ...budget, costMicros: 330 };
    await using meter = new Meter(of, wholeBudget(of));
    const reservation = await reserved(meter, 10, 500);
    expect(reservation.maxOutputTokens).toBe(20);
    expect(reservation.worst.costMicros).toBe(costOf(price, 10, 20));
  });

  it('refuses at once, and names what is short', async () => {
    const short = async (of: Budget) => {
      await using meter = new Meter(of, wholeBudget(of));
      const result = await meter.reserve({ inputTokens: 10, maxOutputTokens: 10, price }, never);
      return result.ok ? null : result.short;
    };
    expect(await short({ ...budget, calls: 0 })).toBe('calls');
    expect(await short({ ...budget, inputTokens: 9 })).toBe('input tokens');
    expect(await short({ ...budget, outputTokens: 0 })).toBe('output tokens');
    expect(await short({ ...budget, costMicros: 44 })).toBe('cost');
    expect(await short({ ...budget, costMicros: 45 })).toBe(null);
  });

  it('charges usage above the reservation, shows it as overshoot and lets no later call spend it again', async () => {
    const of = { ...budget, outputTokens: 100 };
    const allotment = watched(of);
    const meter = new Meter(of, allotment);
    (await reserved(meter, 10, 60)).settle({ calls: 1, inputTokens: 10, outputTokens: 90 });
    expect(meter.overshoot().outputTokens).toBe(30);
    expect((await reserved(meter, 10, 60)).maxOutputTokens).toBe(10);
    await meter[Symbol.asyncDispose]();
    expect(allotment.drawn.outputTokens).toBe(100);
  });

  it('draws ahead, so that durable draws are few', async () => {
    const of: Budget = { calls: 1000, inputTokens: 1_000_000, outputTokens: 1_000_000, costMicros: 1_000_000_000 };
    const allotment = watched(of);
    const meter = new Meter(of, allotment);
    for (let i = 0; i < 320; i++) (await reserved(meter, 100, 50)).settle('worst-case');
    expect(allotment.draws).toBeLessThanOrEqual(320 / 16);
    expect(covers(allotment.drawn, meter.spent())).toBe(true);
    await meter[Symbol.asyncDispose]();
    expect(allotment.drawn).toEqual(meter.spent());
  });

  it('ends a wait when its caller leaves, and keeps the order for those behind', async () => {
    const of = { ...budget, outputTokens: 100 };
    await using meter = new Meter(of, wholeBudget(of));
    const first = await reserved(meter, 1, 100);
    const leaving = new AbortController();
    const second = meter.reserve({ inputTokens: 1, maxOutputTokens: 100, price }, leaving.signal);
    const third = reserved(meter, 1, 30);
    leaving.abort();
    expect(await second).toEqual({ ok: false, short: 'aborted' });
    first.settle('worst-case');
    await expect(third).rejects.toThrow('output tokens');
  });
});
