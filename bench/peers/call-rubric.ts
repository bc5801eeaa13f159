import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';

/** The rubric folder of the comparison: one call per case, three string graders, and for `judged` one question to a judge. */
export async function writeCallRubric(folder: string, options: { cases: number; judged: boolean }): Promise<Record<string, string>> {
  const { cases, judged } = options;
  const free = { inputMicrosPerMillion: 0, outputMicrosPerMillion: 0 };
  const model = { provider: 'openai', model: 'mock', price: free };
  const budget = { calls: cases * 3 + 100, inputTokens: cases * 20_000, outputTokens: cases * 4_000, costMicros: 0 };
  const sentinels = {
    pass: [{ text: 'The answer to question 7 is word7.' }],
    fail: [{ text: 'Bread rises because yeast turns sugar into gas.' }],
  };
  const judge = {
    name: 'named',
    title: 'The judge finds the word',
    grader: {
      ...{ kind: 'judge', of: 'last-reply', judges: ['mock-judge'], sentinels },
      question: { form: 'yes-no', ask: 'Does the answer name the word of a question?' },
    },
  };
  const rubric = {
    format: 1,
    name: judged ? 'bench-judged' : 'bench-calls',
    title: 'Calls with string graders',
    summary: 'A generated rubric with one call and three string graders per case, for measuring.',
    riskTier: 'low',
    submission: [{ kind: 'prompts' }],
    targets: [{ name: 'mock', ...model }],
    budget,
    ...(judged ? { judges: [{ name: 'mock-judge', ...model }], judging: budget } : {}),
    cases: { public: 'cases/public.jsonl' },
    phases: [{ name: 'main', title: 'Main', splits: ['public'] }],
    criteria: [
      { name: 'word', title: 'The answer contains the word', grader: { kind: 'includes', of: 'last-reply', to: 'expected/word' } },
      { name: 'question', title: 'It names a question', grader: { kind: 'regex', of: 'last-reply', pattern: 'question \\d+\\b' } },
      {
        ...{ name: 'willing', title: 'It does not decline' },
        grader: { kind: 'regex', of: 'last-reply', pattern: 'i cannot', flags: ['ignore-case'], atLeast: 0, atMost: 0 },
      },
      ...(judged ? [judge] : []),
    ],
    metrics: [{ name: 'score', title: 'Mean case score', kind: 'mean', of: 'case-score' }],
    score: 'score',
    pass: { threshold: 0.9 },
  };
  await mkdir(join(folder, 'cases'), { recursive: true });
  await writeFile(join(folder, 'rubric.yaml'), stringify(rubric));
  await writeFile(join(folder, 'README.md'), '# Calls\n\nGenerated for measuring.\n');
  const numbers = Array.from({ length: cases }, (_, n) => n);
  const lines = numbers.map((n) => JSON.stringify({ id: `case-${n}`, input: { n }, expected: { word: `word${n}` } }));
  await writeFile(join(folder, 'cases', 'public.jsonl'), `${lines.join('\n')}\n`);
  return Object.fromEntries(numbers.map((n) => [`case-${n}`, `Please answer question ${n}.`]));
}
