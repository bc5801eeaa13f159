import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { winRate } from '../statistics/win-rate.ts';
import type { CtfScores } from './ctf-scores.ts';
import type { GroupRates } from './label-rates.ts';
import type { OrderAgreement } from './order-agreement.ts';
import { type RecountRequest, recounts } from './recount.ts';
import { slotHits } from './slot-hits.ts';
import type { StealthRows } from './stealth-rows.ts';
import type { SuccessRate } from './success-rate.ts';
import { tableShares } from './table-shares.ts';
import { type TriggerRecall, triggerRecall } from './trigger-recall.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const shared = join(import.meta.dirname, '../../../shared/data');
const fixture = (path: string): string => join(fixtures, path);
const json = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;
const run = async <T>(what: string, data: string, more: Partial<RecountRequest> = {}): Promise<T> =>
  (await recounts[what]!.run({ data, fields: [], columns: [], ...more })) as T;

const root = await mkdtemp(join(tmpdir(), 'collective-recount-'));
afterAll(() => rm(root, { recursive: true, force: true }));
async function written(name: string, content: string): Promise<string> {
  await writeFile(join(root, name), content);
  return join(root, name);
}

/** Data that may not be shipped; read where it lies beside the project. */
const describeBeside = (path: string, title: string, body: (file: string) => void): void => {
  const file = join(shared, path);
  if (existsSync(file)) describe(title, () => body(file));
  else
    describe.skip(`${title} (skipped: the data set ${path} may not be shipped and is not beside the project)`, () =>
      it('needs it', () => {}));
};

interface Published {
  jailbreakbench_asr: Record<string, number>;
  null_model: { n: number; win_rate: number; n_wins: number; n_wins_base: number };
  xstest: Record<string, Record<'safe' | 'unsafe', Record<string, number>>>;
}
const published = json<Published>(fixture('golden/published.json'));
const graders = json<{
  tdc2023: Record<string, { self_recall: number; next_target_shuffle_recall: number }>;
  satml: { submissions: number; breaks: number; attack_totals_top5: [string, number][] };
  llm_pc: { rows: number; self: [number, number] };
  clas_track1_stealth: { dev_PAP: number };
  clas_track3: { dev_sample_recall: number };
}>(fixture('golden/graders.json'));

type Leaf = string | number | boolean | null;
const leaves = (value: unknown, path = ''): [string, Leaf][] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, one]) => leaves(one, `${path}/${key}`))
    : [[path, value as Leaf]];

describeBeside('golden.json', 'the golden numbers beside the project', (file) => {
  it('are those of the committed files, every one of them', () => {
    const ours = new Map(['golden', 'graders', 'published'].flatMap((name) => leaves(json(fixture(`golden/${name}.json`)))));
    const theirs = leaves(json(file));
    expect(theirs.length).toBeGreaterThan(250);
    for (const [path, value] of theirs) expect(ours.get(path), path).toEqual(value);
  });
});

describe('win-rate', () => {
  it('gives the published numbers of the null model', async () => {
    const { n, win_rate, n_wins, n_wins_base } = published.null_model;
    const counted = await run<ReturnType<typeof winRate>>('win-rate', fixture('judge-attacks/null_model_preferences.jsonl'));
    expect(counted).toMatchObject({ n, wins: n_wins, losses: n_wins_base, ties: 0 });
    expect(Math.abs(counted.winRate - win_rate)).toBeLessThan(1e-9);
  });

  it('of turned preferences is what is missing to 100, with wins and losses exchanged', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1, max: 2, noNaN: true }), { minLength: 1 }), (preferences) => {
        const one = winRate(preferences);
        const other = winRate(preferences.map((preference) => 3 - preference));
        expect(one.winRate + other.winRate).toBeCloseTo(100, 9);
        expect([one.wins + one.losses + one.ties, other.wins]).toEqual([preferences.length, one.losses]);
      }),
    );
  });

  it('refuses what is no preference', () => {
    for (const wrong of [[], [0.99], [1, 2.01], [Number.NaN]]) expect(() => winRate(wrong)).toThrow(RangeError);
  });
});

