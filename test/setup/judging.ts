import type { ChatReply, ChatRequest, ChatResult, ToolCall } from '../../contracts/chat.ts';
import { GraderSpec } from '../../contracts/graders.ts';
import { JudgeSpec, targetOfJudge } from '../../contracts/judging.ts';
import { openJudging } from '../../evaluation/judging.ts';
import { worldOf } from '../../evaluation/world.ts';
import { wholeBudget } from '../../gateway/allotment.ts';
import { createGateway } from '../../gateway/gateway.ts';
import { createProviders } from '../../gateway/providers/create.ts';
import { compileGrader } from '../../rubrics/graders/compile.ts';
import type { GradeResult, GradingContext } from '../../rubrics/graders/grader.ts';
import type { JudgeAccess, JudgeRequest } from '../../rubrics/judging/access.ts';
import { openBatches } from '../../rubrics/judging/batches.ts';
import { wordRubricOf } from './evaluation.ts';
import { chatReply, gradingContext } from './rubrics.ts';

export const judgingSeed = 'ab'.repeat(32);

/** Access to simulated judges through the real gateway, as an evaluation has it. */
export async function simulatedJudges(
  judges: readonly object[],
  seed = judgingSeed,
): Promise<{ access: JudgeAccess; asked(): readonly ChatRequest[] } & AsyncDisposable> {
  const judging = { calls: 10_000, inputTokens: 100_000_000, outputTokens: 100_000_000, costMicros: 0 };
  const rubric = wordRubricOf({ judges: [...judges], judging });
  const world = worldOf(rubric, seed);
  const { signal } = new AbortController();
  const opened = await createGateway(createProviders({}), { retry: { delay: async () => {} } }).open({
    ...{ targets: [], budget: rubric.rubric.budget, allotment: wholeBudget(rubric.rubric.budget) },
    judges: rubric.rubric.judges.map(targetOfJudge),
    judging: { budget: judging, allotment: wholeBudget(judging), replies: null },
    ...{ world, signal, record: () => {} },
  });
  if (!opened.ok) throw new Error(opened.message);
  const { session } = opened;
  const door = session.door({ caseId: 'one', split: 'public', trial: 0 }, 'judge');
  return {
    access: openJudging({ rubric, seed }).accessOf(door, signal),
    asked: () => door.exchanges().map(({ request }) => request),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

export type Answering = (request: JudgeRequest, judge: string) => ChatResult | Promise<ChatResult>;

/** Access to judges that a test plays itself. */
export function playedJudges(names: readonly string[], answering: Answering, seed = judgingSeed): JudgeAccess {
  const judges = new Map(names.map((name) => [name, JudgeSpec.parse({ name, provider: 'simulated', model: 'played' })]));
  return { judges, seed, batches: openBatches(() => 0), ask: async (judge, request) => answering(request, judge) };
}

/** What a request holds for whoever plays the judge: its nonce and the texts in its box. */
export function callOf(request: JudgeRequest): { nonce: string; fence: string; mark: string | null; box: Record<string, unknown> } {
  const [system, user] = request.messages;
  const call = system!.content.slice(system!.content.lastIndexOf('\n\nThis call: ') + '\n\nThis call: '.length);
  return { ...JSON.parse(call), box: JSON.parse(user!.content.split('\n')[1]!) };
}

/** A reply that calls tools and says nothing else. */
export function toolReply(calls: readonly Omit<ToolCall, 'id'>[], parts: Partial<ChatReply> = {}): ChatResult {
  const { reply } = chatReply('');
  const toolCalls = calls.map((call, i) => ({ id: `c${i}`, ...call }));
  return { ok: true, reply: { ...reply, stopReason: 'tool_calls', toolCalls, ...parts } };
}

/** Grades `answer` by a judge or jury. */
export async function gradeBy(
  spec: object,
  access: JudgeAccess,
  answer: string,
  parts: Partial<GradingContext> = {},
): Promise<GradeResult> {
  return await compileGrader(GraderSpec.parse(spec), () => '')(gradingContext({ judging: access, answer, ...parts }));
}
