import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraderSpec } from '../../contracts/graders.ts';
import type { Json } from '../../contracts/json.ts';
import { gradingContext } from '../../test/setup/rubrics.ts';
import { compileGrader } from './compile.ts';
import { isWithin } from './numeric.ts';
import { type NumberRules, readNumber } from './read-number.ts';

const rules = (parts: Partial<NumberRules> = {}): NumberRules => ({ parse: 'whole', decimal: 'point', unitRequired: false, ...parts });
const metres = new Map([
  ['m', 1],
  ['km', 1000],
  ['cm', 0.01],
]);

describe('reading a number', () => {
  it.each<[string, Partial<NumberRules>, number]>([
    ['42', {}, 42],
    [' -0.5\n', {}, -0.5],
    ['+.5', {}, 0.5],
    ['1,234,567.25', {}, 1_234_567.25],
    ['1.234.567,25', { decimal: 'comma' }, 1_234_567.25],
    ['1e3', {}, 1000],
    ['\u22127', {}, -7],
    ['４２', {}, 42],
    ['4\u200b2', {}, 42],
    ['\u202e42', {}, 42],
    ['5 km', { units: metres }, 5000],
    ['5km', { units: metres }, 5000],
    ['120 cm', { units: metres }, 1.2],
    ['5', { units: metres }, 5],
    ['It is 3 or 4.', { parse: 'first' }, 3],
    ['It is 3 or 4.', { parse: 'last' }, 4],
    ['The answer is **42**.', { parse: 'last' }, 42],
    ['$1,000', { parse: 'last' }, 1000],
    ['about 5 km.', { parse: 'last', units: metres }, 5000],
  ])('%j', (text, parts, value) => {
    expect(readNumber(text, rules(parts))).toEqual({ ok: true, value });
  });

  it.each<[string, Partial<NumberRules>]>([
    ['', {}],
    ['-', {}],
    ['forty-two', {}],
    ['42 apples', {}],
    ['42%', {}],
    ['0x2A', {}],
    ['NaN', {}],
    ['Infinity', {}],
    ['1e999', {}],
    ['9'.repeat(400), {}],
    ['1,23', {}],
    ['1.2.3', {}],
    ['12,3456', {}],
    ['1,234', { decimal: 'comma', units: new Map([['x', 1]]), unitRequired: true }],
    ['1 2', {}],
    ['5/8', {}],
    ['5 kg', { units: metres }],
    ['5', { units: metres, unitRequired: true }],
    ['about 5 kg', { parse: 'last', units: metres }],
    ['version v2', { parse: 'last' }],
    ['it is 1,23', { parse: 'last' }],
    ['no number', { parse: 'first' }],
    ['3e5x', {}],
  ])('%j is none', (text, parts) => {
    expect(readNumber(text, rules(parts))).toMatchObject({ ok: false });
  });

  it('gives back every double that JavaScript prints', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const read = readNumber(String(value), rules());
        expect(read.ok && Object.is(read.value + 0, value + 0)).toBe(true);
      }),
    );
  });

  it('never throws and finds only finite numbers', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('whole', 'first', 'last'),
        fc.constantFrom('point', 'comma'),
        (text, parse, decimal) => {
          const read = readNumber(text, rules({ parse, decimal }));
          if (read.ok) expect(Number.isFinite(read.value)).toBe(true);
        },
      ),
    );
  });
});

describe('tolerance', () => {
  it('is the larger of both, and none means equal', () => {
    expect(isWithin(1.1, 1, 0.1, 0)).toBe(true);
    expect(isWithin(1.11, 1, 0.1, 0)).toBe(false);
    expect(isWithin(101, 100, 0, 0.01)).toBe(true);
    expect(isWithin(102, 100, 1, 0.02)).toBe(true);
    expect(isWithin(0.1 + 0.2, 0.3, 0, 0)).toBe(false);
    expect(isWithin(5, 5, 0, 0)).toBe(true);
  });

  it('is symmetric where it is absolute, and only grows', () => {
    const value = fc.double({ noNaN: true, min: -1e9, max: 1e9 });
    const size = fc.double({ noNaN: true, min: 0, max: 1e9 });
    fc.assert(
      fc.property(value, value, size, size, (a, b, small, more) => {
        expect(isWithin(a, b, small, 0)).toBe(isWithin(b, a, small, 0));
        if (isWithin(a, b, small, 0)) expect(isWithin(a, b, small + more, 0)).toBe(true);
      }),
    );
  });
});

describe('the grader', () => {
  const grade = (answer: Json | undefined, expected: Json | undefined, parts: object = {}) =>
    compileGrader(
      GraderSpec.parse({ kind: 'numeric', of: 'answer', to: 'expected', ...parts }),
      () => '',
    )(gradingContext({ answer, case: { id: 'c', input: null, ...(expected === undefined ? {} : { expected }) } }));
  const lengths = { unit: { name: 'm', accept: { km: 1000 }, required: true }, relative: 0.01 };

  it.each<[Json | undefined, Json, object, number]>([
    [42, 42, {}, 1],
    ['42', '42.0', {}, 1],
    ['9.81', 9.80665, { absolute: 0.01 }, 1],
    ['5 km', 5000, lengths, 1],
    ['5000 m', '5 km', lengths, 1],
    ['5', 5000, lengths, 0],
    [5000, 5000, lengths, 0],
    ['1', [3, 2, 1], {}, 1],
    [[1, 2, 3], 2, {}, 0],
    [null, 0, {}, 0],
    [true, 1, {}, 0],
    [undefined, 0, {}, 0],
    ['', 0, {}, 0],
  ])('%j against %j with %j scores %d', async (answer, expected, parts, score) => {
    expect(await grade(answer, expected, parts)).toMatchObject({ status: 'graded', score });
  });

  it.each<[Json | undefined]>([[undefined], ['many'], [[]], [{ x: 1 }], ['1e999']])('errs on the expected value %j', async (expected) => {
    expect(await grade(42, expected)).toMatchObject({ status: 'error', score: null, evidence: { faultOf: 'sponsor' } });
  });
});
