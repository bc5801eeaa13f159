import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { standingOf } from '../contracts/doctor.ts';
import { testEngine } from '../test/setup/docker.ts';
import { describeWith } from '../test/setup/optional.ts';
import { diagnose, engineVersionOf } from './doctor.ts';

const engine = await testEngine();
const socketFolder = await mkdtemp(join(tmpdir(), 'collective-sockets-'));
afterAll(() => rm(socketFolder, { recursive: true, force: true }));
const given = { socketFolder, workerId: `doctor-${process.pid}` };

describe('the doctor', () => {
  it('says what to install when no engine answers', async () => {
    const dockerHost = 'unix:///nonexistent/engine.sock';
    const report = await diagnose({ ...given, dockerHost, images: {} });
    expect(report).toMatchObject({
      engineVersion: null,
      findings: [
        { check: 'engine', ok: false, severity: 'critical', blocks: 'all', detail: expect.stringContaining('/nonexistent/engine.sock') },
      ],
    });
    expect(report.findings[0]?.fix).toContain('docker.io');
    expect(standingOf(report, ['engine-version'])).toMatchObject({ ordinary: false, bounty: false });
    expect(await engineVersionOf({ dockerHost })).toBeNull();
  });
});

describeWith('docker', engine.state, 'the doctor with an engine', () => {
  const { dockerHost, images, docker } = engine;
  const options = { ...given, dockerHost, images };

  it('finds every wall standing on a machine that can judge, has tried each, and leaves nothing behind', async () => {
    const report = await diagnose({ ...options, home: tmpdir(), databaseTime: async () => new Date() });
    const walls = report.findings.filter((one) => one.blocks === 'all' && !one.ok);
    expect(walls).toEqual([]);
    const tried = [
      ...['engine', 'engine-version', 'runc-version', 'kernel-version', 'engine-limits', 'seccomp', 'cgroup-version', 'user-namespace'],
      ...['disk-engine', 'disk-home', 'clock-engine', 'clock-database', 'clock-steady', 'image-node', 'image-python'],
      ...['runtime-runc', 'live-sandbox', 'network', 'identity', 'capabilities', 'no-new-privileges', 'system-call-filter'],
      ...['read-only-root', 'environment', 'paths', 'runner', 'addresses', 'gateway-kept', 'kernel-crypto-socket', 'kernel-sockets'],
      ...['foreign-abi', 'swap', 'io-uring', 'keyrings', 'userfaultfd', 'bpf-and-perf', 'tracing', 'namespaces', 'mounts'],
      ...['shared-memory', 'signals-by-file', 'protocol-modules', 'page-cache', 'machine-control', 'identity-change', 'gateway-socket'],
      ...['limit-memory', 'limit-cpu', 'limit-processes', 'limit-output', 'limit-disk'],
    ];
    expect(report.findings.map((one) => one.check)).toEqual(expect.arrayContaining(tried));
    expect(new Set(report.findings.map((one) => one.check)).size).toBe(report.findings.length);
    for (const { check, ok, fix, why } of report.findings) {
      expect([check, fix === '', why === '']).toEqual([check, ok, false]);
    }
    const okOf = (check: string) => report.findings.find((one) => one.check === check)?.ok;
    // Walls are tried in gVisor wherever it runs at all: a rubric may demand it.
    expect(okOf('walls-runsc') !== undefined).toBe(okOf('runtime-runsc'));
    expect(report.engineVersion).toBe(await engineVersionOf({ dockerHost }));
    const left = await docker.listContainers({ all: true, filters: { label: [`collective.worker=${given.workerId}-doctor`] } });
    expect(left).toEqual([]);
    expect(await readdir(socketFolder)).toEqual([]);
  }, 120_000);

  it('names an image that is missing, and tries nothing that needs it', async () => {
    const { findings } = await diagnose({ ...options, images: { node: `sha256:${'0'.repeat(64)}` } });
    expect(findings.filter((one) => one.check.startsWith('image-'))).toMatchObject([
      { check: 'image-node', ok: false, severity: 'critical', detail: expect.stringContaining('not in the engine') },
      { check: 'image-python', ok: false, severity: 'critical', detail: 'not built yet', fix: expect.stringContaining('images build') },
    ]);
    expect(findings.map((one) => one.check)).not.toContain('live-sandbox');
  });

  it('stops when it is told to', async () => {
    const reason = new Error('told to stop');
    await expect(diagnose({ ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
