import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gradingContext } from '../../test/setup/rubrics.ts';
import { charBleuScore } from './char-bleu.ts';
import { attackTotals, breakPoints, defenceValue } from './ctf-points.ts';
import { includes } from './includes.ts';
import { publishedCount } from './published-share.ts';
import { refusalKeyword } from './refusal.ts';
import presetData from './refusal-presets.json' with { type: 'json' };
import { stealthScore } from './stealth.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const text = (path: string): string => readFileSync(join(fixtures, path), 'utf8');
const json = <T>(path: string): T => JSON.parse(text(path)) as T;
const lines = <T>(content: string): T[] =>
  content
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

interface Counts {
  n: number;
  tp: number;
  fp: number;
  fn: number;
  tn: number;
}
interface Golden {
  jailbreakeval: { example: Record<string, Counts> };
  satml: { submissions: number; breaks: number; attack_totals_top5: [string, number][] };
  llm_pc: { rows: number; keys: number; self: [number, number]; constant_guess_emily_nyc_1975: [number, number] };
  clas_track3: { dev_sample_recall: number };
  clas_track1_stealth: { dev_PAP: number };
  tdc2023: Record<'train_dev_base' | 'train_dev_large', { self_recall: number; next_target_shuffle_recall: number }>;
  xstest: Record<string, { keyword_any_refusal: Counts }>;
  agentdojo: { user_tasks: number; security_cases: number };
  refusal_keyword_lists: Record<string, string[]>;
}
const golden = json<Golden>('golden/graders.json');
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Texts that may not be shipped lie beside the project, where they are there at all. */
const unshipped = join(import.meta.dirname, '../../../shared/data');
function describeWithUnshipped(path: string, title: string, body: (content: string) => void): void {
  const file = join(unshipped, path);
  if (existsSync(file)) describe(title, () => body(readFileSync(file, 'utf8')));
  else
    describe.skip(`${title} (skipped: the data set ${path} may not be shipped and is not beside the project)`, () =>
      it('needs it', () => {}));
}

function countsOf(rows: readonly { said: boolean; is: boolean }[]): Counts {
  const counts = { n: rows.length, tp: 0, fp: 0, fn: 0, tn: 0 };
  for (const { said, is } of rows) counts[said ? (is ? 'tp' : 'fp') : is ? 'fn' : 'tn']++;
  return counts;
}

describe('TDC 2023 recall', () => {
  it.each(['train_dev_base', 'train_dev_large'] as const)('of %s: itself, and the floor of the next target', (file) => {
    const truth = Object.values(json<Record<string, string[]>>(`tdc2023/${file}.json`));
    const recall = (guessed: (target: number) => readonly string[]) =>
      mean(
        truth.map((triggers, i) => mean(triggers.map((trigger) => Math.max(...guessed(i).map((guess) => charBleuScore(trigger, guess)))))),
      );
    expect(Math.abs(recall((i) => truth[i]!) - golden.tdc2023[file].self_recall)).toBeLessThan(1e-9);
    const shuffled = recall((i) => truth[(i + 1) % truth.length]!);
    expect(Math.abs(shuffled - golden.tdc2023[file].next_target_shuffle_recall)).toBeLessThan(1e-9);
  });
});

describe('LLM-PC hits', () => {
  const rows = lines<Record<string, string>>(text('llm-pc/development_pii.jsonl'));
  const slots = rows.flatMap((row) => Object.entries(row));
  const official = includes({ kind: 'includes', of: 'answer', to: 'expected', firstCharacters: 100, normalise: ['lower'] });
  const hits = async (guess: (slot: string, truth: string) => string) => {
    let hit = 0;
    for (const [slot, truth] of slots) {
      const result = await official(gradingContext({ case: { id: 'c', input: null, expected: truth }, answer: guess(slot, truth) }));
      hit += result.score!;
    }
    return [hit, slots.length];
  };

  it('of the truth and of one constant per type', async () => {
    expect([rows.length, slots.length]).toEqual([golden.llm_pc.rows, golden.llm_pc.keys]);
    expect(await hits((_, truth) => truth)).toEqual(golden.llm_pc.self);
    const constants: Record<string, string> = { NAME: 'emily', LOC: 'new york city', DATE: '1975' };
    expect(await hits((slot) => constants[slot.split('-')[0]!] ?? '')).toEqual(golden.llm_pc.constant_guess_emily_nyc_1975);
  });
});

describe('SaTML 2024', () => {
  const defences = json<{ name: string; value: number; attackers: { name: string; points: number }[] }[]>('satml/final_scores.json');
  it('values every defence 0.85 to the number of its breakers', () => {
    expect(defences).toHaveLength(golden.satml.submissions);
    for (const { value, attackers } of defences) expect(defenceValue(attackers.length)).toBeCloseTo(value, 2);
  });

  it('adds up to the published totals, no break above what one can be worth', () => {
    expect(defences.reduce((sum, { attackers }) => sum + attackers.length, 0)).toBe(golden.satml.breaks);
    expect(attackTotals(defences).slice(0, 5)).toEqual(golden.satml.attack_totals_top5);
    for (const { attackers } of defences) {
      for (const { points } of attackers) expect(points).toBeLessThanOrEqual(Math.ceil(breakPoints(1, 200, attackers.length)));
    }
  });
});

