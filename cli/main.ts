import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { readConfig } from '../contracts/config.ts';
import { commands } from './commands.ts';
import { exitCodes, InputError } from './exit-codes.ts';
import { visibleLines } from './visible.ts';

const parsed = readConfig(process.env);
if (!parsed.ok) {
  for (const problem of parsed.problems) process.stderr.write(`configuration: ${problem}\n`);
  process.exit(exitCodes.badConfiguration);
}

// Whoever reads the output may leave (`| head`); the command still ends as it would have.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
const program = new Command('collective')
  .version(version)
  .description('AI Safety Collective: challenges are executable rubrics; a submission is judged by running it.')
  .showHelpAfterError('(try `npx collective --help`)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : exitCodes.badInput));
const [, , first = '', second = ''] = process.argv;
const asked = first === 'help' ? second : first;
for (const [name, { summary, load }] of Object.entries(commands)) {
  const command = program.command(name).description(summary).showHelpAfterError(`(try \`npx collective ${name} --help\`)`);
  if (name === asked) (await load())(command, parsed.config);
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  process.stderr.write(`${visibleLines(error.message)}\n`);
  process.exitCode = error.exitCode;
}
