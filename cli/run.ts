import type { Command } from 'commander';
import type { Config } from '../contracts/config.ts';
import { fileEndings } from '../contracts/submission-file.ts';

export interface RunOptions {
  submission: string;
  seed?: string;
  phase?: string;
  target?: string;
  language?: string;
  json?: boolean;
}

/** `collective run`: a whole evaluation on this machine, with no server. */
export function describeRun(command: Command, config: Config): void {
  command
    .argument('<rubric-folder>', 'folder with rubric.yaml')
    .requiredOption('--submission <path>', `file to judge: ${fileEndings}`)
    .option('--seed <n>', 'whole number the seed is derived from; random when absent')
    .option('--phase <name>', 'phase of the rubric; its first when absent')
    .option('--target <name>', 'target of TARGETS_FILE to put in the place of the rubric’s replaceable one')
    .option('--language <name>', 'python or javascript: what an archive is written in, where the rubric takes both')
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', '\nExit code: 0 judged, 1 error of this machine or a target, 2 bad input, 130 interrupted.')
    .action(async (folder: string, options: RunOptions) => {
      const { judge } = await import('./judge.ts');
      process.exitCode = await judge(folder, options, config);
    });
}
