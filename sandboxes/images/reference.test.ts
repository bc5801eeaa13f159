import { describe, expect, it } from 'vitest';
import { readReference } from './reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const read = (name: string, registries: string[]) => readReference(`${name}@${digest}`, { registries });

describe('a reference', () => {
  it('is taken apart when its registry is allowed; only loopback is spoken to without TLS', () => {
    expect(read('registry.example:5000/team/solver', ['registry.example:5000'])).toEqual({
      ok: true,
      parts: { registry: 'registry.example:5000', repository: 'team/solver', digest, origin: 'https://registry.example:5000' },
    });
    for (const host of ['127.0.0.1:5000', '127.9.9.9', 'localhost:5000', 'localhost']) {
      expect(read(`${host}/a`, [host])).toMatchObject({ ok: true, parts: { origin: `http://${host}` } });
    }
  });

  it('is refused when its registry is not on the list, whatever it looks like', () => {
    const allowed = ['registry.example', '127.0.0.1:5000'];
    for (const host of [
      'registry.example.evil.test',
      'registry.example:443',
      'evil.test',
      'localhost:5000',
      '127.0.0.1:5001',
      '127.0.0.1',
      '169.254.169.254',
    ]) {
      const result = read(`${host}/a`, allowed);
      expect(result).toMatchObject({
        ok: false,
        message: expect.stringMatching(/are not run on this platform, which allows registry\.example/),
      });
    }
    expect(read('registry.example/a', [])).toMatchObject({ ok: false, message: expect.stringContaining('IMAGE_REGISTRIES') });
  });

  it('never counts a name that only begins like loopback as loopback', () => {
    for (const host of ['localhost.evil.test', '127.0.0.1.evil.test', '127.evil.test']) {
      expect(read(`${host}/a`, [host])).toMatchObject({ ok: true, parts: { origin: `https://${host}` } });
    }
  });

  it('is refused in any spelling of an address but the plain one', () => {
    for (const host of ['127.1:5000', '2130706433:5000', '0x7f.0.0.1:5000', '127.0.0.01:5000', '300.1.1.1:1', 'a.b:99999']) {
      expect(read(`${host}/a`, [host])).toMatchObject({ ok: false, message: expect.stringContaining('plain spelling') });
    }
  });

  it('must name a host: an engine takes a single word for a folder of a public registry', () => {
    expect(read('registry/a', ['registry'])).toMatchObject({ ok: false, message: expect.stringContaining('name it in full') });
  });

  it('must be by digest', () => {
    for (const text of [
      '127.0.0.1:5000/a:latest',
      '127.0.0.1:5000/a',
      `127.0.0.1:5000/a:latest@${digest}`,
      `127.0.0.1:5000/a@sha256:${'A'.repeat(64)}`,
      `127.0.0.1:5000/a@md5:${'a'.repeat(32)}`,
      `user:pass@127.0.0.1:5000/a@${digest}`,
      `127.0.0.1:5000/../a@${digest}`,
      `http://127.0.0.1:5000/a@${digest}`,
      `127.0.0.1:5000/a@${digest}\n`,
    ]) {
      expect(readReference(text, { registries: ['127.0.0.1:5000'] })).toMatchObject({
        ok: false,
        message: expect.stringContaining('by digest'),
      });
    }
  });
});
