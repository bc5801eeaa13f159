import { describe, expect, it } from 'vitest';
import { encodeFrame, FromChild, frameReader } from './frames.ts';

describe('frames', () => {
  const frames: FromChild[] = [{ type: 'ready' }, { type: 'log', text: 'a\u0000ü\u2028' }, { type: 'answer', text: '[]' }];
  const bytes = Buffer.concat(frames.map(encodeFrame));

  it('come out as they went in, however the bytes are cut', () => {
    for (const size of [1, 3, 5, bytes.byteLength]) {
      const reader = frameReader(FromChild, 1_000);
      const read: FromChild[] = [];
      for (let at = 0; at < bytes.byteLength; at += size) read.push(...reader.push(bytes.subarray(at, at + size)));
      expect(read).toEqual(frames);
    }
  });

  it('are refused by their announced length, before their bytes come', () => {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(1_001);
    expect(() => frameReader(FromChild, 1_000).push(head)).toThrow('at most 1000');
  });

  it.each([
    '',
    'null',
    '{}',
    '[',
    '{"type":"answer"}',
    '{"type":"answer","text":1}',
    '{"type":"answer","text":"1","more":1}',
    '{"type":"limit","limit":"cpu"}',
    '{"type":"fault","code":"error","message":"x"}',
    '{"type":"chat","call":-1,"request":"{}"}',
  ])('are refused when they are not of this language: %s', (text) => {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(text.length);
    expect(() => frameReader(FromChild, 1_000).push(Buffer.concat([head, Buffer.from(text)]))).toThrow();
  });

  it('stay linear when a large one comes in small pieces', () => {
    const large = encodeFrame({ type: 'log', text: 'x'.repeat(4_000_000) });
    const reader = frameReader(FromChild, 5_000_000);
    let found = 0;
    for (let at = 0; at < large.byteLength; at += 100) found += reader.push(large.subarray(at, at + 100)).length;
    expect(found).toBe(1);
  });
});
