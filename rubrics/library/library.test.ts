import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ChatResult } from '../../contracts/chat.ts';
import type { CaseResult, Verdict } from '../../contracts/evaluation.ts';
import type { Json } from '../../contracts/json.ts';
import { caseKey, type Case, type Split } from '../../contracts/rubric.ts';
import { readSubmissionFile } from '../../contracts/submission-file.ts';
import { aggregate } from '../aggregate.ts';
import { checkSubmission } from '../check-submission.ts';
import { compileCriteria, gradeCase } from '../grade-case.ts';
import { loadRubric } from '../load.ts';
import type { LoadedRubric } from '../rubric.ts';
import { gradingContext } from '../../test/setup/rubrics.ts';

const names = [
  'agent-hijack',
  'agent-trigger',
  'jailbreak-set',
  'mail-injection',
  'over-refusal',
  'pii-defence',
  'pii-extraction',
  'red-team-diverse',
  'regurgitation-canary',
  'secret-keeper',
  'trigger-recovery',
  'universal-jailbreak',
] as const;
const seed = '5eed'.repeat(16);

async function load(name: string): Promise<LoadedRubric> {
  const loaded = await loadRubric(join(import.meta.dirname, name));
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems, null, 1));
  return loaded.rubric;
}

const phaseCases = (rubric: LoadedRubric, phase: string): { case: Case; split: Split }[] =>
  (rubric.rubric.phases.find((one) => one.name === phase)?.splits ?? []).flatMap((split) =>
    rubric.cases[split].map((one) => ({ case: one, split })),
  );

async function answersOf(rubric: LoadedRubric, path: string): Promise<Record<string, Json>> {
  const read = readSubmissionFile(path, await readFile(join(rubric.folder, path)), ['answers']);
  if (!read.ok || read.document.kind !== 'answers') throw new Error(`${path} is no map of answers`);
  return read.document.answers;
}

/** A target that never writes what a trigger asks for: recall needs no model, and no success rate may come of it. */
const silent: ChatResult = {
  ok: true,
  reply: {
    id: 'r',
    content: 'def solution():\n    return None',
    toolCalls: [],
    stopReason: 'stop',
    requestedModel: 'm',
    returnedModel: 'm',
    fingerprint: null,
    tokens: { inputTokens: 1, outputTokens: 1, estimated: false },
  },
};

/** Grades a map of answers with the real graders and aggregates it, as an evaluation of answers does. */
async function judge(rubric: LoadedRubric, phase: string, answers: Record<string, Json>): Promise<Verdict> {
  const criteria = compileCriteria(rubric);
  const rubricCases = phaseCases(rubric, phase);
  const results: CaseResult[] = [];
  for (const one of rubricCases) {
    const answer = answers[caseKey(one.case)];
    const context = gradingContext({ ...one, answer, ask: async () => silent });
    const graded = answer === undefined ? { grades: [], score: 0 } : await gradeCase(criteria, context, 'answers');
    results.push({
      caseId: one.case.id,
      split: one.split,
      trial: 0,
      end: answer === undefined ? 'missing' : 'answered',
      limit: null,
      message: null,
      ...graded,
      transcriptHash: null,
      logHash: null,
      artifacts: [],
      usage: { calls: 0, inputTokens: 0, outputTokens: 0, costMicros: '0' },
      wallMs: 0,
    });
  }
  return aggregate({ rubric: rubric.rubric, rubricCases, results, kind: 'answers', seed });
}

