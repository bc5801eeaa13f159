import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Amount, Budget } from '../../contracts/target.ts';
import { failAttempt } from '../../domain/attempts.ts';
import { allotment, BudgetLostInCrash } from '../../domain/budgets.ts';
import { claim, type Lease } from '../../domain/leases.ts';
import { recordCases } from '../../domain/recording.ts';
import {
  fault,
  letLeaseRunOut,
  makeRetryDue,
  memoryBlobs,
  publish,
  resultOf,
  rowOf,
  runningAgain,
  submit,
  toRunning,
} from '../setup/records.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

let database: TestDatabase;
const blobs = memoryBlobs();
beforeAll(async () => {
  database = await testDatabase();
  await publish(database.db, blobs);
});
afterAll(() => database[Symbol.asyncDispose]());

const budget: Budget = { calls: 100, inputTokens: 1_000, outputTokens: 500, costMicros: 7_000 };
const running = async (): Promise<Lease> => toRunning(database.db, (await submit(database.db, blobs)).evaluationId);
const amount = (calls: number): Amount => ({ calls, inputTokens: calls * 10, outputTokens: calls * 5, costMicros: BigInt(calls * 70) });
const total = (amounts: Amount[]): Amount =>
  amounts.reduce((a, b) => ({
    calls: a.calls + b.calls,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    costMicros: a.costMicros + b.costMicros,
  }));
const drawn = async (id: string) => {
  const row = await database.db.selectFrom('evaluation_budget').selectAll().where('evaluation_id', '=', id).executeTakeFirstOrThrow();
  return [row.drawn_calls, row.drawn_input_tokens, row.drawn_output_tokens, row.drawn_cost_micros].map(Number);
};

describe('allotment', () => {
  it('never hands out more than the budget to 50 parallel draws', async () => {
    const lease = await running();
    const source = allotment(database.db, lease, budget);
    const given = await Promise.all(Array.from({ length: 50 }, () => source.draw(amount(3))));
    expect(total(given)).toEqual({ calls: 100, inputTokens: 1_000, outputTokens: 500, costMicros: 7_000n });
    expect(given.filter((one) => one.calls === 3)).toHaveLength(33);
    expect(await drawn(lease.evaluationId)).toEqual([100, 1_000, 500, 7_000]);
    expect(await source.draw(amount(1))).toEqual(amount(0));
  });

  it('bounds each dimension by itself', async () => {
    const source = allotment(database.db, await running(), budget);
    expect(await source.draw({ calls: 1, inputTokens: 5_000, outputTokens: 1, costMicros: 10n ** 18n })).toEqual({
      calls: 1,
      inputTokens: 1_000,
      outputTokens: 1,
      costMicros: 7_000n,
    });
    expect(await source.draw(amount(1))).toEqual({ calls: 1, inputTokens: 0, outputTokens: 5, costMicros: 0n });
  });

  it('takes back what was not used, never more than was drawn', async () => {
    const lease = await running();
    const source = allotment(database.db, lease, budget);
    await source.draw(amount(10));
    await source.giveBack(amount(4));
    expect(await drawn(lease.evaluationId)).toEqual([6, 60, 30, 420]);
    await expect(source.giveBack(amount(7))).rejects.toThrow('evaluation_budget_drawn_calls_check');
  });

  it('notes the first call at the first draw and not again', async () => {
    const lease = await running();
    const source = allotment(database.db, lease, budget);
    expect((await rowOf(database.db, lease.evaluationId)).first_call_at).toBeNull();
    await source.draw(amount(1));
    const { first_call_at } = await rowOf(database.db, lease.evaluationId);
    expect(first_call_at).not.toBeNull();
    await source.draw(amount(1));
    expect((await rowOf(database.db, lease.evaluationId)).first_call_at).toEqual(first_call_at);
  });

  it('neither draws nor takes back for a lease that is lost', async () => {
    const lease = await running();
    const source = allotment(database.db, lease, budget);
    await source.draw(amount(10));
    await letLeaseRunOut(database.db, lease.evaluationId);
    expect(await source.draw(amount(1))).toEqual(amount(0));
    await source.giveBack(amount(10));
    expect(await drawn(lease.evaluationId)).toEqual([10, 100, 50, 700]);
  });
});

describe('after a crash', () => {
  const crashed = async (drawnCalls: number): Promise<Lease> => {
    const lease = await running();
    await allotment(database.db, lease, budget).draw(amount(drawnCalls));
    await letLeaseRunOut(database.db, lease.evaluationId);
    return (await claim(database.db, lease.evaluationId, { from: ['running'], to: 'running', workerId: 'heir' }))!;
  };

  it('counts what was drawn as spent', async () => {
    const heir = await crashed(60);
    expect(await allotment(database.db, heir, budget).draw(amount(40))).toEqual(amount(40));
    expect(await drawn(heir.evaluationId)).toEqual([100, 1_000, 500, 7_000]);
  });

  it('does not let the participant pay for it: too little left is the platform’s fault', async () => {
    const heir = await crashed(60);
    await expect(allotment(database.db, heir, budget).draw(amount(41))).rejects.toThrow(BudgetLostInCrash);
    expect(await drawn(heir.evaluationId)).toEqual([60, 600, 300, 4_200]);
  });

  it('starts the next attempt with all but what the recorded cases used', async () => {
    const heir = await crashed(60);
    const settled = resultOf('p0', { usage: { calls: 5, inputTokens: 50, outputTokens: 25, costMicros: '350' } });
    const failed = resultOf('p1', {
      end: 'error',
      grades: [],
      score: null,
      usage: { calls: 9, inputTokens: 90, outputTokens: 45, costMicros: '630' },
    });
    expect(await recordCases(database.db, heir, [settled, failed])).toBe(true);
    expect(await failAttempt(database.db, heir, fault)).toBe('retry');
    expect(await drawn(heir.evaluationId)).toEqual([5, 50, 25, 350]);
    await makeRetryDue(database.db, heir.evaluationId);
    const next = await runningAgain(database.db, heir.evaluationId);
    expect(await allotment(database.db, next, budget).draw(amount(100))).toEqual(amount(95));
  });
});
