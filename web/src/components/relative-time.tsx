import { useSyncExternalStore } from 'react';
import { formatAbsolute, formatRelative } from './format.ts';

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now();

/** One clock for all relative times of a page: it ticks every second while any is shown. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  now = Date.now();
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** How long ago, or how long until; the absolute time in UTC is in the title. Redrawn only when its words change. */
export function RelativeTime({ at }: { at: string }) {
  const words = useSyncExternalStore(subscribe, () => formatRelative(Date.parse(at), now));
  return (
    <time dateTime={at} title={formatAbsolute(at)}>
      {words}
    </time>
  );
}
