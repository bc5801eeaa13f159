import pg from 'pg';
import { eventChannel } from './channel.ts';

export interface EventListener extends AsyncDisposable {
  /** Calls `wake` whenever there may be new events of the evaluation; returns how to stop that. `wake` must not throw. */
  subscribe(evaluationId: string, wake: () => void): () => void;
}

const firstRetryMs = 100;
const longestRetryMs = 5_000;

/**
 * Fans NOTIFY out to whoever follows an evaluation, over one connection for the whole process. When it breaks it is made
 * again, and then everybody is woken: what was notified in between is lost, but it is in the table. Rejects when the
 * first connection cannot be made.
 */
export async function listenForEvents(url: string, onConnectionLost?: (error: Error) => void): Promise<EventListener> {
  const wakes = new Map<string, Set<() => void>>();
  let client: pg.Client | undefined;
  let retryTimer: NodeJS.Timeout | undefined;
  let connecting: Promise<void> | undefined;
  let closed = false;

  const wakeOne = (id: string) => {
    for (const wake of wakes.get(id) ?? []) wake();
  };
  const retryIn = (delayMs: number) => {
    if (closed) return;
    retryTimer = setTimeout(() => {
      connecting = connect().then(
        () => {
          for (const id of wakes.keys()) wakeOne(id);
        },
        () => retryIn(Math.min(delayMs * 2, longestRetryMs)),
      );
    }, delayMs);
  };
  const connect = async () => {
    const next = new pg.Client({
      connectionString: url,
      application_name: 'collective events',
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
    });
    let listening = false;
    next.on('error', (error) => onConnectionLost?.(error));
    next.on('end', () => {
      if (listening) retryIn(firstRetryMs);
    });
    next.on('notification', ({ payload }) => wakeOne(payload ?? ''));
    try {
      await next.connect();
      await next.query(`listen ${eventChannel}`);
    } catch (error) {
      await next.end();
      throw error;
    }
    listening = true;
    client = next;
  };

  await connect();
  return {
    subscribe: (evaluationId, wake) => {
      const set = wakes.get(evaluationId) ?? new Set();
      wakes.set(evaluationId, set.add(wake));
      return () => {
        set.delete(wake);
        if (set.size === 0 && wakes.get(evaluationId) === set) wakes.delete(evaluationId);
      };
    },
    [Symbol.asyncDispose]: async () => {
      closed = true;
      clearTimeout(retryTimer);
      await connecting;
      await client?.end();
    },
  };
}
