import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface ToRecorder {
  id: number;
  ask: 'judge' | 'die' | 'heal' | 'hang';
}
export interface FromRecorder {
  id: number;
  host?: string;
  judged: Judged | null;
}

/** How many calls were made so far, and what is wrong with which of them. */
export interface Judged {
  calls: number;
  problems: string[];
}

/** Every call that the drivers under test make to the engine goes through this and is kept. */
export interface Recorder extends AsyncDisposable {
  /** For `dockerHost`. */
  host: string;
  judge(): Promise<Judged>;
  /** The engine dies: every connection is cut, new ones find nobody. */
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
  const ask = asker(child);
  const tell = (what: ToRecorder['ask']) => async () => void (await ask(what));
  return {
    host: first.host ?? '',
    judge: async () => (await ask('judge')).judged ?? { calls: 0, problems: ['the recorder did not answer'] },
    die: tell('die'),
    heal: tell('heal'),
    hang: tell('hang'),
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

function asker(child: ChildProcess): (what: ToRecorder['ask']) => Promise<FromRecorder> {
  const waiting = new Map<number, (answer: FromRecorder) => void>();
  let last = 0;
  child.on('message', (answer: FromRecorder) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  return (what) => {
    const id = ++last;
    const answered = Promise.withResolvers<FromRecorder>();
    waiting.set(id, answered.resolve);
    child.send({ id, ask: what } satisfies ToRecorder);
    return answered.promise;
  };
}
