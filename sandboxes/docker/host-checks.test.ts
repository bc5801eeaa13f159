import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { clockCheck, diskCheck, watchClock } from './host-checks.ts';

describe('disks', () => {
  it('are measured where they can be seen', async () => {
    const one = await diskCheck('disk-home', tmpdir());
    expect(one.check).toBe('disk-home');
    expect(one.detail).toMatch(/^\d+ MiB and .* files free at /);
  });

  it('are told as unseen where they are on another machine, which blocks nothing', async () => {
    expect(await diskCheck('disk-engine', '/nonexistent/docker')).toMatchObject({
      ...{ ok: false, severity: 'info', blocks: 'nothing', detail: '/nonexistent/docker cannot be seen from here (ENOENT)' },
    });
  });

  it('that can hold nothing stop everything', async () => {
    // The kernel's file system of processes has no space at all.
    expect(await diskCheck('disk-home', '/proc')).toMatchObject({ ok: false, severity: 'critical', blocks: 'all' });
  });
});

describe('clocks', () => {
  const away = (ms: number) => async () => new Date(Date.now() + ms);

  it('that agree are fine, and a slow answer is no wrong clock', async () => {
    expect(await clockCheck('engine', away(0))).toMatchObject({ check: 'clock-engine', ok: true });
    const slow = async () => {
      const then = new Date();
      await new Promise((resolve) => setImmediate(resolve));
      return then;
    };
    expect(await clockCheck('database', slow)).toMatchObject({ ok: true });
  });

  it.each([-60_000, 60_000])('that are %i ms apart are told with how far, and block nothing', async (ms) => {
    const one = await clockCheck('database', away(ms));
    expect(one).toMatchObject({ check: 'clock-database', ok: false, severity: 'warning', blocks: 'nothing' });
    expect(one.detail).toMatch(/^(60000|59\d{3}|60\d{3}) ms away/);
  });

  it('that are not told are a finding, not an exception', async () => {
    const refuse = async (): Promise<Date> => {
      throw new Error('gone');
    };
    expect(await clockCheck('database', refuse)).toMatchObject({ ok: false, detail: 'the database did not tell its time: gone' });
    expect(await clockCheck('engine', async () => new Date(''))).toMatchObject({ ok: false, detail: 'the engine told no time' });
  });

  it('that step while the checks run are seen', () => {
    const times = [
      { wall: 1_000_000, monotonic: 50 },
      { wall: 1_000_000 + 8_000 + 3_600_000, monotonic: 8_050 },
    ];
    const judge = watchClock(() => times.shift() ?? { wall: 0, monotonic: 0 });
    expect(judge()).toMatchObject({
      check: 'clock-steady',
      ok: false,
      detail: 'the wall clock stepped by 3600000 ms while the checks ran',
    });
    expect(watchClock()()).toMatchObject({ ok: true });
  });
});
