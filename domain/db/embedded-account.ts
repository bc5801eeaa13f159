import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/** The account the server runs under. Without ids: our own. Postgres refuses to run as root. */
export interface RunAs {
  uid?: number;
  gid?: number;
}

/**
 * As root: the owner of an existing data folder, else the account `postgres`, else `nobody`. No account is ever created:
 * a program that is tried out must not change the machine's users.
 */
export async function chooseAccount(existingData: string): Promise<RunAs> {
  if (process.getuid?.() !== 0) return {};
  const owner = await stat(existingData).catch(() => null);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  for (const name of ['postgres', 'nobody']) {
    const fields = accounts
      .split('\n')
      .find((line) => line.startsWith(`${name}:`))
      ?.split(':');
    const [uid, gid] = [Number(fields?.[2]), Number(fields?.[3])];
    if (Number.isInteger(uid) && Number.isInteger(gid) && uid > 0) return { uid, gid };
  }
  throw new Error(
    'PostgreSQL does not run as root, and this machine has neither an account "postgres" nor "nobody". ' +
      'Start as another user, or set DATABASE_URL to a PostgreSQL of your own.',
  );
}

/** Can `account` pass through every folder above `target`? A home of mode 0700 stops everybody but its owner. */
export async function isReachable(target: string, account: RunAs): Promise<boolean> {
  if (account.uid === undefined) return true;
  for (let folder = path.dirname(target); ; folder = path.dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (folder === path.dirname(folder)) return true;
  }
}
