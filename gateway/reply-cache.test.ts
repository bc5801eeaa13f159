import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ChatReply, ReplyCache } from '../contracts/chat.ts';
import { chatReply } from '../test/setup/rubrics.ts';
import { folderReplyCache } from './folder-reply-cache.ts';
import { memoryReplyCache, mostReplyBytes } from './reply-cache.ts';

const key = (digit: string) => digit.repeat(64);
const reply = (content: string): ChatReply => chatReply(content).reply;

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'replies-'));
  try {
    await run(join(folder, 'cache'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const kinds: [string, (run: (cache: ReplyCache) => Promise<void>) => Promise<void>][] = [
  ['in memory', (run) => run(memoryReplyCache())],
  ['in a folder', (run) => withFolder((folder) => run(folderReplyCache(folder)))],
];

describe.each(kinds)('replies kept %s', (_name, open) => {
  it('come back as they were, until they are forgotten', async () => {
    await open(async (cache) => {
      expect(await cache.get(key('a'))).toBeNull();
      const odd = reply('\u0000 "quoted" \u2028 🙂');
      await cache.put(key('a'), odd);
      await cache.put(key('b'), reply('b'));
      expect(await cache.get(key('a'))).toEqual(odd);
      await cache.forget([key('a'), key('c')]);
      expect([await cache.get(key('a')), await cache.get(key('b'))]).toEqual([null, reply('b')]);
    });
  });

  it('are not kept when they are too large', async () => {
    await open(async (cache) => {
      await cache.put(key('a'), reply('x'.repeat(mostReplyBytes)));
      expect(await cache.get(key('a'))).toBeNull();
    });
  });
});

it('memory keeps what was used last', async () => {
  const cache = memoryReplyCache(2);
  await cache.put(key('a'), reply('a'));
  await cache.put(key('b'), reply('b'));
  await cache.get(key('a'));
  await cache.put(key('c'), reply('c'));
  expect([await cache.get(key('a')), await cache.get(key('b')), await cache.get(key('c'))]).toEqual([reply('a'), null, reply('c')]);
});

describe('a folder', () => {
  it('holds whole files that only their owner reads, and nothing that was half written', async () => {
    await withFolder(async (folder) => {
      const cache = folderReplyCache(folder);
      await Promise.all(Array.from({ length: 20 }, (_, i) => cache.put(key('a'), reply(`${i}`))));
      expect(await readdir(folder)).toEqual([`${key('a')}.json`]);
      expect((await stat(join(folder, `${key('a')}.json`))).mode & 0o777).toBe(0o600);
      expect(await cache.get(key('a'))).not.toBeNull();
    });
  });

  it('takes what is no reply for absent, and replaces it', async () => {
    await withFolder(async (folder) => {
      const cache = folderReplyCache(folder);
      await cache.put(key('a'), reply('a'));
      for (const text of ['', '{"content":', '{"content":"pass"}', 'null', 'x'.repeat(mostReplyBytes + 1)]) {
        await writeFile(join(folder, `${key('a')}.json`), text);
        expect(await cache.get(key('a'))).toBeNull();
      }
      await cache.put(key('a'), reply('b'));
      expect(await cache.get(key('a'))).toEqual(reply('b'));
    });
  });

  it('takes nothing but a hash for a key', async () => {
    await withFolder(async (folder) => {
      await expect(folderReplyCache(folder).get('../../etc/passwd')).rejects.toThrow('64 hexadecimal digits');
    });
  });

  it('says when it cannot be written', async () => {
    await withFolder(async (folder) => {
      await writeFile(folder, 'a file');
      await chmod(folder, 0o600);
      await expect(folderReplyCache(folder).put(key('a'), reply('a'))).rejects.toThrow(/EEXIST|ENOTDIR/);
    });
  });
});
