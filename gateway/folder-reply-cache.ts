import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReplyCache } from '../contracts/chat.ts';
import { parseBoundedJson } from '../contracts/json.ts';
import { mostReplyBytes, replyOf, textOfReply } from './reply-cache.ts';

/**
 * Keeps each reply as one file of `folder`, for commands that run without a database. A file appears whole or not at
 * all (it is written beside and renamed), and only its owner reads it: what a judge was asked of can be told from the
 * replies. A file that is no reply (cut, edited, of an older form) counts as absent. Rejects when the folder cannot be
 * read or written.
 */
export function folderReplyCache(folder: string): ReplyCache {
  const pathOf = (key: string): string => {
    if (!/^[0-9a-f]{64}$/.test(key)) throw new TypeError('a key is 64 hexadecimal digits');
    return join(folder, `${key}.json`);
  };
  return {
    get: async (key) => {
      const bytes = await readFile(pathOf(key)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      });
      if (bytes === null) return null;
      const parsed = parseBoundedJson(bytes, { maxBytes: mostReplyBytes, maxDepth: 16 });
      return parsed.ok ? replyOf(parsed.value) : null;
    },
    put: async (key, reply) => {
      const text = textOfReply(reply);
      if (text === null) return;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const beside = join(folder, `.${key}.${randomUUID()}`);
      try {
        await using file = await open(beside, 'wx', 0o600);
        await file.writeFile(text);
      } catch (error) {
        await rm(beside, { force: true });
        throw error;
      }
      await rename(beside, pathOf(key));
    },
    forget: async (keys) => {
      for (const key of keys) await rm(pathOf(key), { force: true });
    },
  };
}
