import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Amount, Budget, Usage } from '../../contracts/target.ts';
import { failAttempt } from '../../domain/attempts.ts';
import { allotment, BudgetLostInCrash, type Purse } from '../../domain/budgets.ts';
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
const purses: Purse[] = ['targets', 'judges'];
const drawn = async (id: string, purse: Purse) => {
  const row = await database.db
    .selectFrom('evaluation_budget')
    .selectAll()
    .where('evaluation_id', '=', id)
    .where('purse', '=', purse)
    .executeTakeFirstOrThrow();
  return [row.drawn_calls, row.drawn_input_tokens, row.drawn_output_tokens, row.drawn_cost_micros].map(Number);
};

describe.each(purses)('the allotment of the %s’ purse', (purse) => {
  it('never hands out more than the budget to 50 parallel draws', async () => {
    const lease = await running();
    const source = allotment(database.db, lease, budget, purse);
    const given = await Promise.all(Array.from({ length: 50 }, () => source.draw(amount(3))));
    expect(total(given)).toEqual({ calls: 100, inputTokens: 1_000, outputTokens: 500, costMicros: 7_000n });
    expect(given.filter((one) => one.calls === 3)).toHaveLength(33);
    expect(await drawn(lease.evaluationId, purse)).toEqual([100, 1_000, 500, 7_000]);
    expect(await source.draw(amount(1))).toEqual(amount(0));
  });

  it('bounds each dimension by itself', async () => {
    const source = allotment(database.db, await running(), budget, purse);
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
    const source = allotment(database.db, lease, budget, purse);
    await source.draw(amount(10));
    await source.giveBack(amount(4));
    expect(await drawn(lease.evaluationId, purse)).toEqual([6, 60, 30, 420]);
    await expect(source.giveBack(amount(7))).rejects.toThrow('evaluation_budget_drawn_calls_check');
  });

  it('notes the first call at the first draw and not again', async () => {
    const lease = await running();
    const source = allotment(database.db, lease, budget, purse);
    expect((await rowOf(database.db, lease.evaluationId)).first_call_at).toBeNull();
    await source.draw(amount(1));
    const { first_call_at } = await rowOf(database.db, lease.evaluationId);
    expect(first_call_at).not.toBeNull();
    await source.draw(amount(1));
    expect((await rowOf(database.db, lease.evaluationId)).first_call_at).toEqual(first_call_at);
  });

  it('neither draws nor takes back for a lease that is lost', async () => {
    const lease = await running();
    const source = allotment(database.db, lease, budget, purse);
    await source.draw(amount(10));
    await letLeaseRunOut(database.db, lease.evaluationId);
    expect(await source.draw(amount(1))).toEqual(amount(0));
    await source.giveBack(amount(10));
    expect(await drawn(lease.evaluationId, purse)).toEqual([10, 100, 50, 700]);
  });
});

describe.each(purses)('the %s’ purse after a crash', (purse) => {
  const crashed = async (drawnCalls: number): Promise<Lease> => {
    const lease = await running();
    await allotment(database.db, lease, budget, purse).draw(amount(drawnCalls));
    await letLeaseRunOut(database.db, lease.evaluationId);
    return (await claim(database.db, lease.evaluationId, { from: ['running'], to: 'running', workerId: 'heir' }))!;
  };

  it('counts what was drawn as spent', async () => {
    const heir = await crashed(60);
    expect(await allotment(database.db, heir, budget, purse).draw(amount(40))).toEqual(amount(40));
    expect(await drawn(heir.evaluationId, purse)).toEqual([100, 1_000, 500, 7_000]);
  });

  it('does not let the participant pay for it: too little left is the platform’s fault', async () => {
    const heir = await crashed(60);
    await expect(allotment(database.db, heir, budget, purse).draw(amount(41))).rejects.toThrow(BudgetLostInCrash);
    expect(await drawn(heir.evaluationId, purse)).toEqual([60, 600, 300, 4_200]);
  });

  it('starts the next attempt with all but what the recorded cases used', async () => {
    const heir = await crashed(60);
    const used = (calls: number): Usage => ({ ...amount(calls), costMicros: `${calls * 70}` });
    const inPurse = (calls: number) => (purse === 'targets' ? { usage: used(calls) } : { usage: used(0), judging: used(calls) });
    const settled = resultOf('p0', inPurse(5));
    const failed = resultOf('p1', { end: 'error', grades: [], score: null, ...inPurse(9) });
    expect(await recordCases(database.db, heir, [settled, failed])).toBe(true);
    expect(await failAttempt(database.db, heir, fault)).toBe('retry');
    expect(await drawn(heir.evaluationId, purse)).toEqual([5, 50, 25, 350]);
    await makeRetryDue(database.db, heir.evaluationId);
    const next = await runningAgain(database.db, heir.evaluationId);
    expect(await allotment(database.db, next, budget, purse).draw(amount(100))).toEqual(amount(95));
  });
});

describe('the two purses', () => {
  it('never pay for each other', async () => {
    const lease = await running();
    const [targets, judges] = purses.map((purse) => allotment(database.db, lease, budget, purse));
    expect(await targets!.draw(amount(100))).toEqual(amount(100));
    expect(await judges!.draw(amount(100))).toEqual(amount(100));
    await judges!.giveBack(amount(30));
    expect(await targets!.draw(amount(1))).toEqual(amount(0));
    expect([await drawn(lease.evaluationId, 'targets'), await drawn(lease.evaluationId, 'judges')]).toEqual([
      [100, 1_000, 500, 7_000],
      [70, 700, 350, 4_900],
    ]);
  });

  it('are written off each to what its calls used, by cases that used both', async () => {
    const lease = await running();
    for (const purse of purses) await allotment(database.db, lease, budget, purse).draw(amount(60));
    const both = { usage: { ...amount(4), costMicros: '280' }, judging: { ...amount(7), costMicros: '490' } };
    expect(await recordCases(database.db, lease, [resultOf('p0', both), resultOf('p1', both), resultOf('p2')])).toBe(true);
    expect(await failAttempt(database.db, lease, fault)).toBe('retry');
    expect(await drawn(lease.evaluationId, 'targets')).toEqual([10, 90, 45, 567]);
    expect(await drawn(lease.evaluationId, 'judges')).toEqual([14, 140, 70, 980]);
  });

  it('are not both short because a worker died with a part of one', async () => {
    const lease = await running();
    await allotment(database.db, lease, budget, 'judges').draw(amount(60));
    await letLeaseRunOut(database.db, lease.evaluationId);
    const heir = (await claim(database.db, lease.evaluationId, { from: ['running'], to: 'running', workerId: 'heir' }))!;
    await expect(allotment(database.db, heir, budget, 'judges').draw(amount(41))).rejects.toThrow(BudgetLostInCrash);
    expect(await allotment(database.db, heir, budget, 'targets').draw(amount(101))).toEqual(amount(100));
  });
});
