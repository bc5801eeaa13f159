import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameReader } from './frames.ts';

/** A block as the engine sends it: stream number, three zeros, length, payload. */
function block(stream: number, payload: Buffer): Buffer {
  const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

function reader(maxFrameBytes = 1_000) {
  const frames: unknown[] = [];
  const problems: string[] = [];
  const frame = new FrameReader({
    maxFrameBytes,
    onFrame: (body) => frames.push(JSON.parse(body.toString())),
    onProblem: (problem) => problems.push(problem),
  });
  return { frame, frames, problems };
}

describe('frames from a container', () => {
  const messages = [{ a: 1 }, { b: 'ü'.repeat(100) }, {}];
  const bytes = Buffer.concat(messages.map(encodeFrame));

  it.each([1, 2, 3, 7, 64, 10_000])('are put together from pieces of %i bytes', (size) => {
    const { frame, frames, problems } = reader();
    const stream: Buffer[] = [];
    for (let i = 0; i < bytes.length; i += size) stream.push(block(1, bytes.subarray(i, i + size)), block(2, Buffer.from('noise')));
    const all = Buffer.concat(stream);
    for (let i = 0; i < all.length; i += size) frame.push(all.subarray(i, i + size));
    expect(frames).toEqual(messages);
    expect(problems).toEqual([]);
    expect(frame.stderr).toMatch(/^(noise)+$/);
  });

  it('are refused before they are kept when they are too long', () => {
    const { frame, frames, problems } = reader(100);
    frame.push(block(1, Buffer.concat([encodeFrame({ a: 1 }), Buffer.from([0xff, 0xff, 0xff, 0xff])])));
    frame.push(block(1, encodeFrame({ late: true })));
    expect(frames).toEqual([{ a: 1 }]);
    expect(problems).toEqual([expect.stringContaining('4294967295')]);
  });

  it('keep only the end of what goes to stderr', () => {
    const { frame } = reader();
    for (let i = 0; i < 100; i++) frame.push(block(2, Buffer.from(`${i} `.repeat(100))));
    expect(frame.stderr.length).toBeLessThanOrEqual(4096);
    expect(frame.stderr).toMatch(/99$/);
  });
});
