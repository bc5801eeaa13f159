import { createServer } from 'node:net';
import type { ModelDoor } from '../contracts/sandbox.ts';

const nobody = 'a grader program reaches no model';

/** The way out of a sandbox that has none: calls are refused, and whoever connects to the socket is cut off unread. */
export const closedDoor: ModelDoor = {
  chat: async () => ({ ok: false, fault: { kind: 'policy', message: nobody, httpStatus: 403 } }),
  listen: async (path) => {
    const server = createServer((connection) => {
      // A program that is gone already has reset the connection; there is nobody to tell.
      connection.on('error', () => {});
      connection.destroy();
    });
    const listening = Promise.withResolvers<void>();
    server.once('error', listening.reject);
    server.listen(path, listening.resolve);
    await listening.promise;
    return {
      [Symbol.asyncDispose]: async () => {
        const closed = Promise.withResolvers<void>();
        server.close(() => closed.resolve());
        await closed.promise;
      },
    };
  },
};