describe('orders: LLMBar', () => {
  it.each(['Natural', 'Adversarial_Manual'])('%s: all 45 runs as published, counts exactly and κ of complete runs', async (subset) => {
    const runs = await run<Record<string, OrderAgreement>>('orders', fixture(`llmbar/${subset}__judge_votes.json`), {
      truth: fixture(`llmbar/${subset}__labels.json`),
    });
    const statistics = Object.entries(
      json<Record<string, Record<string, string | number>>>(fixture(`llmbar/${subset}__published_statistics.json`)),
    );
    expect(statistics).toHaveLength(45);
    for (const [name, expected] of statistics) {
      const counted = runs[name]!;
      const share = (k: number) => `${k} / ${counted.n} = `;
      expect(expected.correct_False, name).toMatch(new RegExp(`^${share(counted.correctFirst)}`));
      expect(expected.correct_True, name).toMatch(new RegExp(`^${share(counted.correctSwapped)}`));
      expect(expected.correct_both, name).toMatch(new RegExp(`^${share(counted.correctBoth)}`));
      expect(expected.equal, name).toMatch(new RegExp(`^${share(counted.equal)}`));
      // Where a vote is missing the project filled something in that its files do not say.
      if (counted.unanswered === 0) expect(counted.kappa?.value, name).toBeCloseTo(expected.kappa_agreement as number, 10);
      else expect(counted.kappa).toBeNull();
    }
  });
});

describe('trigger-recall', () => {
  it.each(['train_dev_base', 'train_dev_large'])('of %s: itself 1, and the floor of the wrong target', async (name) => {
    const file = fixture(`tdc2023/${name}.json`);
    const counted = await run<TriggerRecall>('trigger-recall', file, { truth: file });
    expect(Math.abs(counted.recall - graders.tdc2023[name]!.self_recall)).toBeLessThan(1e-9);
    expect(Math.abs(counted.wrongTargetFloor! - graders.tdc2023[name]!.next_target_shuffle_recall)).toBeLessThan(1e-9);
    expect(counted).toMatchObject({ targets: 20, unanswered: 0, copies: [] });
  });

  it('goes by target, whatever the order of the file; what is not answered counts as 0', () => {
    const truth = { one: ['first trigger'], two: ['second trigger'] };
    const turned = { two: ['second trigger'], one: ['first trigger'] };
    expect(triggerRecall(truth, turned).recall).toBe(1);
    expect(triggerRecall(truth, { two: ['second trigger'] })).toMatchObject({ recall: 0.5, unanswered: 1 });
    expect(() => triggerRecall(truth, { three: [] })).toThrow('no target "three"');
  });

  it('finds every copy of a target and nothing else (rule 5 of TDC 2023)', () => {
    const text = fc.string({ minLength: 1, maxLength: 20 }).filter((one) => one.trim() !== '');
    fc.assert(
      fc.property(text, fc.array(fc.tuple(fc.string(), fc.boolean(), fc.string()), { maxLength: 8 }), (target, parts) => {
        const guesses = parts.map(([before, copied, after]) => (copied ? before + target + after : before));
        const { copies } = triggerRecall({ [target]: ['a trigger'] }, { [target]: guesses });
        expect(copies.map(({ guess }) => guess)).toEqual(guesses.filter((guess) => guess.includes(target.trim())));
      }),
    );
  });
});

describe('slots: LLM-PC', () => {
  const file = fixture('llm-pc/development_pii.jsonl');
  it('of the truth itself', async () => {
    const [hits, slots] = graders.llm_pc.self;
    expect(await run('slots', file, { truth: file })).toMatchObject({ rows: graders.llm_pc.rows, slots, hits });
  });

  it('never counts an absent guess, and never looks behind the first 100 characters', () => {
    const truth = [{ 'NAME-1': 'Ann' }, { 'NAME-1': 'Bo', 'LOC-1': 'Rome' }];
    expect(slotHits(truth, [{}, {}])).toMatchObject({ slots: 3, guessed: 0, hits: 0 });
    expect(slotHits(truth, [{ 'NAME-1': `${'x'.repeat(97)}ANN` }, { 'NAME-1': `${'x'.repeat(99)}bo` }])).toMatchObject({
      guessed: 2,
      hits: 1,
    });
    expect(() => slotHits(truth, [])).toThrow('0 rows of guesses for 2 rows of truth');
  });
});

describe('ctf: SaTML 2024', () => {
  it('gives values and totals as published', async () => {
    const counted = await run<CtfScores>('ctf', fixture('satml/final_scores.json'));
    const { submissions, breaks, attack_totals_top5 } = graders.satml;
    expect(counted).toMatchObject({ defences: submissions, breaks, wrongValues: [] });
    expect(counted.attackTotals.slice(0, 5)).toEqual(attack_totals_top5);
  });

  it('names a value that is not 0.85 to the number of breakers', async () => {
    const file = await written(
      'ctf.json',
      JSON.stringify([
        { name: 'a', value: 0.85, attackers: [] },
        { name: 'b', value: 1, attackers: [] },
      ]),
    );
    expect(await run<CtfScores>('ctf', file)).toMatchObject({ wrongValues: [{ name: 'a', printed: 0.85, expected: 1 }] });
  });
});