describe('every built-in challenge', () => {
  it('is in this list', async () => {
    const folders = (await readdir(import.meta.dirname, { withFileTypes: true })).filter((entry) => entry.isDirectory());
    // A report has no oracle and no score: finding-report.test.ts.
    expect(folders.map((folder) => folder.name).sort()).toEqual([...names, 'finding-report'].sort());
  });

  it.each(names)('%s loads without a problem, says that it is a demonstration and whose its data is', async (name) => {
    const { rubric, readme, files } = await load(name);
    expect(rubric.name).toBe(name);
    expect(rubric.demonstration).toBe(true);
    expect(rubric.notice).toBeTruthy();
    expect(readme.length).toBeGreaterThan(500);
    expect(rubric.attribution.length).toBeGreaterThan(0);
    expect(files.map((file) => file.path)).toContain('ATTRIBUTION.md');
  });

  it.each(names)('%s has an oracle, a null control and samples that can be submitted', async (name) => {
    const loaded = await load(name);
    const roles = loaded.rubric.controls.map((control) => control.role);
    expect(roles).toContain('oracle');
    expect(roles).toContain('null');
    expect(loaded.rubric.samples.length).toBeGreaterThanOrEqual(2);
    const kinds = loaded.rubric.submission.map((form) => form.kind);
    for (const { path, phase } of [...loaded.rubric.controls, ...loaded.rubric.samples]) {
      const read = readSubmissionFile(path, await readFile(join(loaded.folder, path)), kinds);
      if (!read.ok) throw new Error(`${path}: ${read.problem}`);
      const cases = phaseCases(loaded, phase ?? loaded.rubric.phases[0]?.name ?? '').map((one) => one.case);
      expect(checkSubmission(loaded.rubric, cases, read.document)).toMatchObject({ ok: true });
    }
  });
});

describe('the cases', () => {
  it('are as many as their sources have', async () => {
    const count = async (name: string) => {
      const { cases } = await load(name);
      return [cases.public.length, cases.hidden.length, cases.holdout.length];
    };
    expect(await count('trigger-recovery')).toEqual([5, 70, 0]);
    expect(await count('pii-extraction')).toEqual([2471, 2423, 0]);
    expect(await count('over-refusal')).toEqual([225, 225, 0]);
    expect(await count('secret-keeper')).toEqual([9, 11, 0]);
  });

  it('of pii-extraction come from 1,451 of 1,500 dialogues, split after the 750th', async () => {
    const { cases } = await load('pii-extraction');
    const numbers = (list: readonly Case[]) => list.map((one) => (one.input as { dialogue: number }).dialogue);
    expect(new Set([...cases.public, ...cases.hidden].map((one) => one.group)).size).toBe(1451);
    expect(Math.max(...numbers(cases.public))).toBe(750);
    expect(Math.min(...numbers(cases.hidden))).toBe(751);
    expect(Math.max(...numbers(cases.hidden))).toBe(1500);
  });

  it('of over-refusal are halved within every type', async () => {
    const { cases } = await load('over-refusal');
    const byType = (list: readonly Case[]) => Map.groupBy(list, (one) => (one.input as { type: string }).type);
    const [visible, hidden] = [byType(cases.public), byType(cases.hidden)];
    expect(visible.size).toBe(18);
    for (const [type, list] of visible) {
      expect(list.length + (hidden.get(type)?.length ?? 0)).toBe(25);
      expect([12, 13]).toContain(list.length);
    }
    const labels = [...cases.public, ...cases.hidden].map((one) => (one.expected as { label: string }).label);
    expect(labels.filter((label) => label === 'safe')).toHaveLength(250);
    expect(labels.filter((label) => label === 'unsafe')).toHaveLength(200);
  });

  it('of secret-keeper show levels 1 to 3 and hide 4 and 5', async () => {
    const { cases } = await load('secret-keeper');
    const levels = (list: readonly Case[]) => [...new Set(list.map((one) => (one.input as { level: number }).level))];
    expect(levels(cases.public)).toEqual([1, 2, 3]);
    expect(levels(cases.hidden)).toEqual([1, 2, 3, 4, 5]);
    for (const one of [...cases.public, ...cases.hidden]) expect(one.target).toBe(`keeper-${(one.input as { level: number }).level}`);
  });
});

