import { z } from 'zod';
import { Case, Rubric } from '../contracts/rubric.ts';
import { openApiDocument } from './openapi-document.ts';

/** A file made from code: its path below the project and its whole text. */
export interface GeneratedFile {
  path: string;
  make(): string | Promise<string>;
}

/** JSON Schema of what an author writes (defaults may be left out), for editors and validators. */
const jsonSchema = (schema: z.ZodType, title: string): string =>
  `${JSON.stringify({ title, ...z.toJSONSchema(schema, { io: 'input' }) }, null, 2)}\n`;

/** Everything `npm run generate` makes; its `--check` fails when one of them is not current. */
export const generatedFiles: readonly GeneratedFile[] = [
  { path: 'docs/reference/rubric.schema.json', make: () => jsonSchema(Rubric, 'rubric.yaml, format 1') },
  { path: 'docs/reference/case.schema.json', make: () => jsonSchema(Case, 'One line of a cases/*.jsonl file') },
  { path: 'docs/reference/openapi.json', make: openApiDocument },
];
