import { z } from 'zod';
import { CalibrationProblem } from '../calibration/problem.ts';
import { winRate } from '../statistics/win-rate.ts';
import { ctfScores } from './ctf-scores.ts';
import { labelRates } from './label-rates.ts';
import { orderAgreement } from './order-agreement.ts';
import { readJson, readRows } from './read-json.ts';
import { slotHits } from './slot-hits.ts';
import { stealthRows } from './stealth-rows.ts';
import { successRate } from './success-rate.ts';
import { tableShares } from './table-shares.ts';
import { triggerRecall } from './trigger-recall.ts';

export interface RecountRequest {
  data: string;
  /** The file with the truth, for recounts that compare with one. */
  truth?: string | undefined;
  /** The field or fields that are read, where they have other names than in the published files. */
  fields: readonly string[];
  /** `name=denominator` pairs of a table. */
  columns: readonly string[];
}

type Recount = (request: RecountRequest) => Promise<object>;

/** Every published result that can be counted again from a file of its shape. */
export const recounts: Readonly<Record<string, { summary: string; run: Recount }>> = {
  'win-rate': { summary: 'AlpacaEval: preferences from 1 to 2', run: winRateOf },
  'success-rate': { summary: 'JailbreakBench: labelled rows against all rows, and the header against them', run: successRateOf },
  orders: { summary: 'LLMBar: votes in both orders against the labels of --truth', run: ordersOf },
  'trigger-recall': { summary: 'TDC 2023, CLAS 2024: guesses against the triggers of --truth', run: triggerRecallOf },
  stealth: { summary: 'CLAS 2024 track 1: TF-IDF cosine of original and rewrite', run: stealthOf },
  slots: { summary: 'LLM-PC: guesses per slot against those of --truth', run: slotsOf },
  ctf: {
    summary: 'SaTML 2024: values of defences, totals of attackers',
    run: async ({ data }) => inWords(ctfScores, await readJson(data, Defences)),
  },
  rates: { summary: 'XSTest: how often each label of the first --field was given, by the second', run: ratesOf },
  shares: { summary: 'AgentDojo: every percentage is a share of its own denominator (--column)', run: sharesOf },
};

async function winRateOf({ data, fields: [field = 'preference'] }: RecountRequest): Promise<object> {
  const rows = await readRows(data, z.looseObject({ [field]: z.coerce.number() }));
  return inWords(
    winRate,
    rows.map((row) => row[field] as number),
  );
}

async function successRateOf({ data, fields: [field = 'jailbroken'] }: RecountRequest): Promise<object> {
  const Row = z.looseObject({ [field]: z.boolean().nullable() });
  const File = z.looseObject({
    parameters: z.looseObject({ attack_success_rate: z.number().nullish() }).optional(),
    jailbreaks: z.array(Row),
  });
  const { parameters, jailbreaks } = await readJson(data, File);
  const labels = jailbreaks.map((row) => row[field] as boolean | null);
  return inWords(() => successRate(labels, parameters?.attack_success_rate ?? null));
}

const Vote = z.string().nullable();
const Runs = z.record(z.string(), z.array(z.tuple([Vote, Vote])));
const Labelled = z.array(z.looseObject({ label: z.union([z.string(), z.number()]) }));

async function ordersOf(request: RecountRequest): Promise<object> {
  const labels = (await readJson(truthOf(request), Labelled)).map(({ label }) => String(label));
  const runs = Object.entries(await readJson(request.data, Runs));
  return Object.fromEntries(runs.map(([name, votes]) => [name, inWords(() => orderAgreement(labels, votes))]));
}

/** CLAS writes one trigger as a text, TDC several as a list. */
const ByTarget = z.record(z.string(), z.union([z.string().transform((one) => [one]), z.array(z.string())]));

async function triggerRecallOf(request: RecountRequest): Promise<object> {
  return inWords(triggerRecall, await readJson(truthOf(request), ByTarget), await readJson(request.data, ByTarget));
}

async function stealthOf({ data, fields }: RecountRequest): Promise<object> {
  const [original = 'original', rewrite = 'jailbreak', recorded = 'stealth'] = fields;
  // A withheld text is null or absent.
  const text = z.string().nullish();
  const rows = await readRows(data, z.looseObject({ [original]: text, [rewrite]: text, [recorded]: z.number().nullish() }));
  const read = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return stealthRows(
    rows.map((row) => {
      const before = row[recorded];
      return { original: read(row[original]), rewrite: read(row[rewrite]), recorded: typeof before === 'number' ? before : null };
    }),
  );
}

async function ratesOf({ data, fields: [label, group] }: RecountRequest): Promise<object> {
  if (label === undefined) throw new CalibrationProblem('give --field <label>, and a second --field to group by');
  const value = z.union([z.string(), z.number(), z.boolean()]).transform(String);
  const rows = await readRows(data, z.looseObject({ [label]: value, ...(group !== undefined && { [group]: value }) }));
  return labelRates(rows.map((row) => ({ label: String(row[label]), group: group === undefined ? null : String(row[group]) })));
}

const Slots = z.record(z.string(), z.string());

async function slotsOf(request: RecountRequest): Promise<object> {
  return inWords(slotHits, await readRows(truthOf(request), Slots), await readRows(request.data, Slots));
}

const Defences = z.array(
  z.looseObject({ name: z.string(), value: z.number(), attackers: z.array(z.looseObject({ name: z.string(), points: z.number() })) }),
);

async function sharesOf({ data, columns }: RecountRequest): Promise<object> {
  if (columns.length === 0) throw new CalibrationProblem('give --column "<name>=<denominator>", for instance --column "Utility=97"');
  const wanted = columns.map((text) => {
    const found = /^(.+)=([1-9]\d{0,8})$/s.exec(text);
    if (found === null) throw new CalibrationProblem(`--column takes "<name>=<denominator>", not "${text}"`);
    return { name: found[1] as string, denominator: Number(found[2]) };
  });
  return inWords(tableShares, await readRows(data, z.record(z.string(), z.string())), wanted);
}

function truthOf({ truth }: RecountRequest): string {
  if (truth === undefined) throw new CalibrationProblem('this recount compares with a file of truth: give --truth <file>');
  return truth;
}

/** A file of the right form can still hold what a formula refuses: said as a problem of the file. */
function inWords<A extends readonly unknown[], T>(count: (...args: A) => T, ...args: A): T {
  try {
    return count(...args);
  } catch (error) {
    throw error instanceof RangeError ? new CalibrationProblem(error.message) : error;
  }
}
