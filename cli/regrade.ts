import type { Command } from 'commander';
import type { Config } from '../contracts/config.ts';

export interface PreviewOptions {
  rubric?: string;
  reason: string;
  evaluation?: string[];
  phase?: string;
  outcome?: string;
  from?: string;
  json?: boolean;
}

const append = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

/** `collective regrade preview|apply|show|list`: stored evaluations graded again by a newer version, without running them. */
export function describeRegrade(regrade: Command, config: Config): void {
  regrade
    .command('preview')
    .description('grade stored evaluations again and show what would change; changes nothing')
    .argument('<challenge>', 'name of the challenge: secret-keeper')
    .option('--rubric <folder>', 'folder with the newer version; the version that new submissions are judged by when absent')
    .requiredOption('--reason <text>', 'why, in a sentence that participants will read')
    .option('--evaluation <id>', 'only this evaluation; may be given several times', append)
    .option('--phase <name>', 'only evaluations of this phase')
    .option('--outcome <name>', 'only those that ended so: pass, fail or needs_review')
    .option('--from <hash>', 'only those judged by this rubric version')
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', '\nExit code: 0 previewed, 1 error of this machine, 2 bad input or nothing to grade again, 130 interrupted.')
    .action(async (challenge: string, options: PreviewOptions) => {
      const { preview } = await import('./regrade-preview.ts');
      await preview(challenge, options, config);
    });
  regrade
    .command('apply')
    .description('apply a preview exactly as it was shown; what has another verdict by now is left alone')
    .argument('<id>', 'id of the preview')
    .option('--make-current', 'judge new submissions by the newer version too, and make the standing one of that version')
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', '\nExit code: 0 applied, 1 some of it was left alone, 2 bad input, 130 interrupted: give the same command again.')
    .action(async (id: string, options: { makeCurrent?: boolean; json?: boolean }) => {
      const { apply } = await import('./regrade-records.ts');
      process.exitCode = await apply(id, options, config);
    });
  regrade
    .command('show')
    .description('show a preview, and what was applied of it')
    .argument('<id>', 'id of the preview')
    .option('--json', 'print one JSON document instead of text')
    .action(async (id: string, options: { json?: boolean }) => {
      const { show } = await import('./regrade-records.ts');
      await show(id, options.json === true, config);
    });
  regrade
    .command('list')
    .description('list the previews of a challenge, newest first')
    .argument('<challenge>', 'name of the challenge')
    .option('--json', 'print one JSON document instead of text')
    .action(async (challenge: string, options: { json?: boolean }) => {
      const { list } = await import('./regrade-records.ts');
      await list(challenge, options.json === true, config);
    });
}
