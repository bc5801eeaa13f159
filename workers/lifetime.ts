/**
 * Resolves when this process should end: SIGTERM or SIGINT, or its parent is gone. A child whose parent was killed with
 * -9 gets no signal; the closed channel tells it.
 */
export function whenToldToStop(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const orphaned = () => resolve('parent is gone');
  const signalled = (signal: string) => {
    // A listener for `disconnect` keeps the channel, and with it this process, alive after everything else has ended.
    process.off('disconnect', orphaned);
    resolve(signal);
  };
  process.once('SIGTERM', signalled);
  process.once('SIGINT', signalled);
  if (process.send !== undefined) process.once('disconnect', orphaned);
  return promise;
}
