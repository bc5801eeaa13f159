import { describe, expect, it } from 'vitest';
import { gathered } from './gathered.ts';

/** Asks that answer only when told, and what they were asked. */
function slow(most: number) {
  const asked: { questions: readonly number[]; answer: () => void; fail: (error: Error) => void }[] = [];
  const ask = gathered<number, number>((questions) => {
    const { promise, resolve, reject } = Promise.withResolvers<number[]>();
    asked.push({ questions, answer: () => resolve(questions.map((n) => n * 10)), fail: reject });
    return promise;
  }, most);
  return { ask, asked };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('gathered questions', () => {
  it('go out at once when nothing is on its way, and together when something is', async () => {
    const { ask, asked } = slow(10);
    const first = ask(1);
    await turn();
    const others = [ask(2), ask(3), ask(4)];
    await turn();
    expect(asked.map((one) => one.questions)).toEqual([[1]]);
    asked[0]!.answer();
    expect(await first).toBe(10);
    await turn();
    expect(asked.map((one) => one.questions)).toEqual([[1], [2, 3, 4]]);
    asked[1]!.answer();
    expect(await Promise.all(others)).toEqual([20, 30, 40]);
  });

  it('are never more than the limit at a time', async () => {
    const { ask, asked } = slow(2);
    const all = [1, 2, 3, 4, 5].map(ask);
    for (let i = 0; i < 3; i++) {
      await turn();
      asked[i]!.answer();
    }
    expect(await Promise.all(all)).toEqual([10, 20, 30, 40, 50]);
    expect(asked.map((one) => one.questions)).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('fail together, and the next ones are asked all the same', async () => {
    const { ask, asked } = slow(10);
    const failing = [ask(1), ask(2)].map((one) => expect(one).rejects.toThrow('the database is gone'));
    await turn();
    const later = ask(3);
    asked[0]!.fail(new Error('the database is gone'));
    await Promise.all(failing);
    await turn();
    asked[1]!.answer();
    expect(await later).toBe(30);
  });

  it('whose answers are too few fail instead of getting those of others', async () => {
    const ask = gathered<number, number>(async () => [1], 10);
    await Promise.all([ask(1), ask(2)].map((one) => expect(one).rejects.toThrow('1 answers came to 2 questions')));
  });
});
