import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import type { QuickJSContext, QuickJSHandle, QuickJSRuntime, QuickJSWASMModule } from 'quickjs-emscripten';
import { newQuickJSWASMModuleFromVariant, newVariant, RELEASE_SYNC } from 'quickjs-emscripten';
import { bootstrapSource } from './bootstrap.ts';
import { type CaseFrame, cutMessage, type FromChild, maxOpenCalls, maxRequestLength, type OutcomeFrame } from './frames.ts';

/** Bytes of a page of WebAssembly memory, and the pages this build of QuickJS starts with (16 MiB). */
const pageBytes = 65_536;
const firstPages = 256;
/**
 * QuickJS's own bound on its stack. V8 gives this thread less than 1 MB and every frame of the interpreter takes
 * several of V8's; measured with the default V8 stack, 400 kB still gave QuickJS's own error and 512 kB V8's.
 */
const stackBytes = 262_144;
/** How much later than the worker the inner deadline stops a case. */
const innerGraceMs = 250;
const jobsPerTurn = 500;

export interface GuestCase {
  /** Hands the reply to a call, or why there is none, to the program. */
  settle(call: number, kind: string, text: string): void;
  /** Bytes of WebAssembly memory this case has taken. */
  memoryBytes(): number;
}

interface Guest {
  frame: CaseFrame;
  runtime: QuickJSRuntime;
  context: QuickJSContext;
  handles: { start: QuickJSHandle; settle: QuickJSHandle; fail: QuickJSHandle };
  starved(): boolean;
  outcome: OutcomeFrame | null;
  inAnswer: boolean;
  deadline: number;
  printed: number;
  open: Set<number>;
  pumping: boolean;
  send(frame: FromChild): void;
}

/**
 * Runs one case in a WebAssembly instance of its own: what one case does to QuickJS's heap, even by a bug of
 * QuickJS, is gone with the instance. Sends exactly one outcome frame, or none while the program waits for ever.
 */
export async function startCase(compiled: WebAssembly.Module, frame: CaseFrame, send: (frame: FromChild) => void): Promise<GuestCase> {
  const { memory, starved } = boundedMemory(frame.memoryBytes);
  const quickjs = await newQuickJSWASMModuleFromVariant(newVariant(RELEASE_SYNC, { wasmModule: compiled, wasmMemory: memory }));
  const guest = prepare(quickjs, frame, starved, send);
  attempt(guest, () => begin(guest));
  void pump(guest);
  return {
    settle(call, kind, text) {
      if (!guest.open.delete(call)) return;
      attempt(guest, () => {
        const { context, handles } = guest;
        const values = [context.newNumber(call), context.newString(kind), context.newString(JSON.stringify(text))];
        context.unwrapResult(context.callFunction(handles.settle, context.undefined, ...values)).dispose();
      });
      void pump(guest);
    },
    memoryBytes: () => memory.buffer.byteLength,
  };
}

/** Memory that refuses to grow above the limit and remembers that it was asked to: no exception a program throws can claim it. */
function boundedMemory(bytes: number): { memory: WebAssembly.Memory; starved: () => boolean } {
  const memory = new WebAssembly.Memory({ initial: firstPages, maximum: Math.max(firstPages, Math.floor(bytes / pageBytes)) });
  const grow = memory.grow.bind(memory);
  let starved = false;
  memory.grow = (pages) => {
    try {
      const before = grow(pages);
      // The allocator asks for more than it needs first; only what was refused to the end counts.
      starved = false;
      return before;
    } catch (error) {
      starved = true;
      throw error;
    }
  };
  return { memory, starved: () => starved };
}

