import { z } from 'zod';

/**
 * What the worker and the sandbox's child process say to each other: four bytes of length (little-endian), then that
 * many bytes of JSON. Payloads are flat (strings and numbers): what a program made travels as JSON text inside a
 * string and is parsed, bounded in size and depth, by the worker alone.
 */

/** Calls of one program that may be open at once; more are refused inside, before they cost the worker anything. */
export const maxOpenCalls = 64;
/** Characters of JSON of one chat request. */
export const maxRequestLength = 1_048_576;
/** Values in it: a schema's work grows with them, and it is done by the worker. 2,000 messages have 6,000. */
export const maxRequestValues = 20_000;
/** Characters of one reply. */
export const maxReplyLength = 1_048_576;
const maxMessageLength = 2_000;

const CallNumber = z.number().int().nonnegative();
const Message = z.string().max(maxMessageLength);

export const ToChild = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('case'),
    id: z.string(),
    task: z.string(),
    source: z.string(),
    wallMs: z.number(),
    memoryBytes: z.number(),
    outputBytes: z.number(),
    answerBytes: z.number(),
  }),
  z.strictObject({ type: z.literal('reply'), call: CallNumber, text: z.string() }),
  z.strictObject({ type: z.literal('refusal'), call: CallNumber, kind: z.string(), message: z.string() }),
]);
export type ToChild = z.infer<typeof ToChild>;
export type CaseFrame = Extract<ToChild, { type: 'case' }>;

export const FromChild = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready') }),
  z.strictObject({ type: z.literal('log'), text: z.string() }),
  z.strictObject({ type: z.literal('chat'), call: CallNumber, request: z.string().max(maxRequestLength) }),
  z.strictObject({ type: z.literal('answer'), text: z.string() }),
  z.strictObject({ type: z.literal('fault'), code: z.enum(['program_error', 'invalid_output']), message: Message }),
  z.strictObject({ type: z.literal('memory'), message: Message }),
  /** The inner deadline fired; it is later than the worker's own and matters only when the worker is gone. */
  z.strictObject({ type: z.literal('stopped') }),
]);
export type FromChild = z.infer<typeof FromChild>;
export type OutcomeFrame = Exclude<FromChild, { type: 'ready' | 'log' | 'chat' }>;

export const cutMessage = (text: string): string => text.slice(0, maxMessageLength);

/** Largest frame the worker accepts: the largest text allowed, every character of it escaped (`\u0000`), and room. */
export const frameBytes = (limits: { outputBytes: number; answerBytes: number }): number =>
  6 * Math.max(limits.outputBytes + 4, limits.answerBytes, maxRequestLength) + 65_536;

export function encodeFrame(frame: ToChild | FromChild): Buffer {
  const body = Buffer.from(JSON.stringify(frame));
  const head = Buffer.alloc(4);
  head.writeUInt32LE(body.byteLength);
  return Buffer.concat([head, body]);
}

export interface FrameReader<T> {
  /** Takes bytes as they come and gives the frames that are complete. Throws on a frame too large or misshapen. */
  push(chunk: Uint8Array): T[];
}

export function frameReader<T>(schema: z.ZodType<T>, maxBytes: number): FrameReader<T> {
  // Chunks are joined once per frame, not once per chunk: a large frame in small pieces stays linear.
  let chunks: Uint8Array[] = [];
  let held = 0;
  let wanted = 4;
  const take = (): Buffer => {
    const all = Buffer.concat(chunks, held);
    chunks = all.byteLength > wanted ? [all.subarray(wanted)] : [];
    held -= wanted;
    return all.subarray(0, wanted);
  };
  let inBody = false;
  return {
    push(chunk) {
      chunks.push(chunk);
      held += chunk.byteLength;
      const frames: T[] = [];
      while (held >= wanted) {
        const bytes = take();
        if (inBody) frames.push(schema.parse(JSON.parse(bytes.toString('utf8'))));
        inBody = !inBody;
        wanted = inBody ? bytes.readUInt32LE() : 4;
        if (wanted > maxBytes) throw new RangeError(`a frame of ${wanted} bytes came, at most ${maxBytes} are accepted`);
      }
      return frames;
    },
  };
}
