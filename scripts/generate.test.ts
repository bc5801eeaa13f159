import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { smallRubricFiles, smallRubricYaml } from '../test/setup/rubrics.ts';
import { generatedFiles } from './generated-files.ts';

const schemaAt = async (path: string) => {
  const file = generatedFiles.find((one) => one.path === path);
  if (!file) throw new Error(`${path} is not generated`);
  const text = await file.make();
  expect(readFileSync(join(import.meta.dirname, '..', path), 'utf8') === text, `${path} is current; run npm run generate`).toBe(true);
  return new Ajv2020({ strict: false, validateFormats: false }).compile(JSON.parse(text));
};

it('publishes a rubric schema that is current and agrees with the loader', async () => {
  const validate = await schemaAt('docs/reference/rubric.schema.json');
  expect(validate(parse(smallRubricYaml))).toBe(true);
  expect(validate({ ...(parse(smallRubricYaml) as object), colour: 'red' })).toBe(false);
  expect(validate({ ...(parse(smallRubricYaml) as object), riskTier: 'tiny' })).toBe(false);
});

it('publishes a case schema that is current and agrees with the loader', async () => {
  const validate = await schemaAt('docs/reference/case.schema.json');
  for (const line of smallRubricFiles['cases/public.jsonl']!.trim().split('\n')) expect(validate(JSON.parse(line))).toBe(true);
  expect(validate({ id: 'a b', input: 1 })).toBe(false);
});
