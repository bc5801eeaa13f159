import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraderSpec } from '../../contracts/graders.ts';
import type { Json } from '../../contracts/json.ts';
import { gradingContext } from '../../test/setup/rubrics.ts';
import { compileGrader } from './compile.ts';
import { sameJson } from './same-json.ts';

const state = {
  balance: 100,
  iban: 'DE89',
  'a/b': { '~': true },
  mails: [{ to: 'bob', read: false, body: 'hi' }, { to: 'eve' }],
  empty: '',
  nothing: null,
  tags: ['x', 'y'],
};
const grade = (checks: object[], parts: object = {}, answer: Json | undefined = state) =>
  compileGrader(
    GraderSpec.parse({ kind: 'state-check', of: 'answer', checks, ...parts }),
    () => '',
  )(gradingContext({ answer, case: { id: 'c', input: { before: 100 } } }));

describe('predicates', () => {
  it.each<[object, number]>([
    [{ at: '/balance', is: 'present' }, 1],
    [{ at: '/nothing', is: 'present' }, 1],
    [{ at: '/toString', is: 'present' }, 0],
    [{ at: '/gone', is: 'absent' }, 1],
    [{ at: '/balance', is: 'absent' }, 0],
    [{ at: '/balance', is: 'equals', to: { value: 100 } }, 1],
    [{ at: '/balance', is: 'equals', to: { value: '100' } }, 0],
    [{ at: '/balance', is: 'equals', to: { source: 'input/before' } }, 1],
    [{ at: '/a~1b/~0', is: 'equals', to: { value: true } }, 1],
    [{ at: '/mails/1', is: 'equals', to: { value: { to: 'eve' } } }, 1],
    [{ at: '/mails/01', is: 'present' }, 0],
    [{ at: '/balance', is: 'differs', from: { value: 99 } }, 1],
    [{ at: '/gone', is: 'differs', from: { value: 99 } }, 0],
    [{ at: '/mails', is: 'contains', what: { value: { to: 'bob', read: false } } }, 1],
    [{ at: '/mails', is: 'contains', what: { value: { to: 'bob', read: true } } }, 0],
    [{ at: '/mails', is: 'contains', what: { value: {} } }, 0],
    [{ at: '/tags', is: 'contains', what: { value: 'y' } }, 1],
    [{ at: '/iban', is: 'contains', what: { value: 'E8' } }, 1],
    [{ at: '/iban', is: 'contains', what: { value: '' } }, 0],
    [{ at: '/tags', is: 'lacks', what: { value: 'z' } }, 1],
    [{ at: '/tags', is: 'lacks', what: { value: 'x' } }, 0],
    [{ at: '/gone', is: 'lacks', what: { value: 'x' } }, 0],
    [{ at: '/balance', is: 'lacks', what: { value: 'x' } }, 0],
    [{ at: '/iban', is: 'matches', pattern: '^DE\\d+$' }, 1],
    [{ at: '/balance', is: 'matches', pattern: '1' }, 0],
    [{ at: '/balance', is: 'between', min: 100, max: 100 }, 1],
    [{ at: '/balance', is: 'between', min: 101 }, 0],
    [{ at: '/iban', is: 'between', min: 0 }, 0],
    [{ at: '/mails', is: 'size', min: 2, max: 2 }, 1],
    [{ at: '/empty', is: 'size', max: 0 }, 1],
    [{ at: '/balance', is: 'size', min: 0 }, 0],
    [{ at: '', is: 'size', min: 7 }, 1],
  ])('%j is %d', async (check, score) => {
    expect(await grade([check])).toMatchObject({ status: 'graded', score });
  });

  it('compare JSON without the order of members', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const turn = (value: Json): Json =>
          Array.isArray(value)
            ? value.map(turn)
            : value !== null && typeof value === 'object'
              ? Object.fromEntries(
                  Object.entries(value)
                    .reverse()
                    .map(([key, inner]) => [key, turn(inner)]),
                )
              : value;
        const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as Json;
        expect(sameJson(plain(a), turn(plain(a)))).toBe(true);
        expect(sameJson(plain(a), plain(b))).toBe(sameJson(plain(b), plain(a)));
      }),
    );
  });
});

describe('the grader', () => {
  const checks = [
    { at: '/balance', is: 'equals', to: { value: 100 } },
    { at: '/mails', is: 'size', min: 3 },
  ];

  it('wants all or gives the share, and says which failed', async () => {
    expect(await grade(checks)).toMatchObject({ score: 0, evidence: { held: 1, checks: 2, failed: ['2: /mails size'] } });
    expect(await grade(checks, { score: 'share' })).toMatchObject({ score: 0.5 });
  });

  it('gives nothing for no state, even where all must be absent', async () => {
    const gone = [{ at: '/x', is: 'absent' }];
    expect(await grade(gone, { of: 'answer/state' })).toMatchObject({ status: 'graded', score: 0 });
    expect(await grade(gone)).toMatchObject({ score: 1 });
  });

  it('errs when the case lacks the other side', async () => {
    const result = await grade([{ at: '/balance', is: 'equals', to: { source: 'expected/x' } }]);
    expect(result).toMatchObject({ status: 'error', score: null, evidence: { faultOf: 'sponsor' } });
  });
});
