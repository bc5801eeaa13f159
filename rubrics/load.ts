import { Rubric, type Split } from '../contracts/rubric.ts';
import { checkCases, checkRubric } from './check-rubric.ts';
import { readFolder } from './folder.ts';
import { contentHash, listFiles } from './hash.ts';
import { type PlacedCase, readCases } from './read-cases.ts';
import type { LoadedRubric, RubricProblem } from './rubric.ts';
import { parseYaml, type YamlSource } from './yaml-source.ts';
import { schemaProblems } from './zod-problems.ts';

/**
 * A rubric's way in: folder → bytes → hash → YAML → schema → cases → references. Everything in the folder was written
 * by a stranger. It is read once, bounded, into memory; whatever looks at the rubric afterwards looks at those bytes,
 * so what was checked and hashed is what is judged. Nothing in it is executed: a regular expression runs in RE2, a JSON
 * Schema in ajv's strict mode. Each step's problems are reported together; the next step starts only without any.
 */
export type LoadResult =
  | { ok: true; rubric: LoadedRubric; bytes: ReadonlyMap<string, Uint8Array> }
  | { ok: false; problems: RubricProblem[] };

const rubricFile = 'rubric.yaml';
const readmeFile = 'README.md';
const splits: readonly Split[] = ['public', 'hidden', 'holdout'];
const maxProblems = 50;

/**
 * Reads and checks the rubric in `folder`. `bytes` are the files as hashed, by path. Never throws on anything that is
 * in the folder.
 */
export async function loadRubric(folder: string): Promise<LoadResult> {
  const contents = await readFolder(folder);
  return contents.ok ? rubricFromFiles(contents.files, contents.folder) : contents;
}

/** As `loadRubric`, from files already in memory (a stored version). `folder` is only remembered. */
export function rubricFromFiles(files: ReadonlyMap<string, Uint8Array>, folder: string): LoadResult {
  const source = readSource(files);
  if (!source.ok) return source;
  const parsed = Rubric.safeParse(source.yaml.value);
  if (!parsed.success) {
    const problems = schemaProblems(parsed.error).map(({ path, key, message }): RubricProblem => {
      const whole = key === undefined ? path : [...path, key];
      return { file: rubricFile, line: source.yaml.lineOf(path, key), path: whole.join('/'), message };
    });
    return refuse(problems);
  }
  const rubric = parsed.data;
  const problems = checkRubric(rubric, files, (path) => source.yaml.lineOf(path));
  const cases = readSplits(rubric, files, problems);
  if (problems.length === 0) problems.push(...checkCases(rubric, cases, (path) => source.yaml.lineOf(path)));
  if (problems.length > 0) return refuse(problems);
  const list = listFiles(files);
  const loaded: LoadedRubric = Object.freeze({
    hash: contentHash(list),
    rubric,
    readme: source.readme,
    files: list,
    cases: { public: plain(cases.public), hidden: plain(cases.hidden), holdout: plain(cases.holdout) },
    folder,
    text: (path: string) => textOf(files, path),
    bytes: (path: string) => bytesOf(files, path),
  });
  return { ok: true, rubric: loaded, bytes: files };
}

const refuse = (problems: RubricProblem[]): { ok: false; problems: RubricProblem[] } => ({
  ok: false,
  problems: problems.slice(0, maxProblems),
});
const plain = (cases: readonly PlacedCase[]) => cases.map((placed) => placed.case);

type Source = { ok: true; yaml: YamlSource; readme: string } | { ok: false; problems: RubricProblem[] };

function readSource(files: ReadonlyMap<string, Uint8Array>): Source {
  const bytes = files.get(rubricFile);
  if (!bytes) return refuse([{ file: rubricFile, line: null, path: '', message: 'the folder has no rubric.yaml' }]);
  const yaml = parseYaml(bytes);
  if (!yaml.ok) return refuse(yaml.problems.map((problem) => ({ file: rubricFile, ...problem })));
  if (!files.has(readmeFile))
    return refuse([{ file: readmeFile, line: null, path: '', message: 'the folder has no README.md for participants' }]);
  try {
    return { ok: true, yaml: yaml.source, readme: textOf(files, readmeFile) };
  } catch {
    return refuse([{ file: readmeFile, line: null, path: '', message: 'is not valid UTF-8 text' }]);
  }
}

function textOf(files: ReadonlyMap<string, Uint8Array>, path: string): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytesOf(files, path));
}

function bytesOf(files: ReadonlyMap<string, Uint8Array>, path: string): Uint8Array {
  const bytes = files.get(path);
  if (!bytes) throw new Error(`the rubric has no file "${path}"`);
  return bytes;
}

function readSplits(rubric: Rubric, files: ReadonlyMap<string, Uint8Array>, problems: RubricProblem[]): Record<Split, PlacedCase[]> {
  const cases: Record<Split, PlacedCase[]> = { public: [], hidden: [], holdout: [] };
  for (const split of splits) {
    const file = rubric.cases[split];
    const bytes = file === undefined ? undefined : files.get(file);
    if (file === undefined || !bytes) continue;
    const read = readCases(file, bytes);
    cases[split] = read.cases;
    problems.push(...read.problems);
  }
  return cases;
}
