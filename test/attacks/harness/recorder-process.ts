/**
 * The recording proxy in a process of its own: it passes every byte that a sandbox says, and what that costs must not
 * show in the memory and the event loop of the process under test. It also judges the calls itself, because thousands
 * of create bodies are megabytes. Speaks with `recorder.ts` over the IPC channel and ends with it.
 */
import { startEngineProxy } from '../../setup/engine-proxy.ts';
import { forbiddenCalls } from './forbidden-calls.ts';
import type { FromRecorder, ToRecorder } from './recorder.ts';

const proxy = await startEngineProxy({ engineHost: process.argv[2] ?? '' });
const say = (message: FromRecorder) => process.send?.(message);

process.on('message', async ({ id, ask }: ToRecorder) => {
  if (ask === 'die') await proxy.die();
  if (ask === 'heal') await proxy.heal();
  if (ask === 'hang') proxy.fault(() => true, { kind: 'hang' });
  say({ id, judged: ask === 'judge' ? { calls: proxy.calls().length, problems: forbiddenCalls(proxy.calls()) } : null });
});
process.on('disconnect', async () => {
  await proxy[Symbol.asyncDispose]();
  process.exit();
});
say({ id: 0, host: proxy.host, judged: null });
