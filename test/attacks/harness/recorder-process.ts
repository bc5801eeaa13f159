/**
 * The recording proxy in a process of its own: it passes every byte that a sandbox says, and what that costs must not
 * show in the memory and the event loop of the process under test. Speaks with `recorder.ts` over the IPC channel and
 * ends with it.
 */
import { startEngineProxy } from '../../setup/engine-proxy.ts';
import type { FromRecorder, ToRecorder } from './recorder.ts';

const proxy = await startEngineProxy({ engineHost: process.argv[2] ?? '' });
const say = (message: FromRecorder) => process.send?.(message);

process.on('message', async ({ id, ask, since }: ToRecorder) => {
  if (ask === 'die') await proxy.die();
  if (ask === 'heal') await proxy.heal();
  if (ask === 'hang') proxy.fault(() => true, { kind: 'hang' });
  say({ id, calls: proxy.calls().slice(since) });
});
process.on('disconnect', async () => {
  await proxy[Symbol.asyncDispose]();
  process.exit();
});
say({ id: 0, host: proxy.host, calls: [] });
