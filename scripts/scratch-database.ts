import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startEmbedded } from '../domain/db/embedded.ts';
import { migrate } from '../domain/db/migrate.ts';

export type ScratchDatabase = { url: string } & AsyncDisposable;

/** A migrated database on a server of its own, gone when disposed. For scripts that derive files from the migrations. */
export async function scratchDatabase(): Promise<ScratchDatabase> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'collective-scratch-'));
  await chmod(folder, 0o755);
  const server = await startEmbedded({ folder, log: () => undefined, durable: false });
  const dispose = async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await migrate(server.url);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { url: server.url, [Symbol.asyncDispose]: dispose };
}
