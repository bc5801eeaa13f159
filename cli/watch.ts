import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { SubmissionView } from '../contracts/api.ts';
import type { Config } from '../contracts/config.ts';
import { type EvaluationEvent, StoredEvent } from '../contracts/events.ts';
import { paths } from '../contracts/paths.ts';
import { exitCodes } from './exit-codes.ts';
import { decimal } from './report-text.ts';
import { call, type ServerAddress, type ServerOptions, serverAddress } from './server-client.ts';
import { visible } from './visible.ts';

const askEveryMs = 500;
const Events = z.object({ events: z.array(StoredEvent) });

/** `collective watch`: follow a submission until its verdict. */
export function describeWatch(command: Command, config: Config): void {
  command
    .argument('<submission-id>', 'id that `submit` printed')
    .option('--server <url>', 'address of the server; the one started here when absent')
    .option('--token-file <path>', 'file with the account token')
    .option('--json', 'print one JSON line per event, then the submission')
    .addHelpText('after', '\nExit code: 0 judged, 1 error, 2 bad input.')
    .action(async (id: string, options: ServerOptions & { json?: boolean }) => {
      process.exitCode = await watchEvaluation(id, await serverAddress(options, config), options.json === true);
    });
}

/** Prints each event once and returns the exit code of the outcome. Parked ends the watch too: an operator has to act. */
export async function watchEvaluation(submissionId: string, address: ServerAddress, json: boolean): Promise<number> {
  const { evaluation } = await call(address, paths.submission(submissionId), SubmissionView);
  let after = 0;
  for (;;) {
    const { events } = await call(address, `${paths.events(evaluation.id)}?after=${after}`, Events);
    for (const stored of events) {
      process.stdout.write(json ? `${JSON.stringify(stored)}\n` : `${stored.at}  ${visible(inWords(stored.event))}\n`);
      after = stored.seq;
    }
    const last = events.findLast(({ event }) => event.kind === 'status')?.event;
    if (last?.kind === 'status' && (last.status === 'done' || last.status === 'parked')) break;
    await pause(askEveryMs);
  }
  const final = await call(address, paths.submission(submissionId), SubmissionView);
  if (json) process.stdout.write(`${JSON.stringify(final)}\n`);
  else process.stdout.write(`${new URL(`/submissions/${submissionId}`, address.url).href}\n`);
  return final.evaluation.outcome === 'error' || final.evaluation.status === 'parked' ? exitCodes.error : exitCodes.judged;
}

function inWords(event: EvaluationEvent): string {
  switch (event.kind) {
    case 'status':
      return `${event.status}${event.outcome === null ? '' : `: ${event.outcome}`}${event.reason === null ? '' : `. ${event.reason.message} ${event.reason.advice}`}`;
    case 'waiting':
      return `waiting: ${event.reason.message} ${event.reason.advice}`;
    case 'split':
      return `${event.split} cases ${event.state} (${event.cases})`;
    case 'case':
      return `case ${event.caseId}: ${event.end}${event.score === null ? '' : `, score ${decimal(event.score)}`} (${event.done}/${event.of})`;
    case 'usage':
      return `usage: ${event.usage.calls} calls`;
    case 'retry':
      return `attempt ${event.attempt} of ${event.of} comes at ${event.nextAttemptAt}: ${event.reason.message}`;
    case 'verdict':
      return `verdict: ${event.outcome}${event.score === null ? '' : `, score ${decimal(event.score)}`}`;
    case 'regraded':
      return `graded again: ${event.outcome}${event.score === null ? '' : `, score ${decimal(event.score)}`}, before: ${event.from.outcome}. ${event.reason}`;
  }
}
