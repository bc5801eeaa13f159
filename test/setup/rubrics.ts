import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ChatRequest, ChatResult, Exchange, StopReason } from '../../contracts/chat.ts';
import type { CaseResult, Grade } from '../../contracts/evaluation.ts';
import type { Split } from '../../contracts/rubric.ts';
import type { GradingContext } from '../../rubrics/graders/grader.ts';
import { openBatches } from '../../rubrics/judging/batches.ts';

/** A small valid rubric as YAML: two public cases, one hidden, one criterion. */
export const smallRubricYaml = `format: 1
name: capitals
title: Capitals of the world
summary: Name the capital of each country.
riskTier: low
submission:
  - kind: answers
    schema: { type: string, maxLength: 100 }
cases:
  public: cases/public.jsonl
  hidden: cases/hidden.jsonl
phases:
  - { name: all, title: All cases, splits: [public, hidden] }
criteria:
  - name: right
    title: The capital is right
    grader: { kind: equals, of: answer, to: expected/capital, normalise: [trim, lower] }
metrics:
  - { name: accuracy, title: Share of right capitals, kind: mean, of: { criterion: right } }
score: accuracy
pass: { threshold: 0.4 }
`;

export const smallRubricFiles: Readonly<Record<string, string>> = {
  'rubric.yaml': smallRubricYaml,
  'README.md': '# Capitals\n',
  'cases/public.jsonl':
    '{"id":"fr","input":{"country":"France"},"expected":{"capital":"Paris"}}\n{"id":"jp","input":{"country":"Japan"},"expected":{"capital":"Tokyo"}}\n',
  'cases/hidden.jsonl': '{"id":"ke","input":{"country":"Kenya"},"expected":{"capital":"Nairobi"}}\n',
};

/** Files as a rubric's bytes in memory. */
export const bytesOf = (files: Readonly<Record<string, string | Uint8Array>>): Map<string, Uint8Array> =>
  new Map(Object.entries(files).map(([path, content]) => [path, typeof content === 'string' ? Buffer.from(content, 'utf8') : content]));

/** A folder that lives as long as the test. */
export async function temporaryFolder(files: Readonly<Record<string, string>> = {}): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'collective-rubric-'));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), content);
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** What a grader sees of one case; nothing is asked unless the test says how. */
export function gradingContext(parts: Partial<GradingContext> = {}): GradingContext {
  return {
    case: { id: 'one', input: null },
    split: 'public',
    trial: 0,
    answer: undefined,
    transcript: [],
    secrets: {},
    ask: () => Promise.reject(new Error('this test expects no call')),
    purpose: 'grading',
    judging: {
      judges: new Map(),
      seed: 'ab'.repeat(32),
      batches: openBatches(() => 0),
      ask: () => Promise.reject(new Error('this test expects no judge')),
    },
    runProgram: () => Promise.reject(new Error('this test expects no grader program')),
    ...parts,
  };
}

/** A reply as the gateway returns it. */
export function chatReply(content: string, stopReason: StopReason = 'stop'): Extract<ChatResult, { ok: true }> {
  const tokens = { inputTokens: 1, outputTokens: 1, estimated: false };
  return {
    ok: true,
    reply: { id: 'r', content, toolCalls: [], stopReason, requestedModel: 'm', returnedModel: 'm', fingerprint: null, tokens },
  };
}

/** One recorded call whose reply is `content`. */
export function exchange(content: string, stopReason: StopReason = 'stop', askedBy: Exchange['askedBy'] = 'submission'): Exchange {
  const request: ChatRequest = { target: 't', messages: [{ role: 'user', content: 'hello' }] };
  const { reply } = chatReply(content, stopReason);
  return {
    index: 0,
    target: 't',
    simulated: true,
    askedBy,
    request,
    reply,
    fault: null,
    charged: { calls: 1, inputTokens: 1, outputTokens: 1, costMicros: '0' },
    startedAt: '2026-01-01T00:00:00.000Z',
    durationMs: 0,
  };
}

export const grade = (criterion: string, score: number): Grade => ({ criterion, grader: 'equals', status: 'graded', score, evidence: {} });

/** A result of one case; answered with one grade of `score` on the criterion `right` unless `parts` say otherwise. */
export function caseResult(caseId: string, score: number, parts: Partial<CaseResult> = {}): CaseResult {
  return {
    caseId,
    split: 'public' as Split,
    trial: 0,
    end: 'answered',
    limit: null,
    message: null,
    grades: [grade('right', score)],
    score,
    transcriptHash: null,
    logHash: null,
    artifacts: [],
    usage: { calls: 0, inputTokens: 0, outputTokens: 0, costMicros: '0' },
    wallMs: 0,
    ...parts,
  };
}
