import type { Command } from 'commander';
import type { Config } from '../contracts/config.ts';
import { buildPages } from '../web/build.ts';
import { inWords } from './exit-codes.ts';

/** `collective pages build`: for images and machines where `start` does not run. */
export function describePages(pages: Command, _config: Config): void {
  pages
    .command('build')
    .description('build the pages when their source has changed')
    .option('--force', 'build even when nothing changed')
    .option('--json', 'print one JSON document instead of text')
    .action(async (options: { force?: boolean; json?: boolean }) => {
      const { built } = await buildPages({ force: options.force === true }).catch((error: unknown) => {
        throw inWords(error);
      });
      if (options.json === true) process.stdout.write(`${JSON.stringify({ built })}\n`);
      else process.stdout.write(built ? 'pages were built\n' : 'pages are current\n');
    });
}
