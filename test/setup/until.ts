import { setTimeout as delay } from 'node:timers/promises';

/** Waits until `condition` gives something truthy and returns it; fails after `timeoutMs` with `what`. Asks every `everyMs`. */
export async function until<T>(what: string, condition: () => T | Promise<T>, timeoutMs = 10_000, everyMs = 10): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await delay(everyMs);
  }
}
