import { describe, expect, it } from 'vitest';
import { readAnswer } from './read-answer.ts';

describe('readAnswer', () => {
  it('reads JSON', () => {
    expect(readAnswer('{"a":[1,null,"ü"]}', 100)).toEqual({ ok: true, answer: { a: [1, null, 'ü'] } });
  });
  it('counts bytes, not characters', () => {
    expect(readAnswer('"üü"', 6)).toMatchObject({ ok: true });
    expect(readAnswer('"üü"', 5)).toMatchObject({ ok: false, message: expect.stringContaining('at most 5') });
  });
  it.each(['', 'NaN', '{', '[1,]', "'a'", 'undefined'])('refuses what is not JSON: %s', (text) => {
    expect(readAnswer(text, 100)).toMatchObject({ ok: false, message: expect.stringContaining('is not JSON') });
  });
  it('takes 64 levels and refuses 65', () => {
    expect(readAnswer('['.repeat(64) + ']'.repeat(64), 1_000)).toMatchObject({ ok: true });
    expect(readAnswer('['.repeat(65) + ']'.repeat(65), 1_000)).toMatchObject({
      ok: false,
      message: expect.stringContaining('levels deep'),
    });
  });
  it('bounds the number of values, which a schema’s work grows with', () => {
    expect(readAnswer(`[${'1,'.repeat(99_990)}1]`, 4_194_304)).toMatchObject({ ok: true });
    const message = expect.stringContaining('more than 100000 values');
    expect(readAnswer(`[${'1,'.repeat(2_000_000)}1]`, 4_194_304)).toMatchObject({ ok: false, message });
  });
  it('refuses keys that reach a prototype', () => {
    expect(readAnswer('[{"__proto__":{"a":1}}]', 1_000)).toMatchObject({ ok: false, message: expect.stringContaining('__proto__') });
  });
});
