import { describe, expect, it } from 'vitest';
import { type AcceptableRisk, type Finding, standingOf } from './doctor.ts';

const failed = (check: string, blocks: Finding['blocks'], ok = false): Finding => ({
  ...{ check, blocks, ok, severity: 'critical' as const, detail: check, why: '', cves: [], fix: '' },
});
const standing = (findings: Finding[], accepted: AcceptableRisk[] = []) => {
  const { blocking, ...rest } = standingOf({ findings }, accepted);
  return { ...rest, blocking: blocking.map((one) => one.check) };
};

describe('what may run on a machine', () => {
  it('is everything where nothing failed that blocks', () => {
    const nothing = [failed('swap', 'nothing'), failed('network', 'all', true)];
    expect(standing(nothing)).toEqual({ ordinary: true, bounty: true, acceptedRisks: [], blocking: [] });
  });

  it('is ordinary work alone where only bounty work is blocked, until its operator accepts every such risk', () => {
    const old = [failed('engine-version', 'bounty'), failed('runc-version', 'bounty')];
    expect(standing(old)).toMatchObject({ ordinary: true, bounty: false, blocking: ['engine-version', 'runc-version'] });
    expect(standing(old, ['engine-version'])).toEqual({
      ...{ ordinary: true, bounty: false, acceptedRisks: ['engine-version'], blocking: ['runc-version'] },
    });
    expect(standing(old, ['engine-version', 'runc-version'])).toMatchObject({ bounty: true, blocking: [] });
  });

  it('is nothing where a wall is missing, whatever was accepted', () => {
    const open = [failed('limit-cpu', 'bounty'), failed('network', 'all'), failed('engine-version', 'all')];
    expect(standing(open, ['engine-version'])).toEqual({
      ...{ ordinary: false, bounty: false, acceptedRisks: [], blocking: ['network', 'engine-version', 'limit-cpu'] },
    });
  });

  it('names only accepted risks that are real here', () => {
    expect(standing([failed('runc-version', 'bounty')], ['engine-version', 'runc-version']).acceptedRisks).toEqual(['runc-version']);
    expect(standing([failed('runc-version', 'bounty', true)], ['runc-version']).acceptedRisks).toEqual([]);
    expect(standing([failed('runc-version', 'nothing')], ['runc-version']).acceptedRisks).toEqual([]);
  });
});
