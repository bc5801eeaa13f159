import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';

/** A rubric folder with `count` cases and three string graders each, and the answers that go with it. */
export async function writeScratchRubric(folder: string, count: number): Promise<Record<string, string>> {
  await mkdir(join(folder, 'cases'), { recursive: true });
  const grader = (kind: 'includes' | 'equals', to: string) => ({ kind, of: 'answer', to, normalise: ['trim', 'lower'] });
  const rubric = {
    format: 1,
    name: 'bench-strings',
    title: 'String graders',
    summary: 'A generated rubric with three string graders per case, for measuring.',
    riskTier: 'low',
    submission: [{ kind: 'answers', schema: { type: 'string', maxLength: 2000 }, maxBytes: 16_777_216 }],
    cases: { public: 'cases/public.jsonl' },
    phases: [{ name: 'main', title: 'Main', splits: ['public'] }],
    criteria: [
      { name: 'word', title: 'The answer contains the word', grader: grader('includes', 'expected/word') },
      { name: 'topic', title: 'The answer contains the topic', grader: grader('includes', 'input/topic') },
      { name: 'whole', title: 'The answer is the reference', grader: grader('equals', 'expected/whole') },
    ],
    metrics: [{ name: 'score', title: 'Mean case score', kind: 'mean', of: 'case-score' }],
    score: 'score',
    pass: { threshold: 0.9 },
  };
  await writeFile(join(folder, 'rubric.yaml'), stringify(rubric));
  await writeFile(join(folder, 'README.md'), '# String graders\n\nGenerated for measuring.\n');
  const numbers = Array.from({ length: count }, (_, index) => index);
  const lines = numbers.map((n) =>
    JSON.stringify({ id: `case-${n}`, input: { topic: `topic ${n % 17}` }, expected: { word: `word${n}`, whole: `whole answer ${n}` } }),
  );
  await writeFile(join(folder, 'cases', 'public.jsonl'), `${lines.join('\n')}\n`);
  const filler = 'The quick brown fox jumps over the lazy dog. '.repeat(8);
  return Object.fromEntries(numbers.map((n) => [`case-${n}`, `${filler}Topic ${n % 17} and word${n}.`]));
}
