import { describe, expect, it } from 'vitest';
import { acceptableRisks, type Finding, standingOf } from '../../contracts/doctor.ts';
import { EngineInfo, EngineVersion, engineChecks, type Use } from './engine-checks.ts';
import { holesOf, isFixed, parseVersion, runcHoles } from './known-holes.ts';

const able = {
  MemoryLimit: true,
  SwapLimit: true,
  PidsLimit: true,
  CpuCfsQuota: true,
  SecurityOptions: ['name=seccomp,profile=default', 'name=userns'],
};
const modern = { ...able, CgroupVersion: '2', KernelVersion: '6.12.5' };
const checked = (info: object, engine: string, versions: Partial<Record<'runc' | 'crun' | 'runsc', string>>, use: Partial<Use> = {}) =>
  engineChecks(
    EngineInfo.parse(info),
    EngineVersion.parse({ Version: engine, Components: null }),
    { runc: null, crun: null, runsc: null, ...versions },
    { runtimes: ['runc'], foreignImages: false, ...use },
  );
const failedOf = (findings: Finding[]) => findings.filter((one) => !one.ok);
const found = (findings: Finding[], check: string) => findings.find((one) => one.check === check);

describe('versions', () => {
  it('are read with their release candidates', () => {
    expect(parseVersion('20.10.24+dfsg1')?.slice(0, 3)).toEqual([20, 10, 24]);
    expect(parseVersion('1.5.0-rc.3')).toEqual([1, 5, 0, 3]);
    expect(parseVersion('runc')).toBeNull();
  });

  it('have a fix line by line, and a candidate comes before its release', () => {
    const lines = ['1.3.6', '1.4.3', '1.5.0-rc.3'].map((text) => parseVersion(text) ?? ([0, 0, 0, 0] as const));
    const fixed = (text: string) => isFixed(parseVersion(text) ?? [0, 0, 0, 0], lines);
    expect(['1.1.5+ds1', '1.3.5', '1.4.2', '1.2.8', '1.5.0-rc.2'].map(fixed)).toEqual([false, false, false, false, false]);
    expect(['1.3.6', '1.4.3', '1.5.0-rc.3', '1.5.0', '1.6.0', '2.0.0'].map(fixed)).toEqual([true, true, true, true, true, true]);
  });

  it('that cannot be read have every hole', () => {
    expect(holesOf(null, runcHoles)).toEqual(runcHoles);
    expect(holesOf('unknown', runcHoles)).toEqual(runcHoles);
    expect(holesOf('1.3.5', runcHoles).flatMap((hole) => hole.cves)).toEqual(['CVE-2026-41579']);
  });
});

describe('what an engine says about itself', () => {
  it('is all right on a current machine', () => {
    expect(failedOf(checked(modern, '29.7.0', { runc: '1.4.3' }, { foreignImages: true }))).toEqual([]);
  });

  it('stops everything where it cannot bound or filter what a program does', () => {
    const findings = checked({ MemoryLimit: true }, '29.7.0', { runc: '1.4.3' });
    expect(
      failedOf(findings)
        .filter((one) => one.blocks === 'all')
        .map((one) => one.check),
    ).toEqual(['engine-limits', 'seccomp']);
    expect(found(findings, 'engine-limits')?.detail).toContain('processes, processor time');
    expect(standingOf({ findings }, acceptableRisks)).toMatchObject({ ordinary: false, bounty: false });
  });

  it('stops bounty work alone on an old engine, and says why, with CVEs and a fix', () => {
    const findings = checked({ ...able, CgroupVersion: '1' }, '20.10.24+dfsg1', { runc: '1.1.5+ds1' });
    for (const [check, cve] of [
      ['engine-version', 'CVE-2026-41567'],
      ['runc-version', 'CVE-2025-31133'],
    ] as const) {
      const one = found(findings, check);
      expect(one).toMatchObject({ ok: false, severity: 'critical', blocks: 'bounty', cves: expect.arrayContaining([cve]) });
      expect(one?.fix).toMatch(/^Install .* or later/);
    }
    expect(standingOf({ findings }, [])).toMatchObject({ ordinary: true, bounty: false });
    expect(standingOf({ findings }, ['engine-version', 'runc-version'])).toMatchObject({ ordinary: true, bounty: true });
  });

  it('holds holes that need a prepared image against machines that run such images only', () => {
    const versions = { runc: '1.3.5' };
    expect(found(checked(modern, '29.6.0', versions), 'runc-version')).toMatchObject({ ok: false, severity: 'warning', blocks: 'nothing' });
    expect(found(checked(modern, '29.6.0', versions), 'engine-version')).toMatchObject({
      ok: false,
      severity: 'warning',
      blocks: 'nothing',
    });
    const withImages = checked(modern, '29.6.0', versions, { foreignImages: true });
    expect(found(withImages, 'runc-version')).toMatchObject({ severity: 'critical', blocks: 'bounty', cves: ['CVE-2026-41579'] });
    expect(found(withImages, 'engine-version')).toMatchObject({ severity: 'critical', blocks: 'bounty', cves: ['CVE-2026-17106'] });
  });

  it('looks at the runtimes that are used and at no others', () => {
    const names = (runtimes: Use['runtimes']) =>
      checked(modern, '29.7.0', { crun: '1.8.1', runsc: 'release-20260907.0' }, { runtimes })
        .map((one) => one.check)
        .filter((check) => /^(runc|crun|runsc)-/.test(check));
    expect(names(['crun'])).toEqual(['crun-version']);
    expect(names(['runc', 'runsc'])).toEqual(['runc-version', 'runsc-version']);
    const gvisor = checked(modern, '29.7.0', { runsc: '0.0~20221219.0' }, { runtimes: ['runsc'] });
    expect(found(gvisor, 'runsc-version')).toMatchObject({ ok: false, severity: 'warning', blocks: 'nothing' });
    expect(standingOf({ findings: gvisor }, []).bounty).toBe(true);
  });

  it('warns of a second wall that is missing, of control groups version 1 and of an old kernel', () => {
    const findings = checked({ ...able, SecurityOptions: ['name=seccomp'], KernelVersion: '4.19.0-27-amd64' }, '29.7.0', { runc: '1.4.3' });
    expect(failedOf(findings).map((one) => [one.check, one.severity, one.blocks])).toEqual([
      ['kernel-version', 'warning', 'nothing'],
      ['cgroup-version', 'warning', 'nothing'],
      ['user-namespace', 'warning', 'nothing'],
    ]);
  });

  it('blocks bounty work by checks that an operator can accept, and by no others', () => {
    const worst = checked(able, '1.0.0', {}, { runtimes: ['runc', 'crun', 'runsc'], foreignImages: true });
    expect(
      failedOf(worst)
        .filter((one) => one.blocks === 'bounty')
        .map((one) => one.check),
    ).toEqual([...acceptableRisks]);
    for (const { ok, fix, why } of worst) {
      expect(fix === '').toBe(ok);
      expect(why).not.toBe('');
    }
  });
});
