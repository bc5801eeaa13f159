import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { projectRoot } from './cli.ts';

/** The files of a how-to: each block of code that a line "`path`, …:" stands above. */
export async function firstRubricFiles(page = 'first-rubric'): Promise<Map<string, string>> {
  const text = await readFile(join(projectRoot, `docs/how-to/${page}.md`), 'utf8');
  const blocks = text.matchAll(/^`([^`\n]+)`[^\n]*:\n\n```\w+\n([\s\S]*?)^```$/gm);
  return new Map([...blocks].map(([, path = '', body = '']) => [path, body]));
}

/** Writes that rubric into `folder`, with some of its files replaced. */
export async function writeFirstRubric(folder: string, replaced: Record<string, string> = {}): Promise<string> {
  for (const [path, body] of [...(await firstRubricFiles()), ...Object.entries(replaced)]) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), body);
  }
  return folder;
}
