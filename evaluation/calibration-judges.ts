import type { ChatResult, ReplyCache } from '../contracts/chat.ts';
import { type JudgeSpec, targetOfJudge } from '../contracts/judging.ts';
import type { Budget, Usage } from '../contracts/target.ts';
import { wholeBudget } from '../gateway/allotment.ts';
import type { Gateway, GatewaySession, JudgeDoor } from '../gateway/session.ts';
import type { JudgeAccess } from '../rubrics/judging/access.ts';
import { openBatches } from '../rubrics/judging/batches.ts';

export interface CalibrationJudging {
  judges: readonly JudgeSpec[];
  gateway: Gateway;
  /** Hexadecimal: nonces, fences and the choice of sentinels derive from it. */
  seed: string;
  /** Most that may be spent, in micro-units of USD. */
  maxCostMicros: number;
  replies: ReplyCache | null;
  /** Files of the rubric, for recorded judges. */
  text(path: string): string;
  signal: AbortSignal;
}

/** The judges of a calibration, each row through a door of its own; disposing it settles the budget. */
export interface CalibrationJudges extends AsyncDisposable {
  accessOf(line: number): JudgeAccess;
  /** Ends a row; where nothing came of it, its replies leave the cache, so that the next run asks anew. */
  finished(line: number, graded: boolean): Promise<void>;
  /** Rows for which a judge could not be reached. */
  unreached(): number;
  /** What ended the run: the budget is used up. Null while it is not. */
  exhausted(): string | null;
  /** What the providers say they ran, by judge. */
  returnedModels(judge: string): string[];
  usage(): Usage;
}

/** Of calls and tokens: what bounds a calibration is its cost. Small enough that sums of it stay exact. */
const plenty = 1_000_000_000_000;
const mostReturned = 20;

/** Opens the judges through the gateway, as an evaluation does; or says why they cannot be asked here. */
export async function openCalibrationJudges(
  options: CalibrationJudging,
): Promise<{ ok: true; judges: CalibrationJudges } | { ok: false; message: string }> {
  const { judges, gateway, seed, maxCostMicros, replies, text, signal } = options;
  const none: Budget = { calls: 0, inputTokens: 0, outputTokens: 0, costMicros: 0 };
  const budget: Budget = { calls: plenty, inputTokens: plenty, outputTokens: plenty, costMicros: maxCostMicros };
  const opened = await gateway.open({
    targets: [],
    budget: none,
    allotment: wholeBudget(none),
    judges: judges.map(targetOfJudge),
    judging: { budget, allotment: wholeBudget(budget), replies },
    world: { cases: [], secretsOf: () => ({}), seed, text },
    signal,
    record: () => {},
  });
  return opened.ok ? { ok: true, judges: judgesOf(opened.session, options) } : opened;
}

function judgesOf(session: GatewaySession, { judges: list, seed, signal }: CalibrationJudging): CalibrationJudges {
  const judges: ReadonlyMap<string, JudgeSpec> = new Map(list.map((judge) => [judge.name, judge]));
  const batches = openBatches(() => performance.now());
  const doors = new Map<number, JudgeDoor>();
  const returned = new Map<string, Set<string>>();
  const unreached = new Set<number>();
  let exhausted: string | null = null;

  const note = (line: number, judge: string, result: ChatResult): void => {
    if (result.ok) {
      const models = returned.get(judge) ?? new Set<string>();
      if (models.size < mostReturned) models.add(result.reply.returnedModel);
      returned.set(judge, models);
    } else if (result.fault.kind === 'budget') exhausted ??= result.fault.message;
    else if (result.fault.kind === 'transport') unreached.add(line);
  };
  return {
    accessOf: (line) => {
      const door = session.door({ caseId: `line-${line}`, split: 'public', trial: 0 }, 'judge');
      doors.set(line, door);
      return {
        judges,
        seed,
        batches,
        ask: async (name, request, { fresh }) => {
          const how = { timeoutMs: judges.get(name)?.timeoutMs, fresh };
          const result = await door.chat({ ...request, target: name, temperature: 0 }, signal, how);
          note(line, name, result);
          return result;
        },
      };
    },
    finished: async (line, graded) => {
      const door = doors.get(line);
      doors.delete(line);
      if (!graded) await door?.forgetReplies();
    },
    unreached: () => unreached.size,
    exhausted: () => exhausted,
    returnedModels: (judge) => [...(returned.get(judge) ?? [])].sort(),
    usage: () => session.judgeUsage(),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}
