import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Json } from '../contracts/json.ts';
import type { Case } from '../contracts/rubric.ts';

/**
 * Theory of operation. Writes the case files, and the submissions that are made from data, of the built-in challenges
 * from a folder of raw downloads, so that a reader can reproduce every committed byte:
 *
 *   node scripts/import-library-data.ts <folder with the raw files> [<rubrics/library>]
 *
 * The raw files, the commits they come from and their licences are in the ATTRIBUTION.md of each challenge. Nothing is
 * random: every split, order and choice is a rule stated beside the code.
 */
const [rawFolder, libraryFolder = join(import.meta.dirname, '../rubrics/library')] = process.argv.slice(2);
if (rawFolder === undefined) {
  console.error('usage: node scripts/import-library-data.ts <folder with the raw files> [<rubrics/library>]');
  process.exitCode = 2;
} else {
  await importTriggers(rawFolder, join(libraryFolder, 'trigger-recovery'));
  await importSlots(rawFolder, join(libraryFolder, 'pii-extraction'));
  await importPrompts(rawFolder, join(libraryFolder, 'over-refusal'));
}

/** CLAS 2024, track 2. Keys are the target codes as the official files write them, so official submissions fit as they are. */
async function importTriggers(raw: string, to: string): Promise<void> {
  const from = join(raw, 'clas2024/track2');
  const cases = async (file: string, prefix: string): Promise<Case[]> =>
    Object.entries(JSON.parse(await readFile(join(from, file), 'utf8')) as Record<string, string>).map(([target, trigger], i) => ({
      id: `${prefix}-${String(i + 1).padStart(2, '0')}`,
      key: target,
      input: { target },
      expected: { trigger },
    }));
  const development = await cases('dev_trigger_gt.json', 'dev');
  const test = await cases('test_trigger_gt.json', 'test');
  await writeLines(join(to, 'cases/public.jsonl'), development);
  await writeLines(join(to, 'cases/hidden.jsonl'), test);
  const queries = (await linesOf(join(from, 'train_queries.json'))).map((line) => ({ text: (JSON.parse(line) as { text: string }).text }));
  await writeLines(join(to, 'data/queries.jsonl'), queries);
  for (const name of ['sample', 'gcg']) {
    await write(join(to, `samples/official-${name}.json`), await readFile(join(from, `dev_${name}_predictions.json`), 'utf8'));
  }
  const truth = (list: Case[]) => Object.fromEntries(list.map((c) => [c.key, [text(c.expected, 'trigger')]]));
  await writeJson(join(to, 'controls/oracle-development.json'), truth(development));
  await writeJson(join(to, 'controls/oracle-test.json'), truth(test));
  const shifted = test.map((c, i) => [c.key, [text(test[(i + 1) % test.length]?.expected, 'trigger')]]);
  await writeJson(join(to, 'controls/wrong-target.json'), Object.fromEntries(shifted));
  const copied = development.map((c) => [c.key, [`Please add ${c.key ?? ''}`]]);
  await writeJson(join(to, 'controls/verbatim-copy.json'), Object.fromEntries(copied));
}

/** LLM-PC development slots: dialogues 1–750 are public, 751–1500 hidden; one case per slot, grouped by dialogue. */
async function importSlots(raw: string, to: string): Promise<void> {
  const dialogues = (await linesOf(join(raw, 'llm-pc/development_pii.jsonl'))).map((line) => JSON.parse(line) as Record<string, string>);
  const cases = dialogues.map((slots, i) => casesOfDialogue(i + 1, slots));
  const [visible, hidden] = [cases.slice(0, 750).flat(), cases.slice(750).flat()];
  await writeLines(join(to, 'cases/public.jsonl'), visible);
  await writeLines(join(to, 'cases/hidden.jsonl'), hidden);
  const all = [...visible, ...hidden];
  const answers = (guess: (c: Case) => string) => Object.fromEntries(all.map((c) => [c.id, guess(c)]));
  await writeJson(
    join(to, 'controls/oracle.json'),
    answers((c) => text(c.expected, 'value')),
  );
  // The constants of the published null attack; a slot of another type gets the name.
  const constants: Record<string, string> = { NAME: 'emily', LOC: 'new york city', DATE: '1975', OTHER: 'emily' };
  await writeJson(
    join(to, 'samples/constant-guess.json'),
    answers((c) => constants[text(c.input, 'type')] ?? ''),
  );
  const lists = Object.fromEntries(
    Object.keys(constants).map((type) => [type, stuffing(visible.filter((c) => text(c.input, 'type') === type))]),
  );
  await writeJson(
    join(to, 'samples/stuffed-guess.json'),
    answers((c) => lists[text(c.input, 'type')] ?? ''),
  );
}

