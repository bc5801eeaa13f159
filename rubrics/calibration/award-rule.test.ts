import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { awardRule, firstAwards, type JudgeAudit, lastKappa, stopLoss } from './award-rule.ts';

const audit = fc.record({ judgePassed: fc.boolean(), humanPassed: fc.boolean() });
const agreed = (i: number): JudgeAudit => ({ judgePassed: i % 2 === 0, humanPassed: i % 2 === 0 });
const quarrel = (i: number): JudgeAudit => ({ judgePassed: i % 2 === 0, humanPassed: i % 2 === 1 });
const list = (length: number, of: (i: number) => JudgeAudit) => Array.from({ length }, (_, i) => of(i));
const confirmed = { awardsAudited: firstAwards, awardsAgreed: firstAwards };
const cells = (audits: readonly JudgeAudit[], target = 'one') => new Map([[target, audits]]);

describe('the first awards', () => {
  it('go to people, whatever else is true, until exactly 50 were decided', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: firstAwards - 1 }), fc.array(audit, { maxLength: 120 }), (awardsAudited, audits) => {
        expect(awardRule({ awardsAudited, awardsAgreed: awardsAudited, cells: cells(audits) })).toEqual({
          to: 'human',
          why: 'first-awards',
          audited: awardsAudited,
        });
      }),
    );
    expect(awardRule({ ...confirmed, cells: cells(list(stopLoss.window, agreed)) })).toEqual({ to: 'judge' });
  });

  it('must have been confirmed: one overruled of 50 leaves the bound at 0.9086, two do not', () => {
    const ruled = (awardsAudited: number, overruled: number) =>
      awardRule({ awardsAudited, awardsAgreed: awardsAudited - overruled, cells: cells(list(stopLoss.window, agreed)) });
    expect(ruled(50, 50)).toEqual({ to: 'human', why: 'overruled', audited: 50, agreed: 0 });
    expect(ruled(50, 2)).toMatchObject({ to: 'human', why: 'overruled' });
    expect(ruled(50, 1)).toEqual({ to: 'judge' });
    expect(ruled(76, 3)).toEqual({ to: 'judge' });
  });
});

describe('the stop-loss', () => {
  const deciderAfter = (audits: readonly JudgeAudit[]) => awardRule({ ...confirmed, cells: cells(audits) }).to;

  it('goes on when the last 50 fall below κ 0.6, and off when they are back', () => {
    const good = list(stopLoss.window, agreed);
    expect(deciderAfter(good)).toBe('judge');
    // With equal halves κ is 1 − 4q/100 for q quarrels of 50, spread over both sides: 10 leave it at 0.6, 11 do not.
    expect(deciderAfter([...good, ...list(10, quarrel)])).toBe('judge');
    expect(deciderAfter([...good, ...list(12, quarrel)])).toBe('human');
    const mended = [...good, ...list(12, quarrel), ...list(40, agreed)];
    expect(deciderAfter(mended)).toBe('judge');
  });

  it('reads nothing but the last 50, in their order', () => {
    fc.assert(
      fc.property(fc.array(audit, { maxLength: 60 }), fc.array(audit, { minLength: 50, maxLength: 50 }), (before, last) => {
        expect(lastKappa([...before, ...last])).toBe(lastKappa(last));
      }),
    );
  });

  it('waits for 50 audits of a target, and one bad target stops them all', () => {
    for (const few of [cells([]), cells(list(49, agreed)), new Map([...cells(list(50, agreed)), ...cells([], 'two')])])
      expect(awardRule({ ...confirmed, cells: few })).toMatchObject({ to: 'human', why: 'few-audits' });
    expect(awardRule({ ...confirmed, cells: new Map() })).toMatchObject({ to: 'human', why: 'few-audits' });
    const both = new Map([
      ['good', list(60, agreed)],
      ['bad', list(60, quarrel)],
    ]);
    expect(awardRule({ awardsAudited: 99, awardsAgreed: 99, cells: both })).toMatchObject({ to: 'human', why: 'stop-loss', target: 'bad' });
  });

  it('never lets more disagreement turn it off', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 50, maxLength: 50 }), fc.nat(49), (human, at) => {
        // Balanced audits that agree, but for those that `human` turns round: one more turned round never raises κ above 0.6.
        const turn = (turned: readonly boolean[]) =>
          list(50, agreed).map((one, i) => (turned[i] ? { ...one, humanPassed: !one.humanPassed } : one));
        const more = human.map((turned, i) => turned || i === at);
        if (deciderAfter(turn(human)) === 'human') expect(deciderAfter(turn(more))).toBe('human');
      }),
    );
  });

  it('stops for a judge that passes all where one person says no, and not for one on which all agree', () => {
    const all: JudgeAudit = { judgePassed: true, humanPassed: true };
    expect(deciderAfter(list(50, () => all))).toBe('judge');
    expect(deciderAfter([...list(49, () => all), { judgePassed: true, humanPassed: false }])).toBe('human');
  });
});
