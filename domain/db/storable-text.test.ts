import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/setup/with-database.ts';
import { storableJson, storableText } from './storable-text.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const anyText = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => `${text}\u0000\ud83d`);

it('makes any text storable as it then is', async () => {
  await fc.assert(
    fc.asyncProperty(anyText, async (text) => {
      const storable = storableText(text);
      const { rows } = await database.pool.query('select $1::text as back', [storable]);
      expect(rows).toEqual([{ back: storable }]);
    }),
    { numRuns: 100 },
  );
});

it('makes any JSON storable, keys included', async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(anyText, fc.oneof(anyText, fc.array(anyText), fc.constant(null), fc.integer())), async (value) => {
      const storable = storableJson(value);
      const { rows } = await database.pool.query('select $1::jsonb as back', [JSON.stringify(storable)]);
      expect(rows).toEqual([{ back: storable }]);
    }),
    { numRuns: 100 },
  );
});

it('leaves what can be stored as it is', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\u0000')),
      (text) => storableText(text) === text,
    ),
  );
  expect(storableText('😀 \ufffd \u0001')).toBe('😀 \ufffd \u0001');
});