describe('shares: AgentDojo', () => {
  const columns = ['Utility=97', 'Utility under attack=629', 'Targeted ASR=629'];
  it('finds every cell of the table to be a share of its denominator, and a changed one not', async () => {
    expect(await run('shares', fixture('agentdojo/results_table.csv'), { columns })).toEqual({ rows: 28, cells: 84, wrong: [] });
    const changed = tableShares([{ Utility: '88.66%' }, { Utility: '88.60%' }], [{ name: 'Utility', denominator: 97 }]);
    expect(changed.wrong).toEqual([{ row: 2, column: 'Utility', printed: '88.60%' }]);
  });
});

describeBeside('jailbreakbench', 'success-rate: JailbreakBench', (folder) => {
  it.each(Object.entries(published.jailbreakbench_asr))('%s', async (name, rate) => {
    const counted = await run<SuccessRate>('success-rate', join(folder, name));
    expect(counted).toMatchObject({ n: 100, rate, published: rate, agrees: true });
  });
});

describeBeside('clas2024', 'recounts of CLAS 2024', (folder) => {
  it('stealth of the PAP baseline, each row as recorded, and with the recorded rows their mean', async () => {
    const lines = readFileSync(fixture('clas-track1/stealth_scores.jsonl'), 'utf8').trim().split('\n');
    const known = lines.map((line) => JSON.parse(line) as { set: string; index: number; stealth: number });
    const recorded = new Map(known.filter(({ set }) => set === 'dev_PAP').map(({ index, stealth }) => [index, stealth]));
    const rows = readFileSync(join(folder, 'track1/dev_PAP.jsonl'), 'utf8').trim().split('\n');
    const joined = rows.map((line) => JSON.parse(line) as { index: number }).map((row) => ({ ...row, stealth: recorded.get(row.index) }));
    const file = await written('pap.jsonl', joined.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const counted = await run<StealthRows>('stealth', file);
    expect(counted).toMatchObject({ rows: 100, compared: 95, recorded: 5, leftOut: 0 });
    expect(Math.abs(counted.mean! - graders.clas_track1_stealth.dev_PAP)).toBeLessThan(1e-9);
    expect(counted.largestDifference).toBeLessThan(1e-9);
    expect(await run<StealthRows>('stealth', join(folder, 'track1/dev_PAP.jsonl'))).toMatchObject({ compared: 95, leftOut: 5 });
  });

  it('recall of the sample of track 3', async () => {
    const counted = await run<TriggerRecall>('trigger-recall', join(folder, 'track3/dev_sample_predictions.json'), {
      truth: join(folder, 'track3/dev_triggers_gt.json'),
    });
    expect(counted.recall).toBe(graders.clas_track3.dev_sample_recall);
  });
});

describeBeside('xstest', 'rates: XSTest', (folder) => {
  it.each(Object.entries(published.xstest))('%s: the labels of people on safe and unsafe prompts', async (model, expected) => {
    const file = join(folder, `xstest_v2_completions_${model}_streval.csv`);
    const groups = Object.entries(await run<Record<string, GroupRates>>('rates', file, { fields: ['final_label', 'type'] }));
    for (const kind of ['safe', 'unsafe'] as const) {
      const chosen = groups.filter(([type]) => type.startsWith('contrast') === (kind === 'unsafe')).map(([, rates]) => rates);
      const n = chosen.reduce((sum, rates) => sum + rates.n, 0);
      expect(n).toBe(kind === 'safe' ? 250 : 200);
      for (const [label, percent] of Object.entries(expected[kind])) {
        const count = chosen.reduce((sum, { labels }) => sum + (labels[label]?.count ?? 0), 0);
        expect((100 * count) / n, `${kind} ${label}`).toBeCloseTo(percent, 9);
      }
    }
  });
});

describe('files of another form', () => {
  it('are refused with file, line and place', async () => {
    await expect(run('win-rate', await written('p.jsonl', '{"preference":1}\n{"preference":"x"}\n'))).rejects.toThrow(
      '"p.jsonl": line 2, "preference"',
    );
    await expect(run('win-rate', await written('q.jsonl', '{"preference":3}\n'))).rejects.toThrow('preference 1 is 3');
    await expect(run('ctf', await written('c.json', '{"a":1}'))).rejects.toThrow('"c.json": ');
    await expect(run('ctf', join(root, 'none.json'))).rejects.toThrow('there is no such file');
    await expect(run('ctf', root)).rejects.toThrow('is not a file');
    await expect(run('orders', await written('v.json', '{}'))).rejects.toThrow('give --truth');
    await expect(run('shares', fixture('agentdojo/results_table.csv'))).rejects.toThrow('give --column');
    await expect(run('shares', fixture('agentdojo/results_table.csv'), { columns: ['Model=97'] })).rejects.toThrow('is no percentage');
    await expect(run('shares', fixture('agentdojo/results_table.csv'), { columns: ['None=97'] })).rejects.toThrow('no column "None"');
  });
});
