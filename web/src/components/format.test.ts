import { describe, expect, it } from 'vitest';
import { formatAbsolute, formatBytes, formatCost, formatDuration, formatRelative, formatScore, plural } from './format.ts';

describe('formatting', () => {
  it('never shows a tiny score as zero nor a nearly full one as full', () => {
    expect([0, 1, 0.8123456, 3.14e-71, 0.999999].map(formatScore)).toEqual(['0', '1', '0.8123', '3.1e-71', '0.999999']);
  });
  it('says durations in the unit people use', () => {
    expect([4.4, 2_340, 125_000, 11_400_000].map(formatDuration)).toEqual(['4 ms', '2.3 s', '2 min 5 s', '3 h 10 min']);
  });
  it('keeps money exact and never free when it is not', () => {
    expect(['0', '12', '1250000', '99'].map(formatCost)).toEqual(['0 USD', 'under 0.0001 USD', '1.2500 USD', 'under 0.0001 USD']);
  });
  it('says times from now', () => {
    const now = Date.UTC(2026, 10, 23, 12);
    expect([now - 2_000, now - 42_000, now - 300_000, now + 7_200_000].map((at) => formatRelative(at, now))).toEqual([
      'now',
      '42 seconds ago',
      '5 minutes ago',
      'in 2 hours',
    ]);
    expect(formatAbsolute('2026-11-23T13:05:09.123Z')).toBe('2026-11-23 13:05:09 UTC');
  });
  it('counts', () => {
    expect([plural(1, 'case'), plural(1_200, 'case'), formatBytes(12_400)]).toEqual(['1 case', '1,200 cases', '12.4 kB']);
  });
});
