import { describe, expect, it } from 'vitest';
import { confinement, machineChecks, outOfReach, systemCallChecks } from './live-judgements.ts';
import { systemCalls } from './probe-programs.ts';

const denied = 'Operation not permitted';
/** Every call that the probe makes, by the names in its source. */
const names = [...systemCalls.slice(0, systemCalls.indexOf('generic =')).matchAll(/"([a-z_0-9 ]+)": \(/g)].map((match) => match[1] ?? '');
const allDenied = Object.fromEntries(names.map((name) => [name, name === 'clone3' ? 'Function not implemented' : denied]));
const failed = (calls: Record<string, string>, runtime: 'runc' | 'runsc' = 'runc') =>
  systemCallChecks(calls, 'x86_64', runtime).filter((one) => !one.ok);

describe('system calls tried from inside', () => {
  it('are all judged, and pass when the filter refused each', () => {
    expect(names.length).toBeGreaterThan(45);
    expect(failed(allDenied)).toEqual([]);
    const judged = systemCallChecks(allDenied, 'x86_64', 'runc').flatMap((one) => one.detail.replace('refused: ', '').split(', '));
    expect(judged.toSorted()).toEqual(names.toSorted());
  });

  it.each([
    'io_uring_setup',
    'keyctl',
    'userfaultfd',
    'bpf',
    'ptrace',
    'unshare user',
    'mount',
    'shmget',
    'memfd_create',
    'reboot',
    'setuid',
  ])('%s that works stops everything on this machine', (name) => {
    const [one, ...others] = failed({ ...allDenied, [name]: 'allowed' });
    expect(others).toEqual([]);
    expect(one).toMatchObject({ severity: 'critical', blocks: 'all', detail: `not refused: ${name} (allowed)` });
  });

  it('that the kernel answered, or that nobody tried, were not refused by the filter', () => {
    expect(failed({ ...allDenied, mount: 'Invalid argument' })[0]?.detail).toBe('not refused: mount (Invalid argument)');
    const { bpf: _bpf, ...untried } = allDenied;
    expect(failed(untried)[0]?.detail).toBe('not refused: bpf (not tried)');
    // The filter's own answer to these.
    expect(failed({ ...allDenied, splice: 'Invalid argument', tee: 'Invalid argument' })).toEqual([]);
  });

  it("answered with an error by gVisor's kernel did not reach the host's", () => {
    expect(failed({ ...allDenied, mount: 'Invalid argument', clone3: 'Invalid argument' }, 'runsc')).toEqual([]);
    expect(failed({ ...allDenied, mount: 'allowed' }, 'runsc')).toHaveLength(1);
  });

  it('that only x86 has are not missed elsewhere', () => {
    const { iopl: _iopl, modify_ldt: _ldt, ...others } = allDenied;
    expect(systemCallChecks(others, 'aarch64', 'runc').filter((one) => !one.ok)).toEqual([]);
  });
});

const shut = {
  write: { '/x': 'OSError 30' },
  read: { '/proc/1/mem': 'PermissionError 13', '/proc/kcore': 'allowed' },
  sockets: { alg: 'PermissionError 1', packet: 'PermissionError 1' },
  connect: { '169.254.169.254:80': 'OSError 101' },
  resolve: 'gaierror -3',
  signalRunner: ['PermissionError 1'],
  gateway: { unlink: 'OSError 30' },
};

describe('what a program reaches', () => {
  it('is nothing of ours on a sound machine', () => {
    expect(outOfReach(shut, 'runc').filter((one) => !one.ok)).toEqual([]);
  });

  it.each<[string, Partial<typeof shut>]>([
    ['paths', { write: { '/x': 'allowed' } }],
    ['paths', { write: {} as { '/x': string } }],
    ['runner', { read: { ...shut.read, '/proc/1/mem': 'allowed' } }],
    ['runner', { signalRunner: ['allowed'] }],
    ['addresses', { resolve: 'allowed' }],
    ['gateway-kept', { gateway: { unlink: 'allowed' } }],
    ['kernel-crypto-socket', { sockets: { ...shut.sockets, alg: 'OSError 97' } }],
    ['kernel-sockets', { sockets: { ...shut.sockets, packet: 'allowed' } }],
  ])('fails "%s" and nothing else where one way is open', (check, change) => {
    const failures = outOfReach({ ...shut, ...change }, 'runc').filter((one) => !one.ok);
    expect(failures.map((one) => [one.check, one.blocks])).toEqual([[check, 'all']]);
  });
});

describe('gVisor', () => {
  const shown = {
    status: { Uid: Array(4).fill('20001'), NoNewPrivs: [], Seccomp: ['2'], CapInh: ['0'], CapPrm: ['0'], CapEff: ['0'], CapAmb: ['0'] },
  };
  const self = { ...shown, interfaces: ['lo'], writeRoot: 'Read-only file system', environment: {} };
  const failures = (runtime: 'runc' | 'runsc', changes: object = {}) =>
    confinement({ ...self, ...changes }, runtime).flatMap((one) => (one.ok ? [] : [one.check]));

  it('may leave out what it does not show, and no other runtime may', () => {
    expect(failures('runsc')).toEqual([]);
    expect(failures('runc')).toEqual(['no-new-privileges']);
    expect(failures('runsc', { status: { ...shown.status, NoNewPrivs: ['0'] } })).toEqual(['no-new-privileges']);
    expect(failures('runsc', { interfaces: ['lo', 'eth0'], environment: { SECRET: 'x' } })).toEqual(['network', 'environment']);
  });

  it("may show where the runner's libraries lie, and never its memory or its input", () => {
    const reached = (path: string, runtime: 'runc' | 'runsc') =>
      outOfReach({ ...shut, read: { [path]: 'allowed' } }, runtime).find((one) => one.check === 'runner')?.ok;
    expect(reached('/proc/1/maps', 'runsc')).toBe(true);
    expect(reached('/proc/1/maps', 'runc')).toBe(false);
    expect(reached('/proc/1/mem', 'runsc')).toBe(false);
    expect(reached('/proc/1/fd/0', 'runsc')).toBe(false);
  });
});

describe('the machine', () => {
  it('must not answer a foreign ABI', () => {
    const of = (i386: string) =>
      machineChecks({ machine: 'x86_64', foreignAbis: { x32: 'killed by signal 31', i386 }, swapTotalKb: 0 }, false);
    expect(of('killed by signal 31')[0]).toMatchObject({ check: 'foreign-abi', ok: true });
    expect(of('allowed')[0]).toMatchObject({ check: 'foreign-abi', ok: false, blocks: 'all' });
  });

  it('has no swap, or counts it', () => {
    const swap = (swapTotalKb: number, isCounted: boolean) =>
      machineChecks({ machine: 'aarch64', foreignAbis: {}, swapTotalKb }, isCounted)[1];
    expect(swap(0, false)).toMatchObject({ ok: true });
    expect(swap(1024, true)).toMatchObject({ ok: true });
    expect(swap(1024, false)).toMatchObject({ ok: false, severity: 'warning', blocks: 'nothing' });
  });
});
