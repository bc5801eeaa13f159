import { setTimeout as sleep } from 'node:timers/promises';
import type { TargetSpec } from '../contracts/target.ts';
import type { AttemptLimits } from './attempt.ts';
import { type MeteredSession, openSession } from './open-session.ts';
import { defaultPace, Pace, type PaceTools } from './pace.ts';
import type { Providers } from './providers/provider.ts';
import { defaultRetry, type RetryTools } from './retry.ts';
import type { Gateway, SessionOptions, SimulatedWorld } from './session.ts';

/**
 * The metered door to models. Theory of operation:
 *
 * An evaluation opens one session. Code that is not trusted reaches it through a unix socket (`listen`), trusted code
 * through `chat`; both end in a `Door` that belongs to one case, so a call never says by itself whose it is. A request
 * in the words of OpenAI or Anthropic (`wire/`) becomes a `ChatRequest`; what the rubric does not allow is refused
 * (`policy`); the worst case of the call is taken out of the budget (`Meter`); a provider is asked, again if its
 * transport failed (`retry`); what it used is settled; the exchange is recorded.
 *
 * The caller can lie about nothing that counts: no key or URL comes from it, the model is one of the rubric's, sizes
 * are bounded before anything is parsed, and the cost is reserved from bytes and limits that are measured here.
 * Judges are models too, but of another side: their doors reach no target and no target's door reaches them, they spend
 * from a purse of their own, and their faults end no evaluation, because another judge may answer.
 *
 * What a target does (refusal, filter, length) comes back as a reply. What the platform or a provider does wrong is a
 * `transport` fault, kept by the session, and makes the evaluation `error`: nobody is charged or judged for it.
 */
export interface GatewayOptions {
  retry?: Partial<RetryTools>;
  limits?: Partial<AttemptLimits>;
  pace?: Partial<PaceTools>;
}

export interface MeteredGateway extends Gateway {
  open(options: SessionOptions): Promise<{ ok: true; session: MeteredSession } | { ok: false; message: string }>;
}

const defaultLimits: AttemptLimits = { idleMs: 60_000, totalMs: 300_000, replyCharacters: 1_048_576 };

/** A gateway over `providers`. `open` refuses, in words, targets that could not be asked or not be paid for. */
export function createGateway(providers: Providers, options: GatewayOptions = {}): MeteredGateway {
  const retry: RetryTools = { policy: defaultRetry, delay: wait, random: Math.random, ...options.retry };
  const limits = { ...defaultLimits, ...options.limits };
  const paceOf = paces({ ...defaultPace, ...options.pace });
  return {
    open: async (session) => {
      const problems = [
        ...session.targets.flatMap((target) => problemOf('Target', target, providers, session.world) ?? []),
        ...session.judges.flatMap((judge) => problemOf('Judge', judge, providers, session.world) ?? []),
      ];
      if (problems.length > 0) return { ok: false, message: problems.join('; ') };
      return { ok: true, session: openSession(session, { providers, retry, limits, paceOf }) };
    },
  };
}

/** One pace for each provider and model; the providers of one gateway each have one base URL. What runs in this process has none. */
function paces(tools: PaceTools): (target: TargetSpec) => Pace | null {
  const all = new Map<string, Pace>();
  return ({ provider, model }) => {
    if (provider === 'simulated' || provider === 'replay') return null;
    const key = `${provider} ${model}`;
    const pace = all.get(key) ?? new Pace(tools);
    all.set(key, pace);
    return pace;
  };
}

function problemOf(what: 'Target' | 'Judge', target: TargetSpec, providers: Providers, world: SimulatedWorld): string | null {
  const problem = providers[target.provider].check(target, world);
  if (problem !== null) return `${what} "${target.name}" (${target.provider}): ${problem}`;
  const free = target.provider === 'simulated' || target.provider === 'replay';
  if (free || target.price) return null;
  return `${what} "${target.name}" (${target.provider}) has no price: its cost could not be kept within a budget; give it "price"`;
}

/** Ends early, without an error, when `signal` aborts. */
async function wait(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
