import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { ChallengeDetail, SubmissionView } from '../contracts/api.ts';
import type { Config } from '../contracts/config.ts';
import { Slug } from '../contracts/ids.ts';
import { paths } from '../contracts/paths.ts';
import { SubmissionForm } from '../contracts/rubric.ts';
import { fileEndings } from '../contracts/submission-file.ts';
import { InputError } from './exit-codes.ts';
import { submissionAt } from './local-machine.ts';
import { call, type ServerOptions, serverAddress } from './server-client.ts';
import { watchEvaluation } from './watch.ts';

interface SubmitOptions extends ServerOptions {
  submission: string;
  phase?: string;
  title?: string;
  language?: string;
  watch?: boolean;
  json?: boolean;
}

/** `collective submit`: send a file to a running server. */
export function describeSubmit(command: Command, config: Config): void {
  command
    .argument('<challenge>', 'name of the challenge, the last part of the address of its page: secret-keeper')
    .requiredOption('--submission <path>', `file to submit: ${fileEndings}`)
    .option('--phase <name>', 'phase of the challenge; its first when absent')
    .option('--title <text>', 'what to call it; the file name when absent')
    .option('--language <name>', 'python or javascript: what an archive is written in, where the challenge takes both')
    .option('--watch', 'follow it until its verdict')
    .option('--server <url>', 'address of the server; the one started here when absent')
    .option('--token-file <path>', 'file with the account token')
    .option('--json', 'print JSON instead of text')
    .addHelpText('after', '\nExit code: 0 submitted (with --watch: judged), 1 error, 2 bad input.')
    .action(async (challenge: string, options: SubmitOptions) => {
      process.exitCode = await submit(challenge, options, config);
    });
}

async function submit(challenge: string, options: SubmitOptions, config: Config): Promise<number> {
  if (!Slug.safeParse(challenge).success)
    throw new InputError(
      `"${challenge}" is not the name of a challenge: take the last part of the address of its page, as in secret-keeper`,
    );
  const address = await serverAddress(options, config);
  const detail = await call(address, paths.challenge(challenge), ChallengeDetail);
  const submission = await submissionAt(
    options.submission,
    detail.forms.flatMap((form) => SubmissionForm.safeParse(form).data ?? []),
    options.language,
  );
  const created = await call(address, paths.submissionsOf(challenge), SubmissionView, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    body: JSON.stringify({
      title: options.title ?? basename(options.submission),
      ...(options.phase === undefined ? {} : { phase: options.phase }),
      submission,
    }),
  });
  if (options.watch !== true) {
    const page = new URL(`/submissions/${created.id}`, address.url).href;
    process.stdout.write(options.json === true ? `${JSON.stringify(created, null, 2)}\n` : `submitted ${created.id}\n${page}\n`);
    return 0;
  }
  return watchEvaluation(created.id, address, options.json === true);
}
