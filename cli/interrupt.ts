import { exitCodes, InputError } from './exit-codes.ts';

/** An abort signal that follows Ctrl-C and SIGTERM while it is in scope. */
export function abortOnSignal(): { signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const abort = () => controller.abort(new InputError('interrupted before the end; nothing was decided', exitCodes.interrupted));
  process.once('SIGINT', abort);
  process.once('SIGTERM', abort);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      process.off('SIGINT', abort);
      process.off('SIGTERM', abort);
    },
  };
}
