import type { WriteStream } from 'node:tty';

export interface ProgressBar extends Disposable {
  /** `what` is counted; cases when absent. */
  show(progress: { split: string; done: number; of: number; what?: string }): void;
  clear(): void;
}

const width = 30;
const redrawEveryMs = 80;

/** One line on a terminal that is redrawn; nothing at all where output is piped. */
export function progressBar(stream: WriteStream | null): ProgressBar {
  const terminal = stream?.isTTY === true ? stream : null;
  let drawnAt = 0;
  const clear = () => {
    if (drawnAt > 0) terminal?.write('\r\u001b[K');
  };
  return {
    show: ({ split, done, of, what = 'cases' }) => {
      const now = performance.now();
      if (terminal === null || (now - drawnAt < redrawEveryMs && done < of)) return;
      drawnAt = now;
      const filled = of === 0 ? width : Math.round((done / of) * width);
      terminal.write(`\r\u001b[K${split.padEnd(8)} ${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${done}/${of} ${what}`);
    },
    clear,
    [Symbol.dispose]: clear,
  };
}
