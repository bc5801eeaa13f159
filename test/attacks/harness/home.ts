import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The folders of one arena. Whatever makes temporary files between `enter` and `leave` makes them in `scratch`. */
export interface Home extends Disposable {
  sockets: string;
  scratch: string;
  /** Where canaries lie, outside of everything that sandboxes use. */
  outside: string;
  /** The driver's record of pulled images. */
  records: string;
  enter(): void;
  leave(): void;
}

export function makeHome(): Home {
  const home = mkdtempSync(join(tmpdir(), 'attacks-'));
  // Socket paths are short.
  const folders = { sockets: join(home, 's'), scratch: join(home, 'scratch'), outside: join(home, 'outside') };
  for (const folder of Object.values(folders)) mkdirSync(folder, { mode: 0o755 });
  const before = process.env.TMPDIR;
  const leave = () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  };
  return {
    ...folders,
    records: join(home, 'records'),
    enter: () => {
      process.env.TMPDIR = folders.scratch;
    },
    leave,
    [Symbol.dispose]: () => {
      leave();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