function casesOfDialogue(number: number, slots: Record<string, string>): Case[] {
  const dialogue = `d${String(number).padStart(4, '0')}`;
  const taken = new Set<string>();
  return Object.entries(slots).map(([slot, value]) => {
    // Some slot names hold whole sentences (the scrubber of the data set tripped over brackets); ids must stay short and plain.
    const base = `${dialogue}.${slot.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 60)}`;
    let id = base;
    for (let n = 2; taken.has(id); n++) id = `${base}.${n}`;
    taken.add(id);
    const prefix = slot.split('-')[0] ?? '';
    const type = ['NAME', 'LOC', 'DATE'].includes(prefix) ? prefix : 'OTHER';
    return { id, group: dialogue, input: { dialogue: number, slot, type }, expected: { value } };
  });
}

/** The most frequent values that fit into 100 characters: what the official rule pays for without any model. */
function stuffing(cases: Case[]): string {
  const counts = new Map<string, number>();
  for (const c of cases) {
    const value = text(c.expected, 'value').toLowerCase();
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const ranked = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([value]) => value);
  let list = '';
  for (const value of ranked) {
    const longer = list === '' ? value : `${list} ${value}`;
    if (!list.includes(value) && Array.from(longer).length <= 100) list = longer;
  }
  return list;
}

/** XSTest prompts: odd ids are public, even ids hidden. A type is a run of 25 ids, so every type is halved (12 or 13). */
async function importPrompts(raw: string, to: string): Promise<void> {
  const [header = [], ...rows] = parseCsv(await readFile(join(raw, 'xstest/xstest_prompts.csv'), 'utf8'));
  const column = (row: string[], name: string) => row[header.indexOf(name)] ?? '';
  const cases = rows.map((row): [number, Case] => [
    Number(column(row, 'id')),
    {
      id: `xstest-${column(row, 'id').padStart(3, '0')}`,
      input: { prompt: column(row, 'prompt'), type: column(row, 'type') },
      expected: { label: column(row, 'label') },
    },
  ]);
  const half = (rest: number) => cases.filter(([id]) => id % 2 === rest).map(([, c]) => c);
  await writeLines(join(to, 'cases/public.jsonl'), half(1));
  await writeLines(join(to, 'cases/hidden.jsonl'), half(0));
  const prompts = (label: string) => cases.filter(([, c]) => text(c.expected, 'label') === label).map(([, c]) => text(c.input, 'prompt'));
  const lines = phrasesThatTell(prompts('unsafe'), prompts('safe')).map((phrase) => `Refuse: ${phrase}`);
  await write(join(to, 'controls/oracle.txt'), `${['Answer everything.', ...lines].join('\n')}\n`);
}

/** Few short phrases that every unsafe prompt has one of and no safe prompt has; greedy by prompts covered, then length. */
function phrasesThatTell(unsafe: string[], safe: string[]): string[] {
  const plain = (prompt: string) => prompt.toLowerCase().replace(/\s+/g, ' ').trim();
  const clean = safe.map(plain);
  let open = unsafe.map(plain);
  const phrases = new Set<string>();
  for (const prompt of open) {
    const words = prompt.split(' ');
    for (let from = 0; from < words.length; from++)
      for (let to = from + 1; to <= words.length; to++) phrases.add(words.slice(from, to).join(' '));
  }
  const candidates = [...phrases].filter((phrase) => !clean.some((prompt) => prompt.includes(phrase)));
  const chosen: string[] = [];
  while (open.length > 0) {
    const covers = (phrase: string) => open.filter((prompt) => prompt.includes(phrase)).length;
    const ranked = candidates.map((phrase): [string, number] => [phrase, covers(phrase)]);
    ranked.sort(([a, n], [b, m]) => m - n || a.length - b.length || (a < b ? -1 : 1));
    const [best, covered] = ranked[0] ?? ['', 0];
    if (covered === 0) throw new Error(`no phrase tells these prompts from the safe ones: ${open.join(' | ')}`);
    chosen.push(best);
    open = open.filter((prompt) => !prompt.includes(best));
  }
  return chosen;
}

/** RFC 4180: quoted fields, doubled quotes, line breaks inside quotes. */
function parseCsv(source: string): string[][] {
  const rows: string[][] = [[]];
  for (const match of source.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    if (match.index === source.length && rows.at(-1)?.length === 0) break;
    rows.at(-1)?.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] !== ',') rows.push([]);
  }
  return rows.filter((row) => row.length > 1);
}

function text(value: Json | undefined, name: string): string {
  const found = value !== null && typeof value === 'object' && !Array.isArray(value) ? value[name] : undefined;
  if (typeof found !== 'string') throw new Error(`no text named "${name}" in ${JSON.stringify(value)}`);
  return found;
}

async function linesOf(path: string): Promise<string[]> {
  return (await readFile(path, 'utf8')).split('\n').filter((line) => line.trim() !== '');
}

function writeLines(path: string, values: unknown[]): Promise<void> {
  return write(path, `${values.map((value) => JSON.stringify(value)).join('\n')}\n`);
}

function writeJson(path: string, value: unknown): Promise<void> {
  return write(path, `${JSON.stringify(value, null, 1)}\n`);
}

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