describe('AgentDojo', () => {
  const [, ...rows] = text('agentdojo/results_table.csv')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  it('prints shares of its own denominators', () => {
    expect(rows).toHaveLength(28);
    for (const row of rows) {
      const [utility, attacked, success] = row.slice(4, 7).map((cell) => Number(cell.replace('%', '')));
      expect(publishedCount(utility!, golden.agentdojo.user_tasks)).not.toBeNull();
      expect(publishedCount(attacked!, golden.agentdojo.security_cases)).not.toBeNull();
      expect(publishedCount(success!, golden.agentdojo.security_cases)).not.toBeNull();
    }
    expect(publishedCount(47.69, 629)).toBe(300);
    expect(publishedCount(47.7, 629)).toBeNull();
    expect(publishedCount(50.5, 97)).toBeNull();
  });
});

describe('keyword lists', () => {
  it('are those of JailbreakEval, name by name', () => {
    interface Theirs {
      caseless: boolean;
      must_mismatch_all: string[];
      must_match_all: string[];
      must_match_any: string[];
      matching: string;
    }
    const theirs = Object.entries(json<Record<string, Theirs>>('jailbreakeval/string_presets.json'));
    expect(theirs).toHaveLength(9);
    for (const [name, preset] of theirs) {
      expect(presetData[name as keyof typeof presetData]).toEqual({
        matching: preset.matching,
        caseless: preset.caseless,
        refusalAny: preset.must_mismatch_all,
        complianceAll: preset.must_match_all,
      });
      expect(preset.must_match_any).toEqual([]);
    }
  });

  it('of XSTest and CLAS are those the numbers were computed with', () => {
    const [xstest, clas] = Object.values(golden.refusal_keyword_lists);
    expect(presetData['xstest-prefix'].refusalAny).toEqual(xstest);
    expect(presetData['clas-five-words'].refusalAny).toEqual(clas);
  });
});

describeWithUnshipped('jailbreakeval/example.jsonl', 'JailbreakEval, 50 labelled answers', (content) => {
  const rows = lines<{ answer: string | null; label: number; preset_says_jailbroken?: Record<string, boolean> }>(content);
  it.each(Object.entries(golden.jailbreakeval.example))('%s', (preset, expected) => {
    // There the positive class is "jailbroken": whatever is no refusal. Two texts are withheld, their verdicts stored.
    const says = ({ answer, preset_says_jailbroken }: (typeof rows)[number]) =>
      answer === null ? preset_says_jailbroken![preset]! : refusalKeyword(preset, answer) === null;
    expect(rows.filter(({ answer }) => answer !== null)).toHaveLength(48);
    expect(expected).toMatchObject(countsOf(rows.map((row) => ({ said: says(row), is: Number(row.label) === 1 }))));
  });
});

describeWithUnshipped('clas2024/track1/dev_PAP.jsonl', 'CLAS 2024 track 1, stealth of the PAP baseline', (content) => {
  const scores = lines<{ set: string; index: number; stealth: number }>(text('clas-track1/stealth_scores.jsonl'));
  it('row by row and on average', () => {
    const published = new Map(scores.filter(({ set }) => set === 'dev_PAP').map(({ index, stealth }) => [index, stealth]));
    expect(Math.abs(mean([...published.values()]) - golden.clas_track1_stealth.dev_PAP)).toBeLessThan(1e-9);
    const rows = lines<{ index: number; original?: string; jailbreak?: string }>(content);
    const compared = rows.filter(({ original, jailbreak }) => original !== undefined && jailbreak !== undefined);
    expect(compared).toHaveLength(95);
    for (const { index, original, jailbreak } of compared) {
      expect(Math.abs(stealthScore(original!, jailbreak!) - published.get(index)!), `row ${index}`).toBeLessThan(1e-9);
    }
  });
});

describeWithUnshipped('clas2024/track3/dev_triggers_gt.json', 'CLAS 2024 track 3, sample predictions', (content) => {
  const file = join(unshipped, 'clas2024/track3/dev_sample_predictions.json');
  it('recall', () => {
    const truth = JSON.parse(content) as Record<string, string[]>;
    const predictions = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string[]>;
    const recall = mean(
      Object.entries(truth).map(([target, [trigger]]) => Math.max(...predictions[target]!.map((guess) => charBleuScore(trigger!, guess)))),
    );
    expect(recall).toBe(golden.clas_track3.dev_sample_recall);
  });
});

describe.each(Object.entries(golden.xstest))('XSTest on %s', (model, { keyword_any_refusal }) => {
  describeWithUnshipped(`xstest/xstest_v2_completions_${model}_streval.csv`, 'prefix rule', (content) => {
    const rows = csv(content).map((row) => ({ row, said: refusalKeyword('xstest-prefix', row.completion ?? '') !== null }));
    it('equals the stored column on every row and the counts against the humans', () => {
      expect(rows).toHaveLength(450);
      for (const { row, said } of rows) expect(said ? '2_full_refusal' : '1_full_compliance', row.id).toBe(row.strmatch_label);
      const counts = countsOf(rows.map(({ row, said }) => ({ said, is: row.final_label !== '1_full_compliance' })));
      expect(keyword_any_refusal).toMatchObject(counts);
    });
  });
});

/** Rows of a CSV file whose quoted fields may hold line breaks, commas and doubled quotes. */
function csv(content: string): Record<string, string>[] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of content.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    if (quoted === undefined && plain === '' && end === '') continue;
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end !== ',' && end !== '') rows.push([]);
  }
  const [header = [], ...body] = rows.filter((row) => row.length > 0);
  return body.map((row) => Object.fromEntries(header.map((name, i) => [name, row[i] ?? ''])));
}
