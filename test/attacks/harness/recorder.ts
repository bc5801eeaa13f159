import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { EngineCall } from '../../setup/engine-proxy.ts';

export interface ToRecorder {
  id: number;
  ask: 'calls' | 'die' | 'heal' | 'hang';
  since: number;
}
export interface FromRecorder {
  id: number;
  host?: string;
  calls: readonly EngineCall[];
}

/** Every call that the drivers under test make to the engine goes through this and is kept. */
export interface Recorder extends AsyncDisposable {
  /** For `dockerHost`. */
  host: string;
  pid: number;
  /** Everything that was asked so far. */
  calls(): Promise<readonly EngineCall[]>;
  die(): Promise<void>;
  heal(): Promise<void>;
  /** Takes calls and answers none, until healed. */
  hang(): Promise<void>;
}

/** The client repeats a create body in the query of its call, which no header of the usual size would hold. */
const roomyHeaders = '--max-http-header-size=1048576';

export async function startRecorder(engineHost: string): Promise<Recorder> {
  const child = fork(join(import.meta.dirname, 'recorder-process.ts'), [engineHost], { execArgv: [roomyHeaders] });
  const [first] = (await once(child, 'message')) as [FromRecorder];
  const known: EngineCall[] = [];
  const ask = asker(child);
  const tell = async (what: ToRecorder['ask']) => {
    known.push(...(await ask(what, known.length)).calls);
  };
  return {
    host: first.host ?? '',
    pid: child.pid ?? 0,
    calls: async () => {
      await tell('calls');
      return known;
    },
    die: () => tell('die'),
    heal: () => tell('heal'),
    hang: () => tell('hang'),
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

function asker(child: ChildProcess): (what: ToRecorder['ask'], since: number) => Promise<FromRecorder> {
  const waiting = new Map<number, (answer: FromRecorder) => void>();
  let last = 0;
  child.on('message', (answer: FromRecorder) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  return (what, since) => {
    const id = ++last;
    const answered = Promise.withResolvers<FromRecorder>();
    waiting.set(id, answered.resolve);
    child.send({ id, ask: what, since } satisfies ToRecorder);
    return answered.promise;
  };
}
