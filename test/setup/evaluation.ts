import type { ChatRequest, Exchange, StopReason } from '../../contracts/chat.ts';
import type { CaseResult } from '../../contracts/evaluation.ts';
import type { Case, Phase, Split } from '../../contracts/rubric.ts';
import type { CaseRun, SandboxDriver, SandboxOptions, Task } from '../../contracts/sandbox.ts';
import type { TargetSpec } from '../../contracts/target.ts';
import type { CaseTexts, EvaluationDeps, EvaluationPlan, EvaluationSink } from '../../evaluation/plan.ts';
import { wholeBudget } from '../../gateway/allotment.ts';
import { createGateway, type GatewayOptions } from '../../gateway/gateway.ts';
import { createProviders } from '../../gateway/providers/create.ts';
import type { ChatEvent, Provider } from '../../gateway/providers/provider.ts';
import type { CaseRef, Gateway } from '../../gateway/session.ts';
import { rubricFromFiles } from '../../rubrics/load.ts';
import type { LoadedRubric } from '../../rubrics/rubric.ts';
import { bytesOf } from './rubrics.ts';

/** A rubric that takes every kind of submission: each case wants one word, as the answer or in the target's last reply. */
export const wordRubric = {
  format: 1,
  name: 'say-the-word',
  title: 'Say the word',
  summary: 'Every case wants one word, as the answer or in what the target replies.',
  riskTier: 'low',
  demonstration: true,
  submission: [
    { kind: 'answers', schema: { type: 'string', maxLength: 100 } },
    { kind: 'prompts', maxMessages: 3 },
    { kind: 'defence' },
    { kind: 'program', schema: { type: 'string' } },
  ],
  targets: [
    { name: 'parrot', provider: 'simulated', model: 'parrot', replaceable: true },
    { name: 'other', provider: 'simulated', model: 'parrot' },
  ],
  budget: { calls: 1000, inputTokens: 1_000_000, outputTokens: 600_000, costMicros: 0 },
  sandbox: { profiles: ['js', 'python'], limits: { wallMs: 10_000, cpuMs: 1_500, outputBytes: 4_096 } },
  cases: { public: 'cases/public.jsonl', hidden: 'cases/hidden.jsonl' },
  phases: [
    { name: 'all', title: 'All cases', splits: ['public', 'hidden'] },
    { name: 'open', title: 'Public cases', splits: ['public'] },
  ],
  criteria: [
    {
      name: 'given',
      title: 'The answer is the word',
      grader: { kind: 'equals', of: 'answer', to: 'expected/word' },
      for: ['answers', 'program'],
    },
    {
      name: 'said',
      title: 'The target says the word',
      grader: { kind: 'includes', of: 'last-reply', to: 'expected/word' },
      for: ['prompts', 'defence'],
    },
  ],
  metrics: [{ name: 'score', title: 'Mean case score', kind: 'mean', of: 'case-score' }],
  score: 'score',
  pass: { threshold: 0.9, bound: 'point' },
};

/** `count` cases `p0`, `p1`, … (`h0`, … for hidden ones); each wants the word `word-<id>` and shows it in its prompt. */
export const wordCases = (prefix: string, count: number): Case[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `${prefix}${i}`,
    input: { prompt: `say word-${prefix}${i}` },
    expected: { word: `word-${prefix}${i}` },
  }));

export function wordFiles(
  changes: Record<string, unknown> = {},
  cases: { public?: Case[]; hidden?: Case[] } = {},
  files: Record<string, string> = {},
): Record<string, string> {
  const lines = (of: Case[]) => of.map((one) => `${JSON.stringify(one)}\n`).join('');
  return {
    'rubric.yaml': JSON.stringify({ ...wordRubric, ...changes }),
    'README.md': '# Say the word\n',
    'cases/public.jsonl': lines(cases.public ?? wordCases('p', 3)),
    'cases/hidden.jsonl': lines(cases.hidden ?? wordCases('h', 2)),
    ...files,
  };
}

/** The same as a loaded rubric; throws with its problems when it does not load. */
export function wordRubricOf(...given: Parameters<typeof wordFiles>): LoadedRubric {
  const loaded = rubricFromFiles(bytesOf(wordFiles(...given)), '/nowhere');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.rubric;
}

export const rightAnswers = (rubric: LoadedRubric): { kind: 'answers'; answers: Record<string, string> } => ({
  kind: 'answers',
  answers: Object.fromEntries([...rubric.cases.public, ...rubric.cases.hidden].map((one) => [one.id, `word-${one.id}`])),
});

export const rightPrompts = (rubric: LoadedRubric): { kind: 'prompts'; prompts: Record<string, string> } => ({
  kind: 'prompts',
  prompts: Object.fromEntries([...rubric.cases.public, ...rubric.cases.hidden].map((one) => [one.id, `say word-${one.id}`])),
});

export const programOf = (body: string): { kind: 'program'; language: 'javascript'; source: string } => ({
  kind: 'program',
  language: 'javascript',
  source: `export default async function solve(task, target) {\n${body}\n}\n`,
});

