import { describe, expect, it } from 'vitest';
import { type Finding, standingOf } from '../contracts/doctor.ts';
import { Need } from '../contracts/queue.ts';
import type { Availability, Profile, SandboxDriver } from '../contracts/sandbox.ts';
import { offerOf, type Seen } from './sandbox-drivers.ts';

const failing = (check: string, blocks: Finding['blocks']): Finding => ({
  ...{ check, blocks, ok: false, severity: 'critical' as const, detail: `${check} is bad`, why: '', cves: ['CVE-1'], fix: `mend ${check}` },
});
const driver = (name: SandboxDriver['name'], profiles: Profile[]): SandboxDriver => ({
  ...{ name, profiles },
  probe: async () => wasm.state,
  open: async () => ({ ok: false, message: 'not asked for' }),
});
const wasm: Seen = { driver: driver('wasm', ['js']), state: { available: true, profiles: ['js'], gvisor: false, detail: '' } };
const docker = (state: Availability): Seen => ({ driver: driver('docker', ['node', 'python', 'image']), state });
const able = (changes: Partial<Availability & { available: true }> = {}) =>
  docker({ available: true, profiles: ['node', 'python', 'image'], gvisor: true, detail: '', ...changes });
const sound = { standing: standingOf({ findings: [] }, []), gvisorWorks: true };
const offered = (...given: Parameters<typeof offerOf>) => offerOf(...given).needs;

describe('what a worker offers', () => {
  it('is everything where drivers and doctor have nothing against it', () => {
    const offer = offerOf([wasm, able()], sound);
    expect(offer.needs.toSorted()).toEqual([...Need.options].toSorted());
    expect(offer.unavailable).toEqual([]);
  });

  it('is no bounty work before the checks have ended, but everything else', () => {
    const { needs, unavailable } = offerOf([wasm, able()], { standing: null, gvisorWorks: true });
    expect(needs.toSorted()).toEqual(Need.options.filter((need) => !need.endsWith('bounty')).toSorted());
    expect(unavailable.find((one) => one.need === 'python-bounty')?.reason).toContain('checks of the machine');
  });

  it('is no bounty work on an old engine, with every reason and a fix, until the risks are accepted', () => {
    const findings = [failing('engine-version', 'bounty'), failing('runc-version', 'bounty'), failing('swap', 'nothing')];
    const { needs, unavailable } = offerOf([able()], { standing: standingOf({ findings }, []), gvisorWorks: true });
    expect(needs).toContain('python-gvisor');
    expect(needs.filter((need) => need.endsWith('bounty'))).toEqual([]);
    expect(unavailable.find((one) => one.need === 'python-bounty')).toEqual({
      need: 'python-bounty',
      reason: 'the checks of the machine failed: engine-version is bad (CVE-1); runc-version is bad (CVE-1)',
      install: 'mend engine-version mend runc-version',
    });
    const accepting = standingOf({ findings }, ['engine-version', 'runc-version']);
    expect(offered([able()], { standing: accepting, gvisorWorks: true })).toContain('node-gvisor-bounty');
  });

  it('is nothing in containers where a wall is missing, and the small sandbox as before', () => {
    const standing = standingOf({ findings: [failing('network', 'all')] }, []);
    const { needs, unavailable } = offerOf([wasm, able()], { standing, gvisorWorks: true });
    expect(needs).toEqual(['none', 'js']);
    expect(unavailable).toHaveLength(12);
    expect(unavailable[0]).toMatchObject({ need: 'node', reason: expect.stringContaining('network is bad'), install: 'mend network' });
  });

  it('is gVisor where the engine has it and it works', () => {
    const without = offerOf([able({ gvisor: false })], sound);
    expect(without.needs.filter((need) => need.includes('gvisor'))).toEqual([]);
    expect(without.unavailable.find((one) => one.need === 'node-gvisor')?.reason).toContain('has no gVisor');
    expect(offerOf([able()], { ...sound, gvisorWorks: false }).unavailable.find((one) => one.need === 'node-gvisor')?.reason).toContain(
      'does not work',
    );
  });

  it('names what a driver lacks for every need that lacks it', () => {
    const gone = offerOf([docker({ available: false, profiles: [], reason: 'no engine', install: 'install one.' })], {
      ...sound,
      standing: null,
    });
    expect(gone.needs).toEqual(['none']);
    expect(new Set(gone.unavailable.map((one) => one.reason))).toEqual(new Set(['no engine']));
    const partial = offerOf([able({ profiles: ['python'] })], sound);
    expect(partial.unavailable.find((one) => one.need === 'node')?.install).toContain('images build');
    expect(partial.unavailable.find((one) => one.need === 'image')?.install).toContain('IMAGE_REGISTRIES');
  });
});
