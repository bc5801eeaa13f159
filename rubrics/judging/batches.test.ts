import { describe, expect, it } from 'vitest';
import { type Answering, callOf, gradeBy, playedJudges, toolReply } from '../../test/setup/judging.ts';
import type { JudgeRequest } from './access.ts';
import { type Cleared, largestBatch, openBatches, type Opening } from './batches.ts';

const clear: Cleared = { kind: 'clear' };
const missed: Cleared = { kind: 'missed', sentinel: 'known fail', reason: 'it scores 1' };
const gone: Cleared = { kind: 'unreachable', sentinel: 'known pass', reason: 'hangs', faultOf: 'platform' };
const opening = (...outcomes: Cleared[]): Opening => ({ sentinels: outcomes.map((one) => async () => one), behind: 1, further: [] });

describe('a batch', () => {
  it('lets no answer out before every sentinel is right', async () => {
    const batches = openBatches(() => 0);
    const last = Promise.withResolvers<Cleared>();
    const released: number[] = [];
    const ask = (n: number) =>
      batches
        .ask(
          'a',
          () => ({ sentinels: [async () => clear, () => last.promise], behind: 0, further: [] }),
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
    const batches = openBatches(() => 0);
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
    const batches = openBatches(() => 0);
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

  it('takes no more questions when it is too old', async () => {
    let now = 0;
    let opened = 0;
    const batches = openBatches(() => now);
    const open = () => {
      opened++;
      return opening(clear);
    };
    for (const [at, count] of [
      [0, 1],
      [60_000, 1],
      [60_001, 2],
      [100_000, 2],
    ] as const) {
      now = at;
      await batches.ask('a', open, async () => 0);
      expect(opened).toBe(count);
    }
  });

  it('asks another sentinel with every fourth question, which holds it and those after it, and voids what has not left', async () => {
    const batches = openBatches(() => 0);
    const late = Promise.withResolvers<Cleared>();
    const started: number[] = [];
    let asked = 0;
    const further = [() => Promise.resolve(clear), () => late.promise].map((one, i) => () => {
      started.push(i);
      return one();
    });
    const question = (answer: Promise<number> = Promise.resolve(1)) =>
      batches.ask(
        'a',
        () => ({ ...opening(clear), further }),
        () => {
          asked++;
          return answer;
        },
      );
    for (let i = 0; i < 7; i++) expect(await question()).toMatchObject({ answer: 1, cleared: clear });
    expect(started).toEqual([0]);
    const slow = Promise.withResolvers<number>();
    const before = question(slow.promise);
    const held = [question(), question()];
    expect(started).toEqual([0, 1]);
    late.resolve(missed);
    expect(await Promise.all(held)).toMatchObject([{ cleared: missed }, { cleared: missed }]);
    slow.resolve(1);
    expect((await before).cleared).toEqual(missed);
    expect(await question()).toEqual({ answer: null, cleared: missed });
    expect(asked).toBe(10);
  });

  it('asks its first question at the drawn place among the sentinels', async () => {
    const order: string[] = [];
    const sentinel = (name: string) => async () => {
      order.push(name);
      return clear;
    };
    const sentinels = ['x', 'y', 'z'].map(sentinel);
    await openBatches(() => 0).ask(
      'a',
      () => ({ sentinels, behind: 2, further: [] }),
      async () => order.push('question'),
    );
    expect(order).toEqual(['x', 'y', 'question', 'z']);
  });

  it('passes a bug on to all that wait for it', async () => {
    const batches = openBatches(() => 0);
    const ask = () =>
      batches.ask(
        'a',
        () => ({ sentinels: [() => Promise.reject(new Error('a bug'))], behind: 0, further: [] }),
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
    // Three begin each batch, and three more stand in the full one.
    expect(requests).toHaveLength(largestBatch + 1 + 9);
    const sentinels = requests.filter((request) => textOf(request).includes('sentinel'));
    expect(sentinels).toHaveLength(9);
    expect(sentinels.filter((request) => textOf(request).includes('cheese.\\n'))).toHaveLength(3);
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

  it('find a judge that goes bad in the middle, and are fresh while questions need not be', async () => {
    for (const seed of ['aa', 'bb', 'cc', 'dd'].map((pair) => pair.repeat(32))) {
      let bad = false;
      const fresh = new Map<boolean, boolean>();
      const { ask, ...access } = playedJudges(
        ['one'],
        (request, judge) => {
          if (!bad) return honest(request, judge);
          const graded = (callOf(request).box.graded as { text: string }).text;
          const fields = { nonce: callOf(request).nonce, verdict: 'yes', confidence: 1, evidence: [graded.slice(0, 12)] };
          return toolReply([{ name: 'submit_verdict', arguments: JSON.stringify(fields) }]);
        },
        seed,
      );
      const noting = {
        ...access,
        ask: (...[judge, request, how]: Parameters<typeof ask>) => {
          fresh.set(textOf(request).includes('sentinel'), how.fresh);
          return ask(judge, request, how);
        },
      };
      expect(await gradeBy(spec, noting, 'It is Paris.')).toMatchObject({ status: 'graded', score: 1 });
      bad = true;
      let passed = 0;
      for (let i = 0; i < largestBatch - 1; i++) {
        const { status, score } = await gradeBy(spec, noting, `Worthless ${i}`);
        if (status === 'graded' && score === 1) passed++;
      }
      // Until the first sentinel that is known to fail: with the fifth question, or the ninth.
      expect([3, 7]).toContain(passed);
      expect(fresh).toEqual(
        new Map([
          [true, true],
          [false, false],
        ]),
      );
    }
  });

  it('are lists where questions are: a judge that fails on lists alone grades none', async () => {
    const lengths: number[] = [];
    const access = playedJudges(['one'], (request, judge) => {
      const { graded, nonce } = { ...callOf(request), graded: callOf(request).box.graded as { list?: { text: string }[] } };
      if (graded.list === undefined) return honest(request, judge);
      lengths.push(graded.list.length);
      const fields = { nonce, verdict: 'yes', confidence: 1, evidence: [graded.list[0]!.text] };
      return toolReply([{ name: 'submit_verdict', arguments: JSON.stringify(fields) }]);
    });
    const answer = ['Worthless.', 'Worthless too.', 'And this.'] as unknown as string;
    expect(await gradeBy(spec, access, answer)).toMatchObject({ status: 'error', score: null });
    expect(lengths).toEqual([3, 3, 3, 3]);
    const right = ['Nothing', 'It is Paris.'] as unknown as string;
    expect(await gradeBy(spec, playedJudges(['one'], honest), right)).toMatchObject({ status: 'graded', score: 1 });
    const many = Array.from({ length: 200 }, (_, i) => `It is Paris ${i}`) as unknown as string;
    expect(await gradeBy(spec, playedJudges(['one'], honest), many)).toMatchObject({ status: 'graded', score: 1 });
  });

  it('that do not come back are named as what they are: no answer, and nothing graded', async () => {
    const access = playedJudges(['one'], (request, judge) =>
      textOf(request).includes('sentinel')
        ? { ok: false, fault: { kind: 'transport', message: 'hangs', httpStatus: 504 } }
        : honest(request, judge),
    );
    const grade = await gradeBy(spec, access, 'It is Paris.');
    expect(grade).toMatchObject({ status: 'error', score: null, evidence: { faultOf: 'platform' } });
    expect(grade.evidence.message).toMatch(/did not answer to a sentinel.*operator/s);
  });
});