export const rightProgram = programOf("return 'word-' + task.id;");

export interface Said {
  text: string;
  stopReason?: StopReason;
}
export type Script = (request: ChatRequest, ref: CaseRef, signal: AbortSignal) => string | Said | Promise<string | Said>;

export const lastText = (request: ChatRequest): string => request.messages.at(-1)?.content ?? '';
/** Repeats the last message. */
export const parrot: Script = (request) => lastText(request);

/** The real gateway, with a simulated provider that says what `script` says; a script throws `ProviderFault` for a fault. */
export function scriptedGateway(script: Script, options: GatewayOptions = {}): Gateway {
  return createGateway({ ...createProviders({}), simulated: scripted(script) }, { retry: { delay: async () => {} }, ...options });
}

function scripted(script: Script): Provider {
  return {
    check: () => null,
    stream: async function* (request, target: TargetSpec, { ref }, signal): AsyncGenerator<ChatEvent> {
      const said = await script(request, ref, signal);
      const { text, stopReason = 'stop' } = typeof said === 'string' ? { text: said } : said;
      yield { type: 'text', text };
      const tokens = { inputTokens: 3, outputTokens: 2, estimated: false };
      yield { type: 'end', stopReason, tokens, returnedModel: `${target.model}-1`, fingerprint: null };
    },
  };
}

export interface MemorySink extends EvaluationSink {
  kept: { result: CaseResult; texts: CaseTexts }[];
  calls: { ref: CaseRef; exchange: Exchange }[];
  /** What happened, in order: `started public 3`, `case p0`, `grading`. */
  log: string[];
}

export function memorySink(changes: Partial<EvaluationSink> = {}): MemorySink {
  const [kept, calls, log]: [MemorySink['kept'], MemorySink['calls'], string[]] = [[], [], []];
  return {
    kept,
    calls,
    log,
    splitStarted: async (split: Split, cases) => void log.push(`started ${split} ${cases}`),
    splitFinished: async (split: Split, cases) => void log.push(`finished ${split} ${cases}`),
    sandboxOpened: async (split, { driver }) => void log.push(`sandbox ${split} ${driver}`),
    caseFinished: async (result, texts) => {
      log.push(`case ${result.caseId}`);
      kept.push({ result, texts });
    },
    called: (ref, exchange) => void calls.push({ ref, exchange }),
    grading: async () => void log.push('grading'),
    ...changes,
  };
}

export const seed = 'ab'.repeat(32);

export function planFor(
  rubric: LoadedRubric,
  submission: EvaluationPlan['submission'],
  changes: Partial<EvaluationPlan> = {},
): EvaluationPlan {
  return {
    id: 'test-run',
    rubric,
    phase: phaseOf(rubric),
    submission,
    seed,
    targets: rubric.rubric.targets,
    purpose: 'grading',
    ...changes,
  };
}

export function phaseOf(rubric: LoadedRubric, name?: string): Phase {
  const phase = rubric.rubric.phases.find((one) => name === undefined || one.name === name);
  if (phase === undefined) throw new Error(`no phase ${name}`);
  return phase;
}

export function depsFor(plan: EvaluationPlan, changes: Partial<EvaluationDeps> = {}): EvaluationDeps & { sink: MemorySink } {
  const sink = memorySink();
  return {
    gateway: scriptedGateway(parrot),
    sandboxes: [],
    allotment: wholeBudget(plan.rubric.rubric.budget),
    judging: { allotment: wholeBudget(plan.rubric.rubric.judging), replies: null },
    signal: new AbortController().signal,
    checkpoint: [],
    ...changes,
    sink: changes.sink === undefined ? sink : Object.assign(sink, changes.sink),
  };
}

const noContainer = { driver: 'wasm', runtime: null, imageId: null, profileSha256: null } as const;

/** A driver whose sandboxes do what the test says, for what a real one cannot be made to do on demand. */
export function fakeDriver(run: (task: Task, signal: AbortSignal) => Promise<CaseRun>, open?: SandboxDriver['open']) {
  const opened: SandboxOptions[] = [];
  const closed: string[] = [];
  const driver: SandboxDriver = {
    name: 'wasm',
    profiles: ['js'],
    probe: async () => ({ available: true, profiles: ['js'], gvisor: false, detail: '' }),
    open:
      open ??
      (async (options) => {
        opened.push(options);
        return { ok: true, sandbox: { run, environment: noContainer, [Symbol.asyncDispose]: async () => void closed.push(options.id) } };
      }),
  };
  return { driver, opened, closed };
}
export const answerOf = (task: Task): CaseRun => ({ kind: 'answer', answer: `word-${task.id}`, log: '', wallMs: 1 });

/** A right submission of every kind, named. */
export const kindsOf = (rubric: LoadedRubric): [string, EvaluationPlan['submission']][] => [
  ['answers', rightAnswers(rubric)],
  ['prompts', rightPrompts(rubric)],
  ['defence', { kind: 'defence', systemPrompt: 'Say it.' }],
  ['program', rightProgram],
];
