import { expect, it } from 'vitest';
import { stagesOf } from './stages.ts';

const base = { outcome: null, createdAt: '2026-01-01T00:00:00.000Z', startedAt: null, doneAt: null };
const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString();
const states = (list: ReturnType<typeof stagesOf>) => list.map(({ state }) => state);

it('shows what is past with its time, what runs and what is ahead', () => {
  const list = stagesOf({ ...base, status: 'running' }, { screening: at(1), queued: at(2), running: at(5) });
  expect(states(list)).toEqual(['past', 'past', 'past', 'current', 'ahead', 'ahead', 'ahead']);
  expect(list.map(({ tookMs }) => tookMs)).toEqual([1_000, 1_000, 3_000, null, null, null, null]);
});

it('does not tick stages that were never entered', () => {
  const list = stagesOf({ ...base, status: 'done', outcome: 'invalid', doneAt: at(2) }, { screening: at(1), done: at(2) });
  expect(states(list)).toEqual(['past', 'past', 'skipped', 'skipped', 'skipped', 'skipped', 'past']);
});

it('claims nothing about stages when no event is known', () => {
  expect(states(stagesOf({ ...base, status: 'done', outcome: 'pass', doneAt: at(2) }, {}))).toEqual(Array(7).fill('past'));
});

it('leaves a parked evaluation where it stood', () => {
  const list = stagesOf({ ...base, status: 'parked' }, { screening: at(1), queued: at(2), running: at(3) });
  expect(list.find(({ state }) => state === 'current')?.stage).toBe('running');
});
