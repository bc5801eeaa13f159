export type ShortcutAction = 'help' | 'search' | 'challenges' | 'submissions' | 'status';
export interface KeyState {
  /** When `g` was pressed, in ms; null when no sequence is open. */
  prefix: number | null;
}

const sequenceMs = 1_500;
const single: Readonly<Record<string, ShortcutAction>> = { '?': 'help', '/': 'search' };
const afterG: Readonly<Record<string, ShortcutAction>> = { c: 'challenges', s: 'submissions', t: 'status' };

/** One key press: `/`, `?`, or `g` and then a letter within 1.5 s. */
export function nextKey(state: KeyState, key: string, atMs: number): { state: KeyState; action: ShortcutAction | null } {
  const inSequence = state.prefix !== null && atMs - state.prefix <= sequenceMs;
  if (inSequence && afterG[key]) return { state: { prefix: null }, action: afterG[key] };
  if (key === 'g') return { state: { prefix: atMs }, action: null };
  return { state: { prefix: null }, action: single[key] ?? null };
}
