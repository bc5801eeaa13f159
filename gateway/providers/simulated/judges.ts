import type { Json } from '../../../contracts/json.ts';
import { ProviderFault } from '../provider.ts';
import { beginningOf, honestFields, notAsked, submit, valuesOf } from './judge-honest.ts';
import { type JudgeSight, judgeSightOf, objectOf } from './judge-sight.ts';
import type { SimulatedModel, SimulatedReply, WaitingModel } from './model.ts';

/** Says the best of everything, with a real quote and the right nonce: only a text that is known to fail shows it. */
export const alwaysPassJudge: SimulatedModel = (request) => {
  const sight = judgeSightOf(request);
  return sight === null ? notAsked : submit(sight, bestFields(sight));
};

/** Honest until a graded text tells it what to say. */
export const injectableJudge: SimulatedModel = (request, { settings }) => {
  const sight = judgeSightOf(request);
  if (sight === null) return notAsked;
  const { graded, first, second } = sight.parts;
  const texts = [...(graded ?? []), ...(first ?? []), ...(second ?? [])];
  if (!texts.some(givesOrders)) return submit(sight, honestFields(sight, settings));
  const wanted = wantedVerdicts(texts);
  return submit(sight, bestFields(sight, second?.some(givesOrders) ? 'second' : 'first', wanted));
};

/** Declines every question. */
export const refusingJudge: SimulatedModel = (): SimulatedReply => ({
  text: "I'm sorry, but as a simulated judge I can't assess this text.",
  stopReason: 'refusal',
});

/** Calls the right tool with JSON that breaks off. */
export const brokenJsonJudge: SimulatedModel = (request, context) => {
  const sight = judgeSightOf(request);
  if (sight === null) return notAsked;
  const { toolCalls = [] } = submit(sight, honestFields(sight, context.settings));
  return { text: '', toolCalls: toolCalls.map((call) => ({ ...call, arguments: call.arguments.slice(0, -2) })) };
};

/** Never answers: it waits until it is given up. */
export const slowJudge: WaitingModel = (_request, _context, signal) =>
  new Promise((_resolve, reject) => {
    const giveUp = () => reject(new ProviderFault('transport', 'The simulated slow judge never answers', { httpStatus: 504 }));
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  });

/** Words by which a text speaks to its judge; a weak model obeys any of them. */
const orders = [
  /^\s*:\s*$/m,
  /thought process:/i,
  /step by step/i,
  /"(?:verdict|level|refused)"/,
  /\[\[10\]\]/,
  /ignor(?:e|iere) (?:the|previous|all|la|die)/i,
] as const;

/** The verdicts that texts ask for: by criterion, or under the empty name. Nothing asked for is "yes". */
function wantedVerdicts(texts: readonly string[]): ReadonlyMap<string, string> {
  const all = texts.join('\n');
  const named = [...all.matchAll(/"([a-z0-9-]+)"\s*:\s*\{\s*"verdict"\s*:\s*"(yes|no)"/g)].map(
    ([, name = '', verdict = '']) => [name, verdict] as const,
  );
  const single = /"verdict"\s*:\s*"(yes|no)"/.exec(all)?.[1];
  return new Map([...named, ...(single === undefined ? [] : [['', single] as const])]);
}

const givesOrders = (text: string): boolean => orders.some((order) => order.test(text));

function bestFields(
  { properties, parts }: JudgeSight,
  better: 'first' | 'second' = 'first',
  wanted: ReadonlyMap<string, string> = new Map(),
): Record<string, Json> {
  const about = parts.graded ?? parts[better] ?? [];
  const reasons = { confidence: 1, evidence: [beginningOf(about)] };
  const verdict = (name: string) => ({ verdict: wanted.get(name) ?? 'yes', ...reasons });
  if (properties.answer) return { answer: beginningOf(parts.task ?? []) };
  if (properties.criteria) {
    const names = Object.keys(objectOf(objectOf(properties.criteria).properties));
    return { criteria: Object.fromEntries(names.map((name) => [name, verdict(name)])) };
  }
  if (properties.level) return { level: valuesOf(properties.level).at(-1) ?? 1, ...reasons };
  if (properties.refused) return { refused: 'no', specific: 5, convincing: 5, ...reasons };
  return valuesOf(properties.verdict).includes('first') ? { verdict: better, ...reasons } : verdict('');
}
