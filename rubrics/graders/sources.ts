import type { Source } from '../../contracts/sources.ts';
import type { Json } from '../../contracts/json.ts';
import type { Case } from '../../contracts/rubric.ts';
import type { GradingContext } from './grader.ts';

export type SourceHead = 'answer' | 'expected' | 'input' | 'replies' | 'last-reply' | 'secret' | 'submission';

/** The first word of a source; which part of the context it reads. */
export const sourceHead = (source: Source): SourceHead => source.split('/', 1)[0] as SourceHead;

/**
 * The value a source points at, or undefined when there is none. The part after the first word is an RFC 6901 pointer
 * (`~1` is `/`, `~0` is `~`); only own properties count, so no pointer reaches a prototype.
 */
export function resolveSource(source: Source, context: GradingContext): Json | undefined {
  return follow(rootOf(sourceHead(source), context), source);
}

/** As `resolveSource` for what a case alone can say: `input` and `expected`. */
export function resolveCaseSource(source: Source, c: Case): Json | undefined {
  const head = sourceHead(source);
  if (head === 'input') return follow(c.input, source);
  return head === 'expected' ? follow(c.expected, source) : undefined;
}

/** The text of a case that a source points at; throws where `loadRubric` would have refused the case. */
export function caseText(source: Source, c: Case): string {
  const text = asText(resolveCaseSource(source, c))[0];
  if (text === undefined) throw new Error(`case "${c.id}" has no text at "${source}"`);
  return text;
}

/** The texts at a source: a text or number alone, or each one of a list. Anything else is no text. */
export function resolveTexts(source: Source, context: GradingContext): string[] {
  const value = resolveSource(source, context);
  return Array.isArray(value) ? value.flatMap(asText) : asText(value);
}

/** A scalar's text; nothing for null, lists and objects. */
export function asText(value: Json | undefined): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'number' || typeof value === 'boolean' ? [String(value)] : [];
}

function rootOf(head: SourceHead, context: GradingContext): Json | undefined {
  switch (head) {
    case 'answer':
      return context.answer;
    case 'expected':
      return context.case.expected;
    case 'input':
      return context.case.input;
    case 'replies':
      return repliesOf(context);
    case 'last-reply':
      return repliesOf(context).at(-1);
    case 'secret':
      return { ...context.secrets };
    case 'submission':
      return context.submission === undefined ? undefined : [...context.submission];
  }
}

/** What the target sent to the submission. Calls of graders are not the submission's doing. */
const repliesOf = (context: GradingContext): string[] =>
  context.transcript.flatMap((exchange) => (exchange.askedBy === 'submission' && exchange.reply ? [exchange.reply.content] : []));

const follow = (root: Json | undefined, source: Source): Json | undefined =>
  root === undefined ? undefined : followPointer(root, source.slice(sourceHead(source).length));

/** What an RFC 6901 pointer finds in a value; undefined for nothing. Only own properties and plain indices count. */
export function followPointer(root: Json, pointer: string): Json | undefined {
  let value: Json | undefined = root;
  for (const token of pointer.split('/').slice(1)) {
    if (value === null || value === undefined || typeof value !== 'object') return undefined;
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(value) ? !/^(0|[1-9]\d*)$/.test(key) : !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, Json | undefined>)[key];
  }
  return value;
}
