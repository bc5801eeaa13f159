/**
 * Bytes to and from the runner. The engine wraps what a container prints in blocks of eight bytes of header (stream,
 * three zeros, length) and payload; inside, the runner's stdout is a row of frames: four bytes of length, then JSON.
 * Every length is bounded before anything is kept.
 */
export interface FrameHandlers {
  /** Largest accepted frame in bytes. */
  maxFrameBytes: number;
  onFrame(body: Buffer): void;
  /** Nothing sensible can follow; called at most once. */
  onProblem(problem: string): void;
}

const stderrBytes = 4096;
const nothing: Buffer = Buffer.alloc(0);

export class FrameReader {
  readonly #handlers: FrameHandlers;
  #header: Buffer = nothing;
  /** Bytes of the current block that are still to come. */
  #left = 0;
  #stream = 0;
  #parts: Buffer[] = [];
  #bytes = 0;
  #broken = false;
  #stderr: Buffer = nothing;

  constructor(handlers: FrameHandlers) {
    this.#handlers = handlers;
  }

  /** The end of what the runner itself wrote to stderr, for a report about its death. */
  get stderr(): string {
    return this.#stderr.toString('utf8').trim();
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && !this.#broken) {
      if (this.#left === 0) rest = this.#readHeader(rest);
      else {
        const part = rest.subarray(0, this.#left);
        rest = rest.subarray(part.length);
        this.#left -= part.length;
        if (this.#stream === 1) this.#take(part);
        else this.#stderr = Buffer.concat([this.#stderr, part]).subarray(-stderrBytes);
      }
    }
  }

  #readHeader(chunk: Buffer): Buffer {
    const missing = 8 - this.#header.length;
    this.#header = Buffer.concat([this.#header, chunk.subarray(0, missing)]);
    if (this.#header.length === 8) {
      this.#stream = this.#header[0] ?? 0;
      this.#left = this.#header.readUInt32BE(4);
      this.#header = nothing;
    }
    return chunk.subarray(missing);
  }

  #take(part: Buffer): void {
    this.#parts.push(part);
    this.#bytes += part.length;
    while (!this.#broken && this.#bytes >= 4) {
      const head = this.#joined(4);
      const size = head.readUInt32BE(0);
      if (size > this.#handlers.maxFrameBytes) {
        this.#broken = true;
        this.#parts = [];
        this.#handlers.onProblem(`a frame of ${size} bytes was announced, at most ${this.#handlers.maxFrameBytes} are accepted`);
        return;
      }
      if (this.#bytes < 4 + size) return;
      const whole = this.#joined(4 + size);
      this.#parts = [whole.subarray(4 + size)];
      this.#bytes -= 4 + size;
      this.#handlers.onFrame(whole.subarray(4, 4 + size));
    }
  }

  /** The waiting bytes as one buffer, when its first part does not already hold `atLeast` of them. */
  #joined(atLeast: number): Buffer {
    const first = this.#parts[0] ?? nothing;
    if (first.length >= atLeast) return first;
    const joined = Buffer.concat(this.#parts);
    this.#parts = [joined];
    return joined;
  }
}

export function encodeFrame(message: object): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}
