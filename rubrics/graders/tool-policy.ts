import type { ToolCall } from '../../contracts/chat.ts';
import type { GraderSpec } from '../../contracts/graders.ts';
import type { Json } from '../../contracts/json.ts';
import type { ToolPattern } from '../../contracts/plain-graders.ts';
import { clip, gradeError } from './evidence.ts';
import { graded, type Grader, type GradingContext } from './grader.ts';
import { parseText } from './json-text.ts';
import { compilePredicate, type Truth } from './predicates.ts';

type Spec = Extract<GraderSpec, { kind: 'tool-policy' }>;

const mostCalls = 10_000;
const argumentBounds = { maxBytes: 1_048_576, maxDepth: 64, maxValues: 20_000 } as const;

/** A call as the model wrote it; `arguments` is undefined where they are no JSON. */
interface Call {
  tool: string;
  arguments: Json | undefined;
}

type Matcher = (call: Call, context: GradingContext) => Truth;

/**
 * 1 when the target's tool calls of this case, in their order, keep every rule, else 0: no tool outside `allowed`, no
 * call that matches a `forbidden` pattern, each `required` pattern as often as wanted, the patterns of `order` as a
 * subsequence, at most `maxCalls`. Calls are read from replies to the submission, executed or not. Arguments that are
 * no JSON match a forbidden pattern (nothing shows that they are harmless) and no other one. No call at all keeps every
 * rule but `required` and `order`. Errors: a value to compare with is missing (sponsor); over 10,000 calls (participant).
 */
export function toolPolicy(spec: Spec): Grader {
  const rules = [
    allowedRule(spec),
    ...spec.forbidden.map(forbiddenRule),
    ...spec.required.map(requiredRule),
    orderRule(spec.order),
    (calls: readonly Call[]) =>
      spec.maxCalls !== undefined && calls.length > spec.maxCalls ? `${calls.length} calls, at most ${spec.maxCalls}` : null,
  ];
  return (context) => {
    const calls = callsOf(context);
    if (calls.length > mostCalls)
      return gradeError(`there are ${calls.length} tool calls, at most ${mostCalls} can be graded`, 'participant');
    let missing = false;
    const does: Does = (matcher, call) => {
      const truth = matcher(call, context);
      if (truth === 'undecided') missing = true;
      return truth === true;
    };
    const broken = rules.flatMap((rule) => rule(calls, does) ?? []);
    if (missing) return gradeError('the case lacks a value that the tool policy compares arguments with', 'sponsor');
    const tools = calls.slice(0, 20).map(({ tool }) => clip(tool));
    return graded(broken.length === 0 ? 1 : 0, { calls: calls.length, tools, broken: broken.slice(0, 20).map(clip) });
  };
}

type Does = (matcher: Matcher, call: Call) => boolean;
/** How the calls break a rule; null when they keep it. */
type Rule = (calls: readonly Call[], does: Does) => string | null;

function allowedRule({ allowed }: Spec): Rule {
  const names = allowed && new Set(allowed);
  return (calls) => {
    const outside = names && calls.find(({ tool }) => !names.has(tool));
    return outside ? `"${outside.tool}" is not an allowed tool` : null;
  };
}

function forbiddenRule(pattern: ToolPattern, i: number): Rule {
  const matcher = compileMatcher(pattern, true);
  return (calls, does) => (calls.some((call) => does(matcher, call)) ? `forbidden call ${i + 1}: "${pattern.tool}"` : null);
}

function requiredRule(pattern: Spec['required'][number], i: number): Rule {
  const matcher = compileMatcher(pattern, false);
  return (calls, does) => {
    const count = calls.filter((call) => does(matcher, call)).length;
    const fits = count >= pattern.atLeast && count <= (pattern.atMost ?? count);
    return fits ? null : `required call ${i + 1}: "${pattern.tool}" was made ${count} times`;
  };
}

/** The earliest fitting call for each pattern in turn: finds the subsequence when there is one. */
function orderRule(patterns: readonly ToolPattern[]): Rule {
  const matchers = patterns.map((pattern) => compileMatcher(pattern, false));
  return (calls, does) => {
    let next = 0;
    for (const call of calls) {
      const wanted = matchers[next];
      if (wanted && does(wanted, call)) next++;
    }
    return next === matchers.length ? null : `order: call ${next + 1} ("${patterns[next]?.tool}") is missing or comes too early`;
  };
}

function compileMatcher(pattern: ToolPattern, malformed: boolean): Matcher {
  const predicates = pattern.arguments.map(compilePredicate);
  return (call, context) => {
    if (call.tool !== pattern.tool) return false;
    if (call.arguments === undefined && predicates.length > 0) return malformed;
    const truths = predicates.map((holds) => holds(call.arguments, context));
    if (truths.includes(false)) return false;
    return truths.includes('undecided') ? 'undecided' : true;
  };
}

const callsOf = (context: GradingContext): Call[] =>
  context.transcript.flatMap(({ askedBy, reply }) => (askedBy === 'submission' && reply ? reply.toolCalls.map(readCall) : []));

/** Some providers send no text at all where a tool has no arguments. */
function readCall({ name, arguments: text }: ToolCall): Call {
  const parsed = text.trim() === '' ? ({ ok: true, value: {} } as const) : parseText(text, argumentBounds);
  return { tool: name, arguments: parsed.ok ? parsed.value : undefined };
}
