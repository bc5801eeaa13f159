import { createHash, randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, readFile, realpath } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createOnce, readIfThere } from '../create-once.ts';
import { isReachable, type RunAs } from './embedded-account.ts';

/** Name of the file in the asked folder that says where the database really is, when it could not be there. */
const recordName = 'database-is-elsewhere';
const systemFolder = '/var/lib/ai-safety-collective';

export interface Place {
  /** Holds `data/`, `password` and `port`. */
  folder: string;
  /** Set when it is not the folder that was asked for. */
  warning: string | null;
}

/**
 * Where the database files live: in `folder`, unless that is below a folder which the server's account may not pass
 * (root's project in a home of mode 0700). Then below /var/lib, recorded in `folder` so that the next start finds it.
 * The name carries a random part: a new clone at a path used before must not wake up with the old clone's data.
 */
export async function choosePlace(folder: string, account: RunAs): Promise<Place> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const asked = await realpath(folder);
  const record = path.join(asked, recordName);
  const known = await readIfThere(record);
  if (known !== null) {
    await makePassable(known);
    return { folder: known, warning: null };
  }
  if (await isReachable(path.join(asked, 'data'), account)) return { folder: asked, warning: null };

  const base = await outsideFolder();
  const name = `${createHash('sha256').update(asked).digest('hex').slice(0, 16)}-${randomBytes(4).toString('hex')}`;
  await createOnce(record, path.join(base.folder, name));
  const place = (await readFile(record, 'utf8')).trim();
  await makePassable(place);
  return {
    folder: place,
    warning: `${base.warning}${asked} cannot be reached by the account PostgreSQL runs under; its files are in ${place}`,
  };
}

let outside: Promise<{ folder: string; warning: string }> | undefined;

/** A folder of root's own that every account may pass through. */
export function outsideFolder(): Promise<{ folder: string; warning: string }> {
  outside ??= makeOutsideFolder();
  return outside;
}

async function makeOutsideFolder(): Promise<{ folder: string; warning: string }> {
  try {
    await makePassable(systemFolder);
    await assertOurs(systemFolder);
    return { folder: systemFolder, warning: '' };
  } catch (error) {
    const folder = path.join(os.tmpdir(), 'ai-safety-collective-root');
    await makePassable(folder);
    await assertOurs(folder);
    return {
      folder,
      warning: `${systemFolder} cannot be used (${(error as Error).message}): the database may vanish with ${os.tmpdir()}. `,
    };
  }
}

/** Others may pass through, not look. A caller's umask may have taken that from the new folder, so it is set once more. */
async function makePassable(folder: string): Promise<void> {
  if ((await mkdir(folder, { recursive: true, mode: 0o711 })) !== undefined) await chmod(folder, 0o711);
}

/** Anybody may create a folder in /tmp first and later swap the programs in it, which we would run. */
async function assertOurs(folder: string): Promise<void> {
  const { uid, mode } = await lstat(folder);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) throw new Error(`${folder} belongs to or can be written by somebody else`);
}
