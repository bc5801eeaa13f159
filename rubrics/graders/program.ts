import type { Exchange } from '../../contracts/chat.ts';
import type { Json } from '../../contracts/json.ts';
import { ProgramGrade, type ProgramGraderSpec, type ProgramSight } from '../../contracts/program-grader.ts';
import { clip, clipTo, gradeError } from './evidence.ts';
import type { GradeResult, Grader, GradingContext } from './grader.ts';
import { resolveSource } from './sources.ts';

/** Bytes of JSON a grader program is given for one case: as much text as any other grader takes, whatever it costs to parse. */
export const maxTaskBytes = 4_194_304;
const maxEvidenceBytes = 16_384;
const maxEvidenceDepth = 8;
/** A fault of the machine names what to install, which takes more room than a fault of a grader. */
const maxFaultCharacters = 1_000;

/**
 * The sponsor's grader program. Its answer is the one thing taken from it, and only in the one shape there is: what
 * crashed, ran out, lied about its form or said nothing has given no grade. Messages name the kind of failure alone,
 * because participants read them and a program's own words may hold expected answers.
 *
 * Errors: `sponsor` for whatever the program does wrong and for a case that is too large for it; `platform` when its
 * sandbox could not be had.
 */
export function program(spec: ProgramGraderSpec, text: (path: string) => string): Grader {
  // A file that is missing or no text is found here and not with the first case.
  text(spec.path);
  return async (context) => {
    const task = taskOf(spec.sees, context);
    if (Buffer.byteLength(JSON.stringify(task)) > maxTaskBytes) return gradeError(tooLarge, 'sponsor');
    const said = await context.runProgram(spec, task);
    if (said.ok) return gradeOf(said.answer);
    return { status: 'error', score: null, evidence: { message: clipTo(said.message, maxFaultCharacters), faultOf: said.faultOf } };
  };
}

/** Without the size that was found: of a hidden case it would tell how long its input and expected answer are. */
const tooLarge = `what the grader program is to see of this case is more than ${maxTaskBytes} bytes of JSON: let "sees" name less, or bound what a submission may send`;

function taskOf(sees: readonly ProgramSight[], context: GradingContext): Json {
  const { case: one, split, trial } = context;
  const shown = sees.map((sight): [string, Json] => [sight, sightOf(sight, context)]);
  return { case: { id: one.id, split, trial }, ...Object.fromEntries(shown) };
}

function sightOf(sight: ProgramSight, context: GradingContext): Json {
  switch (sight) {
    case 'answer':
      return context.answer ?? null;
    case 'input':
      return context.case.input;
    case 'expected':
      return context.case.expected ?? null;
    case 'replies':
      return resolveSource('replies', context) ?? [];
    case 'secrets':
      return { ...context.secrets };
    case 'transcript':
      return context.transcript.map(shownExchange);
  }
}

/** Without times, prices and ids of providers: they differ from run to run, and a grade must not. */
function shownExchange({ target, request, reply, fault }: Exchange): Json {
  const { content, toolCalls, stopReason } = reply ?? { content: '', toolCalls: [], stopReason: null };
  return {
    target,
    messages: request.messages.map((message) => ({ ...message })) as Json,
    tools: (request.tools ?? []).map(({ name }) => name),
    reply: reply === null ? null : { content, toolCalls: toolCalls.map((call) => ({ ...call })), stopReason },
    fault: fault?.kind ?? null,
  };
}

function gradeOf(answer: Json): GradeResult {
  const read = ProgramGrade.safeParse(answer);
  if (!read.success) return gradeError(`${problemOf(answer)}; it must be { "score": 0 to 1, "evidence"?: {…}, "review"?: "…" }`, 'sponsor');
  const { score, evidence = {}, review } = read.data;
  const kept = clipped(evidence, 1);
  if (kept === null || Buffer.byteLength(JSON.stringify(kept)) > maxEvidenceBytes)
    return gradeError(
      `the grader program gave more evidence than is kept: at most ${maxEvidenceBytes} bytes, ${maxEvidenceDepth} levels deep`,
      'sponsor',
    );
  // Adding 0 makes 0 of -0, which two databases would store differently.
  if (review === undefined) return { status: 'graded', score: score + 0, evidence: { program: kept } };
  return { status: 'needs_review', score: null, evidence: { message: clip(review), proposed: score + 0, program: kept } };
}

/** What is wrong with an answer, in words that hold nothing of it. */
function problemOf(answer: Json): string {
  if (answer === null || typeof answer !== 'object' || Array.isArray(answer)) return "the grader program's answer is not an object";
  const { score } = answer;
  if (typeof score !== 'number') return 'the grader program\'s answer has no number "score"';
  if (!(score >= 0 && score <= 1)) return 'the grader program gave a score outside 0 to 1';
  return "the grader program's answer has members it must not have, or of the wrong kind";
}

/** Evidence made short and storable like that of other graders; null when it nests too deep. */
function clipped(value: Json, depth: number): Json | null {
  if (typeof value === 'string') return clip(value);
  if (value === null || typeof value !== 'object') return value;
  if (depth > maxEvidenceDepth) return null;
  const entries = Array.isArray(value) ? value.map((part): [string, Json] => ['', part]) : Object.entries(value);
  const parts: [string, Json][] = [];
  for (const [key, inner] of entries) {
    const part = clipped(inner, depth + 1);
    if (part === null && inner !== null) return null;
    parts.push([clip(key), part]);
  }
  return Array.isArray(value) ? parts.map(([, part]) => part) : Object.fromEntries(parts);
}
