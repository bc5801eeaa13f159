import type { Config } from '../contracts/config.ts';
import { Id } from '../contracts/ids.ts';
import type { RegradingItem, RegradingView } from '../contracts/regrading.ts';
import type { Db } from '../domain/db/client.ts';
import { applyRegrading } from '../domain/regrading-apply.ts';
import { listRegradingItems, listRegradings, showRegrading } from '../domain/regrading-views.ts';
import { exitCodes, InputError } from './exit-codes.ts';
import { abortOnSignal } from './interrupt.ts';
import { operatorRecords } from './operator-database.ts';
import { passStandsNow } from './pass-stands.ts';
import { regradingLine, regradingText } from './regrade-text.ts';

const pageSize = 100;

/** Applies a preview. @returns the exit code. */
export async function apply(id: string, options: { makeCurrent?: boolean; json?: boolean }, config: Config): Promise<number> {
  await using records = await operatorRecords(config);
  using interrupt = abortOnSignal();
  const applied = await applyRegrading(records.db, idOf(id), {
    accountId: records.account.id,
    passStands: passStandsNow,
    makeCurrent: options.makeCurrent === true,
    signal: interrupt.signal,
  });
  if (!applied.ok) throw new InputError(applied.message, applied.code === 'forged' ? exitCodes.error : exitCodes.badInput);
  const { result } = applied;
  const regrading = await viewOf(records.db, id);
  if (options.json === true) process.stdout.write(`${JSON.stringify({ ...result, regrading }, null, 2)}\n`);
  else process.stdout.write(`${appliedLines(result, regrading).join('\n')}\n`);
  return result.stale.length + result.refused === 0 ? exitCodes.judged : exitCodes.error;
}

type Result = Extract<Awaited<ReturnType<typeof applyRegrading>>, { ok: true }>['result'];

function appliedLines({ applied, before, stale, refused }: Result, { challenge, current, toRubricHash }: RegradingView): string[] {
  return [
    `${applied} evaluations have their new verdict${before > 0 ? `, ${before} had it already` : ''}`,
    ...(stale.length === 0
      ? []
      : [
          `${stale.length} were left alone, because their verdict is not the previewed one any more, or people have to confirm a judge’s pass by now; preview them again:`,
        ]),
    ...stale.map((id) => `  ${id}`),
    ...(refused === 0 ? [] : [`${refused} could not be graded again; the preview says why`]),
    ...(current
      ? []
      : [
          `${challenge} is still judged by another version than ${toRubricHash.slice(0, 16)}, and its standing is that version's:`,
          '  give the command again with --make-current to change that',
        ]),
  ];
}

export async function show(id: string, json: boolean, config: Config): Promise<void> {
  await using records = await operatorRecords(config);
  await printRegrading(records.db, idOf(id), json);
}

export async function list(challenge: string, json: boolean, config: Config): Promise<void> {
  await using records = await operatorRecords(config);
  const views: RegradingView[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await listRegradings(records.db, challenge, { cursor, limit: pageSize });
    if (page === null) throw new InputError(`there is no challenge "${challenge}" here`);
    if (!page.ok) throw new Error('a cursor of our own was refused');
    views.push(...page.items);
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  if (json) process.stdout.write(`${JSON.stringify({ regradings: views }, null, 2)}\n`);
  else process.stdout.write(views.length === 0 ? 'nothing was graded again here\n' : views.map(regradingLine).join(''));
}

/** Prints a preview with all its evaluations. */
export async function printRegrading(db: Db, id: string, json: boolean): Promise<void> {
  const regrading = await viewOf(db, id);
  const items: RegradingItem[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await listRegradingItems(db, id, { cursor, limit: pageSize });
    if (page === null || !page.ok) throw new Error(`the items of regrading ${id} cannot be listed`);
    items.push(...page.items);
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  process.stdout.write(json ? `${JSON.stringify({ regrading, items }, null, 2)}\n` : regradingText(regrading, items));
}

async function viewOf(db: Db, id: string): Promise<RegradingView> {
  const view = await showRegrading(db, id);
  if (view === null) throw new InputError('there is no such preview; `npx collective regrade list <challenge>` names those that are there');
  return view;
}

function idOf(text: string): string {
  if (!Id.safeParse(text).success) throw new InputError(`"${text}" is not the id of a preview`);
  return text;
}
