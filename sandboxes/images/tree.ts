import { createHash } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * SHA-256 over a folder: each name with its mode, kind and content, in order. Two folders have the same one exactly when
 * they hold the same. Links are not followed and count as what they are.
 */
export async function hashTree(folder: string): Promise<{ sha256: string; files: number }> {
  const hash = createHash('sha256');
  let files = 0;
  const add = async (path: string): Promise<void> => {
    for (const name of (await readdir(join(folder, path))).sort()) {
      const inner = path === '' ? name : `${path}/${name}`;
      const stats = await lstat(join(folder, inner));
      const kind = stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : 'other';
      const content =
        kind === 'file'
          ? createHash('sha256')
              .update(await readFile(join(folder, inner)))
              .digest('hex')
          : '';
      hash.update(JSON.stringify([inner, kind, stats.mode & 0o7777, content]));
      if (kind === 'folder') await add(inner);
      else files++;
    }
  };
  await add('');
  return { sha256: hash.digest('hex'), files };
}
