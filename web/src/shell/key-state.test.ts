import { expect, it } from 'vitest';
import { type KeyState, nextKey } from './key-state.ts';

const press = (...keys: [string, number][]) => {
  let state: KeyState = { prefix: null };
  return keys.map(([key, at]) => {
    const step = nextKey(state, key, at);
    state = step.state;
    return step.action;
  });
};

it('knows single keys and sequences', () => {
  expect(press(['/', 0], ['?', 1])).toEqual(['search', 'help']);
  expect(press(['g', 0], ['c', 100], ['g', 200], ['s', 300], ['g', 400], ['t', 500])).toEqual([
    null,
    'challenges',
    null,
    'submissions',
    null,
    'status',
  ]);
});

it('forgets a sequence that was interrupted or took too long', () => {
  expect(press(['g', 0], ['c', 2_000])).toEqual([null, null]);
  expect(press(['g', 0], ['x', 10], ['s', 20])).toEqual([null, null, null]);
  expect(press(['c', 0], ['s', 10])).toEqual([null, null]);
});
