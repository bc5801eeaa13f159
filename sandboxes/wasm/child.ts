import { Console } from 'node:console';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type CaseFrame, encodeFrame, type FromChild, frameReader, ToChild } from './frames.ts';
import { type GuestCase, startCase } from './guest.ts';

// The child process of the driver; see driver.ts. It is spoken to over standard input and output alone and ends when
// its input ends, so that it does not outlive a worker that was killed.

// Standard output carries frames; anything a library prints goes to standard error.
globalThis.console = new Console(process.stderr, process.stderr);
// The environment is empty; without this the program would see the machine's time zone.
process.env.TZ = 'UTC';

/** Memory is given back by the collector; asking for it keeps one case's memory from counting against the next. */
const collectAboveBytes = 33_554_432;
const collectEveryCases = 64;
const maxFrameBytes = 67_108_864;

const require = createRequire(createRequire(import.meta.url).resolve('quickjs-emscripten'));
const compiled = await WebAssembly.compile(readFileSync(require.resolve('@jitl/quickjs-wasmfile-release-sync/wasm')));
const reader = frameReader(ToChild, maxFrameBytes);
// The first instance is slow (functions are compiled when first used); no case pays for it.
await startCase(compiled, warmUp(), () => undefined);
let current: GuestCase | null = null;
let cases = 0;

function send(frame: FromChild): void {
  process.stdout.write(encodeFrame(frame));
}

async function handle(frame: ToChild): Promise<void> {
  if (frame.type === 'reply') return current?.settle(frame.call, '', frame.text);
  if (frame.type === 'refusal') return current?.settle(frame.call, frame.kind, frame.message);
  const large = current !== null && current.memoryBytes() > collectAboveBytes;
  current = null;
  cases += 1;
  if (large || cases % collectEveryCases === 0) globalThis.gc?.();
  current = await startCase(compiled, frame, send);
}

process.stdin.on('data', (chunk: Buffer) => {
  for (const frame of reader.push(chunk)) {
    handle(frame).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`, () => process.exit(1));
    });
  }
});
process.stdin.on('end', () => process.exit(0));
send({ type: 'ready' });

function warmUp(): CaseFrame {
  const source = 'export default async () => { console.log(1); return [2]; }';
  const limits = { wallMs: 10_000, memoryBytes: 16_777_216, outputBytes: 1_024, answerBytes: 1_024 };
  return { type: 'case', id: 'warm-up', task: '{}', source, ...limits };
}
