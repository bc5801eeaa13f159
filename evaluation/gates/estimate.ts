import type { GateResult } from '../../contracts/gates.ts';
import type { Rubric } from '../../contracts/rubric.ts';
import { sumOfUsage, type Usage } from '../../contracts/target.ts';
import { costOf, type GateContext, type Run } from './context.ts';

const gate = 'estimate';

/**
 * What one evaluation may cost at worst (both budgets) and did cost for an oracle. Fails where a priced model can never
 * be asked, because no money is budgeted for it, and where an oracle runs into its budget.
 */
export function estimateGate(context: GateContext, runs: readonly Run[]): GateResult[] {
  const { rubric } = context.rubric;
  const worst = sumOfUsage([usageOf(rubric.budget), usageOf(rubric.judging)]);
  const oracles = runs.filter((run) => run.role === 'oracle' && run.report.outcome !== 'error');
  const results: GateResult[] = [...unpaid(rubric), ...oracles.flatMap((run) => short(run, rubric.budget))];
  const honest = runs.filter((run) => run.role === 'honest' && run.report.outcome !== 'error');
  const largest = (oracles.length > 0 ? oracles : honest).toSorted(
    (a, b) => b.report.usage.calls - a.report.usage.calls || b.report.durationMs - a.report.durationMs,
  )[0];
  const measured =
    largest === undefined
      ? 'no right submission was judged'
      : `${inWords(costOf(largest.report))}, ${(largest.report.durationMs / 1000).toFixed(2)} s`;
  const { replicas } = rubric.verification;
  const verification =
    isPriced(rubric) || rubric.bounties.length > 0
      ? `; ${replicas} replicas of a verification at worst: ${inWords(times(worst, replicas))}`
      : '';
  results.push({
    ...{ gate, ok: true, measured },
    ...(largest === undefined ? {} : { control: largest.name }),
    detail: `one evaluation at worst: ${inWords(worst)}${verification}; this check itself: ${inWords(context.used())}`,
    fix: '',
  });
  return results;
}

const isPriced = (rubric: Rubric): boolean => [...rubric.targets, ...rubric.judges].some((one) => priceOf(one) > 0);

const priceOf = ({ price }: Rubric['targets'][number] | Rubric['judges'][number]): number =>
  price === undefined ? 0 : price.inputMicrosPerMillion + price.outputMicrosPerMillion;

function unpaid({ targets, judges, budget, judging }: Rubric): GateResult[] {
  const pots = [
    { models: targets, pot: budget, field: 'budget' },
    { models: judges, pot: judging, field: 'judging' },
  ];
  return pots.flatMap(({ models, pot, field }) =>
    models
      .filter((model) => priceOf(model) > 0 && pot.costMicros === 0)
      .map(
        (model): GateResult => ({
          ...{ gate, ok: false, control: model.name, measured: 0 },
          detail: `"${model.name}" has a price and "${field}" holds no money: every call would be refused`,
          fix: `give ${field}.costMicros what one evaluation may cost at most, in millionths of a USD`,
        }),
      ),
  );
}

/**
 * A right submission that runs into the budget shows that the budget is too small for anyone. A program is told that its
 * call was refused, and ends by that as by any error of its own; so its count of calls is looked at.
 */
function short(run: Run, budget: Rubric['budget']): GateResult[] {
  const { cases, usage } = run.report;
  const isSpent = budget.calls > 0 && usage.calls >= budget.calls;
  const limited = cases.filter(
    (one) =>
      (one.end === 'limit' && one.limit === 'budget') ||
      (one.end === 'fault' && (isSpent || one.usage.calls >= (budget.callsPerCase ?? Number.POSITIVE_INFINITY))),
  );
  const first = limited[0];
  if (first === undefined) return [];
  return [
    {
      ...{ gate, ok: false, control: run.name, measured: limited.length },
      detail: `${limited.length} of ${run.report.cases.length} cases of the oracle ran out of budget, first "${first.caseId}": ${first.message ?? ''}`,
      fix: 'raise the budget (or budget.callsPerCase) to what a right submission needs, with room for slower ones',
    },
  ];
}

const usageOf = ({ calls, inputTokens, outputTokens, costMicros }: Rubric['budget']): Usage => ({
  ...{ calls, inputTokens, outputTokens },
  costMicros: String(costMicros),
});

const times = (usage: Usage, factor: number): Usage => sumOfUsage(Array.from({ length: factor }, () => usage));

const inWords = ({ calls, inputTokens, outputTokens, costMicros }: Usage): string =>
  `${calls} calls, ${inputTokens} + ${outputTokens} tokens, ${usd(BigInt(costMicros))} USD`;

/** Exact: micro-units may exceed what a double holds. */
function usd(micros: bigint): string {
  const rest = (micros % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '');
  return `${micros / 1_000_000n}${rest === '' ? '' : `.${rest}`}`;
}
