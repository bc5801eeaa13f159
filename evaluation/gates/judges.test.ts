import { describe, expect, it } from 'vitest';
import { wordRubricOf } from '../../test/setup/evaluation.ts';
import { judgesGate } from './judges.ts';

const judge = (name: string, vendor: string) => ({ name, vendor, provider: 'simulated', model: 'honest-judge', settings: { name } });
const asked = {
  of: 'answer',
  question: { form: 'yes-no', ask: 'Does the text name the word of the case?' },
  sentinels: { pass: [{ text: 'the word' }], fail: [{ text: 'nothing' }] },
};
const bounty = { name: 'first', threshold: 0.9, amountMinor: 100_000, currency: 'EUR', count: 1 };

function gateOf(grader: Record<string, unknown>, { bounties = [bounty], criteria }: { bounties?: unknown[]; criteria?: unknown[] } = {}) {
  const loaded = wordRubricOf({
    submission: [{ kind: 'answers', schema: { type: 'string' } }],
    criteria: criteria ?? [{ name: 'named', title: 'Named', grader: { ...asked, ...grader } }],
    judges: [judge('one', 'a'), judge('two', 'a'), judge('three', 'b'), judge('held', 'c'), judge('held-too', 'd')],
    judging: { calls: 100, inputTokens: 100_000, outputTokens: 10_000, costMicros: 0 },
    demonstration: false,
  });
  // With bounties on uncalibrated judges it would not load at all; the gate is asked what it would say all the same.
  return judgesGate({ ...loaded, rubric: { ...loaded.rubric, bounties: bounties as never } });
}

describe('the gate of judges', () => {
  it('has nothing to say where code decides', () => {
    expect(judgesGate(wordRubricOf())).toMatchObject([{ ok: true, measured: 0 }]);
  });

  it('asks for held-out judges and calibrations where money hangs on the verdict, and advises them elsewhere', () => {
    const alone = { kind: 'judge', judges: ['one'] };
    const details = (found: ReturnType<typeof gateOf>) => found.map(({ detail }) => detail).join('; ');
    expect(gateOf(alone).some(({ ok }) => ok)).toBe(false);
    expect(details(gateOf(alone))).toMatch(/no held-out judge.*no calibration/);
    expect(details(gateOf({ ...alone, heldOut: ['held'] }))).not.toMatch(/no held-out judge/);
    const advised = gateOf(alone, { bounties: [] });
    expect(advised.every(({ ok }) => ok)).toBe(true);
    expect(advised.every(({ fix }) => fix.includes('docs/how-to/calibrate.md'))).toBe(true);
  });

  it('asks for a jury of two vendors at least, also inside of a combination', () => {
    const jury = { ...asked, kind: 'jury', quorum: 2, heldOut: ['held', 'held-too'] };
    const ofVendors = (found: ReturnType<typeof gateOf>) => found.filter(({ detail }) => detail.includes('share their errors'));
    const same = ofVendors(gateOf({ ...jury, judges: ['one', 'two'] }));
    expect(same).toMatchObject([{ ok: false, control: 'named', measured: 1, detail: expect.stringContaining('all of a') }]);
    expect(ofVendors(gateOf({ ...jury, judges: ['one', 'three'] }))).toEqual([]);
    const criteria = [{ name: 'both', title: 'Both', grader: { kind: 'any', parts: [{ ...jury, judges: ['one', 'two'] }] } }];
    expect(ofVendors(gateOf(jury, { criteria }))).toMatchObject([{ ok: false, control: 'both', measured: 1 }]);
  });
});
