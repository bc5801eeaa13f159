import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { GateName } from '../../contracts/gates.ts';
import { projectRoot } from './cli.ts';

const folder = join(projectRoot, 'test/broken-rubrics');

const Edit = z.union([
  z.strictObject({ file: z.string(), replace: z.string().min(1), by: z.union([z.string(), z.array(z.string())]) }),
  z.strictObject({ file: z.string(), write: z.string() }),
]);

/** One file of test/broken-rubrics: see the README there. `control`, `measured` and `fix` are regular expressions. */
export const BrokenRubric = z.strictObject({
  story: z.string().min(20),
  template: z.string(),
  edits: z.array(Edit).min(1),
  fails: z
    .array(z.strictObject({ gate: GateName, control: z.string().optional(), measured: z.string().optional(), fix: z.string().min(8) }))
    .min(1),
});
export type BrokenRubric = z.infer<typeof BrokenRubric>;

export async function brokenRubrics(): Promise<{ name: string; broken: BrokenRubric }[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml')).sort();
  return await Promise.all(
    files.map(async (file) => ({
      name: file.replace(/\.yaml$/, ''),
      broken: BrokenRubric.parse(parse(await readFile(join(folder, file), 'utf8'))),
    })),
  );
}

/** A copy of the template with the edits applied; it lives as long as the test. Throws for an edit that no longer fits its template. */
export async function copyOf({ template, edits }: BrokenRubric): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'collective-broken-'));
  await cp(join(projectRoot, 'rubrics/library', template), path, { recursive: true });
  for (const edit of edits) {
    const file = join(path, edit.file);
    if ('write' in edit) {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, edit.write);
      continue;
    }
    const parts = (await readFile(file, 'utf8')).split(edit.replace);
    if (parts.length !== 2)
      throw new Error(`${template}/${edit.file} has ${parts.length - 1} places of ${JSON.stringify(edit.replace)}, not one`);
    await writeFile(file, parts.join([edit.by].flat().join('')));
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
