import { describe, expect, it } from 'vitest';
import { type Answering, callOf, gradeBy, playedJudges, toolReply } from '../../test/setup/judging.ts';
import type { JudgeRequest } from './access.ts';
import { type Cleared, largestBatch, openBatches, type Opening } from './batches.ts';

const clear: Cleared = { kind: 'clear' };
const missed: Cleared = { kind: 'missed', sentinel: 'known fail', reason: 'it scores 1' };
const gone: Cleared = { kind: 'unreachable', sentinel: 'known pass', reason: 'hangs', faultOf: 'platform' };
const opening = (...outcomes: Cleared[]): Opening => ({ sentinels: outcomes.map((one) => async () => one), behind: 1 });

describe('a batch', () => {
  it('lets no answer out before every sentinel is right', async () => {
    const batches = openBatches();
    const last = Promise.withResolvers<Cleared>();
    const released: number[] = [];
    const ask = (n: number) =>
      batches
        .ask(
          'a',
          () => ({ sentinels: [async () => clear, () => last.promise], behind: 0 }),
          async () => n,
        )
        .then(({ answer }) => released.push(answer!));
    const all = [ask(1), ask(2), ask(3)];
    // Everything that can go on without the last sentinel has gone on after this.
    await new Promise(setImmediate);
    expect(released).toEqual([]);
    last.resolve(clear);
    await Promise.all(all);
    expect(released.sort()).toEqual([1, 2, 3]);
  });

  it('starts its sentinels with its first question, one case at a time gets through, and the next one has its own', async () => {
    const batches = openBatches();
    let opened = 0;
    const open = () => {
      opened++;
      return opening(clear, clear, clear);
    };
    for (let i = 0; i < largestBatch * 2 + 1; i++) {
      expect(await batches.ask('a', open, async () => i)).toEqual({ answer: i, cleared: clear });
      expect(opened).toBe(Math.floor(i / largestBatch) + 1);
    }
    await batches.ask('b', open, async () => 0);
    expect(opened).toBe(4);
  });

  it('that failed voids all of its questions and pays for no further one', async () => {
    const batches = openBatches();
    let asked = 0;
    const ask = () =>
      batches.ask(
        'a',
        () => opening(clear, gone, missed),
        async () => ++asked,
      );
    expect(await Promise.all([ask(), ask()])).toMatchObject([{ cleared: missed }, { cleared: missed }]);
    expect(await ask()).toEqual({ answer: null, cleared: missed });
    expect(asked).toBe(2);
  });

  it('asks its first question at the drawn place among the sentinels', async () => {
    const order: string[] = [];
    const sentinel = (name: string) => async () => {
      order.push(name);
      return clear;
    };
    const sentinels = ['x', 'y', 'z'].map(sentinel);
    await openBatches().ask(
      'a',
      () => ({ sentinels, behind: 2 }),
      async () => order.push('question'),
    );
    expect(order).toEqual(['x', 'y', 'question', 'z']);
  });

  it('passes a bug on to all that wait for it', async () => {
    const batches = openBatches();
    const ask = () =>
      batches.ask(
        'a',
        () => ({ sentinels: [() => Promise.reject(new Error('a bug'))], behind: 0 }),
        async () => 1,
      );
    expect((await Promise.allSettled([ask(), ask()])).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});

const spec = {
  kind: 'judge',
  of: 'answer',
  question: { form: 'yes-no', ask: 'Does it name the capital of France?' },
  sentinels: { pass: [{ text: 'The sentinel says Paris.' }], fail: [{ text: 'The sentinel says cheese.' }] },
  judges: ['one'],
};
const textOf = (request: JudgeRequest): string => JSON.stringify(callOf(request).box).replaceAll(callOf(request).mark ?? ' ', ' ');
const honest: Answering = (request) => {
  const yes = textOf(request).includes('Paris');
  const fields = { verdict: yes ? 'yes' : 'no', confidence: 1, evidence: yes ? ['Paris'] : [] };
  return toolReply([{ name: 'submit_verdict', arguments: JSON.stringify({ nonce: callOf(request).nonce, ...fields }) }]);
};

describe('the sentinels of an evaluation', () => {
  it('are three per batch of a judge, one of them with an attack, and look like every question', async () => {
    const requests: JudgeRequest[] = [];
    const access = playedJudges(['one'], (request, judge) => {
      requests.push(request);
      return honest(request, judge);
    });
    for (let i = 0; i < largestBatch + 1; i++) {
      expect(await gradeBy(spec, access, `Case ${i} says Paris.`)).toMatchObject({ status: 'graded', score: 1 });
    }
    expect(requests).toHaveLength(largestBatch + 1 + 6);
    const sentinels = requests.filter((request) => textOf(request).includes('sentinel'));
    expect(sentinels).toHaveLength(6);
    expect(sentinels.filter((request) => textOf(request).includes('cheese.\\n'))).toHaveLength(2);
    const shapes = requests.map((request) =>
      JSON.stringify([request.tools, request.toolChoice, Object.keys(callOf(request).box), Object.keys(request)]),
    );
    expect(new Set(shapes).size).toBe(1);
    // No kept reply to one batch's sentinel can speak for the next batch.
    expect(new Set(requests.map((request) => callOf(request).nonce)).size).toBe(requests.length);
  });

  it('are drawn under the seed: the same evaluation asks the same bytes again, another one others', async () => {
    const bytesOf = async (seed: string) => {
      const requests: string[] = [];
      const access = playedJudges(
        ['one'],
        (request, judge) => {
          requests.push(JSON.stringify(request));
          return honest(request, judge);
        },
        seed,
      );
      for (const text of ['It is Paris.', 'It is Lyon.']) await gradeBy(spec, access, text);
      return requests;
    };
    expect(await bytesOf('aa'.repeat(32))).toEqual(await bytesOf('aa'.repeat(32)));
    const other = new Set(await bytesOf('bb'.repeat(32)));
    expect((await bytesOf('aa'.repeat(32))).some((request) => other.has(request))).toBe(false);
  });

  it('that do not come back are named as what they are: no answer, and nothing graded', async () => {
    const access = playedJudges(['one'], (request, judge) =>
      textOf(request).includes('sentinel')
        ? { ok: false, fault: { kind: 'transport', message: 'hangs', httpStatus: 504 } }
        : honest(request, judge),
    );
    const grade = await gradeBy(spec, access, 'It is Paris.');
    expect(grade).toMatchObject({ status: 'error', score: null, evidence: { faultOf: 'platform' } });
    expect(grade.evidence.message).toMatch(/did not answer to the sentinel.*operator/s);
  });
});
