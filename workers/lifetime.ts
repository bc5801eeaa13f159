/**
 * Resolves when this process should end: SIGTERM or SIGINT, or its parent is gone. A child whose parent was killed with
 * -9 gets no signal; the closed channel tells it.
 */
export function whenToldToStop(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  process.once('SIGTERM', () => resolve('SIGTERM'));
  process.once('SIGINT', () => resolve('SIGINT'));
  if (process.send !== undefined) process.once('disconnect', () => resolve('parent is gone'));
  return promise;
}
