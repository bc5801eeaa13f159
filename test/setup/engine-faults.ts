export interface EngineCall {
  /** Counted from 0 in the order of arrival. */
  number: number;
  method: string;
  /** Without the query. */
  path: string;
  /** Empty for create calls, whose client repeats the body there. */
  query: string;
  /** Parsed JSON that a create call came with; undefined for all others. */
  body?: unknown;
  hijacked: boolean;
}

export type EngineFault =
  /**
   * Taken and not passed on; open streams stand still in both directions. Healed, what waits goes on, even when its
   * caller has left: an engine that was stopped reads what lies in its sockets.
   */
  | { kind: 'hang' }
  /** The engine does it and the caller never hears. Healed, the answer comes, late. */
  | { kind: 'lose' }
  /** The connection is cut without an answer, open streams too. */
  | { kind: 'refuse' }
  | { kind: 'status'; status: number; message?: string }
  /** Passed on after so many milliseconds. */
  | { kind: 'delay'; ms: number }
  /** The answer is cut after so many bytes of its body; of a hijacked call, after so many that come from the engine. */
  | { kind: 'drop'; afterBytes: number };

type Match = (call: EngineCall) => boolean;

/** Knows the faults in force, and tells those who wait when that changes. */
export class Gate {
  #faults: { match: Match; how: EngineFault }[] = [];
  #changed = waiting();
  /** Told at once, because a stream in which nothing moves would not notice. */
  readonly cuts = new Set<() => void>();

  set(match: Match, how: EngineFault): void {
    this.#faults.unshift({ match, how });
    this.#tell();
    if (how.kind === 'refuse') for (const cut of this.cuts) cut();
  }

  clear(): void {
    this.#faults = [];
    this.#tell();
  }

  /** What waits is never passed on: a dead engine has forgotten it. */
  forget(): void {
    this.#changed.reject(new Error('the engine died'));
    this.#changed = waiting();
  }

  of(call: EngineCall): EngineFault | null {
    return this.#faults.find(({ match }) => match(call))?.how ?? null;
  }

  /** Waits as long as the call hangs, or its answer is to be lost. */
  async open(call: EngineCall, part: 'question' | 'answer'): Promise<EngineFault | null> {
    for (;;) {
      const how = this.of(call);
      if (how?.kind !== 'hang' && !(how?.kind === 'lose' && part === 'answer')) return how;
      await this.#changed.promise;
    }
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = waiting();
  }
}

function waiting(): PromiseWithResolvers<void> {
  const changed = Promise.withResolvers<void>();
  // Forgotten while nobody waited, it is nobody's fault.
  changed.promise.catch(() => {});
  return changed;
}
