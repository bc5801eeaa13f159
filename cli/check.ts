import type { Command } from 'commander';
import type { Config } from '../contracts/config.ts';

/** `collective check`: is this rubric valid, and does it pass the gates of publication? */
export function describeCheck(command: Command, config: Config): void {
  command
    .argument('<rubric-folder>', 'folder with rubric.yaml')
    .option('--json', 'print one JSON document instead of text')
    .addHelpText(
      'after',
      '\nWhat each gate asks: docs/how-to/check.md.\nExit code: 0 all gates pass, 1 a gate failed, 2 the rubric is not valid, 130 interrupted.',
    )
    .action(async (folder: string, options: { json?: boolean }) => {
      const { checkFolder } = await import('./check-folder.ts');
      process.exitCode = await checkFolder(folder, options.json === true, config);
    });
}
