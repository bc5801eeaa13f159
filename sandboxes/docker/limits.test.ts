import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Limits } from '../../contracts/sandbox.ts';
import { clampLimits } from './limits.ts';

it('lowers what is above the maximum, remembers what was asked, and leaves the rest', () => {
  const limits = Limits.parse({ memoryBytes: 536_870_912, wallMs: 1_000 });
  const { limits: clamped, lowered } = clampLimits(limits, { memoryBytes: 134_217_728, wallMs: 60_000 });
  expect(clamped).toEqual({ ...limits, memoryBytes: 134_217_728 });
  expect(lowered).toEqual({ memoryBytes: 536_870_912 });
});

it('never gives more than either side allows', () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 600_000 }), fc.integer({ min: 100, max: 600_000 }), (asked, most) => {
      const { limits, lowered } = clampLimits(Limits.parse({ wallMs: asked }), { wallMs: most });
      expect(limits.wallMs).toBe(Math.min(asked, most));
      expect(lowered.wallMs).toBe(asked > most ? asked : undefined);
    }),
  );
});