function prepare(quickjs: QuickJSWASMModule, frame: CaseFrame, starved: () => boolean, send: Guest['send']): Guest {
  // QuickJS seeds Math.random from the clock when a context is made, and reads the same clock for Date.
  clock.seed(frame.id);
  const runtime = quickjs.newRuntime();
  runtime.setMaxStackSize(stackBytes);
  runtime.setModuleLoader((name) => ({ error: new Error(`"${name}" cannot be imported: a program of this profile is one module`) }));
  const context = runtime.newContext();
  clock.begin();
  const nothing = context.undefined;
  const guest: Guest = {
    ...{ frame, runtime, context, starved, send, outcome: null, inAnswer: false, printed: 0, pumping: false, open: new Set() },
    handles: { start: nothing, settle: nothing, fail: nothing },
    deadline: performance.now() + frame.wallMs + innerGraceMs,
  };
  const parent = process.ppid;
  // A worker that was killed cannot kill this process any more: a program that never ends would outlive it.
  const orphaned = () => process.ppid !== parent;
  runtime.setInterruptHandler(
    () => orphaned() || guest.outcome !== null || guest.printed > frame.outputBytes || performance.now() > guest.deadline,
  );
  const make = context.unwrapResult(context.evalCode(bootstrapSource, 'bootstrap.js', { type: 'global', strict: true }));
  const inside = context.unwrapResult(context.callFunction(make, nothing, hostFunctions(guest), innerLimits(guest)));
  guest.handles = {
    start: context.getProp(inside, 'start'),
    settle: context.getProp(inside, 'settle'),
    fail: context.getProp(inside, 'fail'),
  };
  return guest;
}

function innerLimits({ context, frame }: Guest): QuickJSHandle {
  const limits = context.newObject();
  const all = { output: frame.outputBytes, answer: frame.answerBytes, request: maxRequestLength, message: 1_000 };
  for (const [name, value] of Object.entries(all)) context.setProp(limits, name, context.newNumber(value));
  return limits;
}

/** The only functions of this side that the program's side can cause to be called. They take bounded text and give text. */
function hostFunctions(guest: Guest): QuickJSHandle {
  const { context, frame } = guest;
  const host = context.newObject();
  const offer = (name: string, call: (...values: QuickJSHandle[]) => QuickJSHandle | undefined) =>
    context.setProp(host, name, context.newFunction(name, call));
  offer('log', (text) => {
    if (guest.outcome || guest.printed > frame.outputBytes) return undefined;
    const line = parseText(textOf(context, text, 6 * (frame.outputBytes + 4)));
    guest.printed += Buffer.byteLength(line);
    guest.send({ type: 'log', text: line });
    return undefined;
  });
  offer('chat', (call, request) => {
    if (guest.open.size >= maxOpenCalls) {
      return context.newString(`at most ${maxOpenCalls} calls may be open at the same time; wait for replies before asking more`);
    }
    const number = context.getNumber(call);
    guest.open.add(number);
    guest.send({ type: 'chat', call: number, request: textOf(context, request, maxRequestLength) });
    return undefined;
  });
  offer('phase', () => {
    guest.inAnswer = true;
    return undefined;
  });
  offer('done', (kind, text) => {
    // An exception here would go to the program's side, which has nobody left to tell it to.
    attempt(guest, () => {
      const value = textOf(context, text, Math.max(frame.answerBytes, 65_536));
      const what = context.getString(kind);
      if (what === 'answer') conclude(guest, { type: 'answer', text: value });
      else conclude(guest, failureOf(guest, what === 'invalid' ? 'invalid_output' : 'program_error', value));
    });
    return undefined;
  });
  return host;
}

function textOf(context: QuickJSContext, handle: QuickJSHandle, maxLength: number): string {
  if (context.typeof(handle) !== 'string') throw new TypeError('text was expected');
  const length = context.getProp(handle, 'length').consume((value) => context.getNumber(value));
  if (length > maxLength) throw new RangeError('the text is too long');
  return context.getString(handle);
}

const parseText = (json: string): string => {
  const value: unknown = JSON.parse(json);
  return typeof value === 'string' ? value : '';
};

