import { expect, it } from 'vitest';
import { parseBoundedJson } from './json.ts';

const parse = (text: string) => parseBoundedJson(new TextEncoder().encode(text), { maxBytes: 1_000, maxDepth: 5 });

it.each(['1e999', '-1e999', '[1, {"a": 1e400}]'])('refuses %s, which is no number that could be stored again', (text) => {
  expect(parse(text)).toMatchObject({ ok: false, problem: expect.stringContaining('too large') });
});

it.each(['1e308', '-0', '5e-324', '123456789012345678901234567890'])('takes %s', (text) => {
  expect(parse(text)).toEqual({ ok: true, value: Number(text) });
});