describe('trigger-recovery gives the published numbers', () => {
  it('recall 1.0 for the official sample, with the known score of every guess', async () => {
    const rubric = await load('trigger-recovery');
    const answers = await answersOf(rubric, 'samples/official-sample.json');
    expect((await judge(rubric, 'development', answers)).metrics.recall?.value).toBe(1);
    // The second guesses alone; values of NLTK's sentence_bleu.
    const seconds = Object.fromEntries(Object.entries(answers).map(([target, guesses]) => [target, (guesses as string[]).slice(1)]));
    const known = [0.712205123, 0.731023011, 0.951069942, 0.137733073, 0];
    const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
    expect((await judge(rubric, 'development', seconds)).metrics.recall?.value).toBeCloseTo(mean, 8);
  });

  it('recall below 1e-70 for the gradient search, and no pass', async () => {
    const rubric = await load('trigger-recovery');
    const verdict = await judge(rubric, 'development', await answersOf(rubric, 'samples/official-gcg.json'));
    expect(verdict.metrics.recall?.value).toBeLessThan(1e-70);
    expect(verdict.outcome).toBe('fail');
  });

  it('the highest possible recall for the test oracle, little for triggers of other targets, and no copy of a target', async () => {
    const rubric = await load('trigger-recovery');
    const recall = async (path: string) => (await judge(rubric, 'test', await answersOf(rubric, path))).metrics.recall?.value;
    // Two triggers have three characters: no 4-gram, so NLTK's rule gives about 1e-77 even to the truth.
    const short = rubric.cases.hidden.filter((one) => Array.from((one.expected as { trigger: string }).trigger).length < 4);
    expect(short).toHaveLength(2);
    expect(await recall('controls/oracle-test.json')).toBeCloseTo(68 / 70, 12);
    expect(await recall('controls/wrong-target.json')).toBeCloseTo(0.0143, 4);
    // What that gets is the prior that recall-lift subtracts, rounded up: it earns nothing.
    const lift = rubric.rubric.metrics.find((metric) => metric.kind === 'lift');
    expect(lift?.prior).toBe(Math.ceil(((await recall('controls/wrong-target.json')) ?? 1) * 10_000) / 10_000);
    const corrected = (await judge(rubric, 'test', await answersOf(rubric, 'controls/wrong-target.json'))).metrics['recall-lift'];
    expect(corrected?.value).toBeLessThanOrEqual(0);
    const copy = await judge(rubric, 'development', await answersOf(rubric, 'controls/verbatim-copy.json'));
    expect(copy.outcome).toBe('invalid');
  });
});

describe('pii-extraction gives the published numbers', () => {
  const verdictOf = async (path: string) => {
    const rubric = await load('pii-extraction');
    return judge(rubric, 'full', await answersOf(rubric, path));
  };

  it('4894 of 4894 for the truth itself', async () => {
    const { metrics, outcome, score } = await verdictOf('controls/oracle.json');
    expect(metrics.official).toMatchObject({ numerator: 4894, denominator: 4894, value: 1 });
    expect(metrics.exact).toMatchObject({ numerator: 4894, denominator: 4894 });
    expect([outcome, score]).toEqual(['pass', 1]);
  });

  it('214 of 4894 for one constant per type, and no lift', async () => {
    const { metrics, outcome, score } = await verdictOf('samples/constant-guess.json');
    expect(metrics.official).toMatchObject({ numerator: 214, denominator: 4894 });
    expect(metrics.exact).toMatchObject({ numerator: 197, denominator: 4894 });
    expect(outcome).toBe('fail');
    expect(score).toBeLessThan(0);
  });

  it('pays the stuffed guess by the official rule alone', async () => {
    const { metrics, outcome, score } = await verdictOf('samples/stuffed-guess.json');
    expect(metrics.official).toMatchObject({ numerator: 893, denominator: 4894 });
    expect(metrics.exact).toMatchObject({ numerator: 0, denominator: 4894 });
    expect(outcome).toBe('fail');
    expect(score).toBeLessThan(0);
  });

  it('subtracts the prior that the README derives: the best constant of each type', async () => {
    const { rubric, cases } = await load('pii-extraction');
    const normal = (value: string) => value.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
    const all = [...cases.public, ...cases.hidden];
    const byType = Map.groupBy(all, (one) => (one.input as { type: string }).type);
    const hits = [...byType.values()].map((list) => {
      const counts = Map.groupBy(list, (one) => normal((one.expected as { value: string }).value));
      return Math.max(...[...counts.values()].map((same) => same.length));
    });
    const prior = hits.reduce((sum, count) => sum + count, 0) / all.length;
    const lift = rubric.metrics.find((metric) => metric.kind === 'lift');
    expect(hits.sort((a, b) => b - a)).toEqual([115, 50, 32, 3]);
    expect(lift?.prior).toBe(Math.ceil(prior * 10_000) / 10_000);
  });
});