/** `described` is the JSON of [name, message, stack] as the bootstrap gives it. */
function failureOf(guest: Guest, code: 'program_error' | 'invalid_output', described: string): OutcomeFrame {
  const parts: unknown = JSON.parse(described);
  const [name = '', message = '', stack = ''] = Array.isArray(parts) ? parts.map(String) : [];
  // A single request above what WebAssembly can address never reaches memory.grow; QuickJS's own error is the sign then.
  if (guest.starved() || (name === 'InternalError' && message === 'out of memory')) {
    return { type: 'memory', message: `the program needs more than ${guest.frame.memoryBytes} bytes of memory` };
  }
  if (code === 'invalid_output') return { type: 'fault', code, message: cutMessage(message) };
  const line = /\bprogram\.js:(\d+)/.exec(stack)?.[1];
  return { type: 'fault', code, message: cutMessage(`${name ? `${name}: ` : ''}${message}${line ? ` (line ${line})` : ''}`) };
}

function begin(guest: Guest): void {
  const { context, frame, handles } = guest;
  const loading = context.evalCode(frame.source, 'program.js', { type: 'module' });
  if (loading.error) {
    context.unwrapResult(context.callFunction(handles.fail, context.undefined, loading.error)).dispose();
    return;
  }
  context.unwrapResult(context.callFunction(handles.start, context.undefined, loading.value, context.newString(frame.task))).dispose();
}

/** Runs the program's jobs, letting messages of the worker in between. */
async function pump(guest: Guest): Promise<void> {
  if (guest.pumping) return;
  guest.pumping = true;
  while (!guest.outcome && guest.runtime.hasPendingJob()) {
    attempt(guest, () => {
      const ran = guest.runtime.executePendingJobs(jobsPerTurn);
      if (ran.error) throw new Error('a job of the program was stopped');
    });
    await setImmediate();
  }
  guest.pumping = false;
}

/**
 * Whatever comes out of QuickJS as an exception of this side ends the case: an interrupt, a stack that V8 found too
 * deep, a trap. The instance is not used again.
 */
function attempt(guest: Guest, action: () => void): void {
  try {
    action();
  } catch (error) {
    conclude(guest, outcomeOf(guest, error));
  }
}

function outcomeOf(guest: Guest, error: unknown): OutcomeFrame {
  if (performance.now() > guest.deadline) return { type: 'stopped' };
  if (guest.starved()) return { type: 'memory', message: `the program needs more than ${guest.frame.memoryBytes} bytes of memory` };
  const overflow = error instanceof RangeError && error.message.includes('call stack');
  const what = overflow
    ? 'nests too deep: the stack is full'
    : `ended the interpreter: ${error instanceof Error ? error.message : 'unknown'}`;
  return guest.inAnswer
    ? { type: 'fault', code: 'invalid_output', message: cutMessage(`the answer ${what}`) }
    : { type: 'fault', code: 'program_error', message: cutMessage(`the program ${what}`) };
}

function conclude(guest: Guest, outcome: OutcomeFrame): void {
  if (guest.outcome) return;
  guest.outcome = outcome;
  guest.send(outcome);
}

/**
 * The clock of the program. Results must repeat: time starts at 1970-01-01T00:00:00Z in every case and moves on by
 * one millisecond each time it is read, so a program that waits for it to pass still ends. This process reads no
 * other date; its deadlines use `performance.now`.
 */
const clock = {
  nowMs: 0,
  begin(): void {
    clock.nowMs = 0;
  },
  /** FNV-1a (Fowler, Noll, Vo) of the task's id, kept in the range of dates. */
  seed(id: string): void {
    let hash = 0x811c9dc5;
    for (const byte of Buffer.from(id)) hash = Math.imul(hash ^ byte, 0x01000193);
    clock.nowMs = (hash >>> 0) + 1;
  },
};
Date.now = () => clock.nowMs++;
