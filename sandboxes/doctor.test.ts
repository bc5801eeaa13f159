import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testEngine } from '../test/setup/docker.ts';
import { describeWith } from '../test/setup/optional.ts';
import { EngineInfo, EngineVersion, engineChecks, isFixed, parseVersion } from './docker/engine-checks.ts';
import { diagnose } from './doctor.ts';

const engine = await testEngine();
const socketFolder = await mkdtemp(join(tmpdir(), 'collective-sockets-'));
const given = { socketFolder, workerId: `doctor-${process.pid}` };

describe('the doctor', () => {
  it('says what to install when no engine answers', async () => {
    expect(await diagnose({ ...given, dockerHost: 'unix:///nonexistent/engine.sock', images: {} })).toEqual([
      {
        check: 'engine',
        ok: false,
        severity: 'fatal',
        detail: expect.stringContaining('/nonexistent/engine.sock'),
        advice: expect.stringContaining('docker.io'),
      },
    ]);
  });

  it('knows which versions have a fix, line by line', () => {
    const lines = [
      [1, 3, 6],
      [1, 4, 3],
      [1, 5, 0],
    ] as const;
    const fixed = (text: string) => isFixed(parseVersion(text) ?? [0, 0, 0], lines);
    expect(['1.1.5+ds1', '1.3.5', '1.4.2', '1.2.8'].map(fixed)).toEqual([false, false, false, false]);
    expect(['1.3.6', '1.4.3', '1.5.0-rc.3', '1.6.0', '2.0.0'].map(fixed)).toEqual([true, true, true, true, true]);
  });

  it('refuses an engine that cannot bound what a program uses', () => {
    const checks = engineChecks(EngineInfo.parse({ MemoryLimit: true }), EngineVersion.parse({ Version: '29.7.0' }));
    const failed = checks.filter((one) => !one.ok && one.severity === 'fatal').map((one) => one.check);
    expect(failed).toEqual(['engine-limits', 'seccomp']);
    expect(checks.find((one) => one.check === 'engine-version')?.ok).toBe(true);
    for (const { ok, advice } of checks) expect(advice === '').toBe(ok);
  });
});

describeWith('docker', engine.state, 'the doctor with an engine', () => {
  const { dockerHost, images } = engine;

  it('finds nothing fatal on a machine that can judge, and has tried it', async () => {
    const found = await diagnose({ ...given, dockerHost, images });
    expect(found.filter((one) => !one.ok && one.severity === 'fatal')).toEqual([]);
    const tried = [
      'network',
      'identity',
      'capabilities',
      'system-call-filter',
      'kernel-crypto-socket',
      'gateway-socket',
      'limit-memory',
      'limit-cpu',
    ];
    for (const check of tried) expect(found.map((one) => one.check)).toContain(check);
  }, 60_000);

  it('names an image that is missing', async () => {
    const found = await diagnose({ ...given, dockerHost, images: { node: `sha256:${'0'.repeat(64)}` } });
    expect(found.filter((one) => one.check.startsWith('image-'))).toMatchObject([
      { check: 'image-node', ok: false, detail: expect.stringContaining('not in the engine') },
      { check: 'image-python', ok: false, detail: 'not built yet', advice: expect.stringContaining('images build') },
    ]);
  });
});
