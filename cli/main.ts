import { Command } from 'commander';
import { readConfig } from '../contracts/config.ts';
import { addCheck } from './check.ts';
import { addDoctor } from './doctor.ts';
import { exitCodes, InputError } from './exit-codes.ts';
import { addImages } from './images.ts';
import { addMigrate } from './migrate.ts';
import { addPages } from './pages.ts';
import { addRun } from './run.ts';
import { addStart } from './start.ts';
import { addSubmit } from './submit.ts';
import { addWatch } from './watch.ts';

const parsed = readConfig(process.env);
if (!parsed.ok) {
  for (const problem of parsed.problems) process.stderr.write(`configuration: ${problem}\n`);
  process.exit(exitCodes.badConfiguration);
}

const program = new Command('collective')
  .description('AI Safety Collective: challenges are executable rubrics; a submission is judged by running it.')
  .showHelpAfterError('(try "collective --help")')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : exitCodes.badInput));
for (const add of [addStart, addRun, addCheck, addSubmit, addWatch, addImages, addDoctor, addMigrate, addPages])
  add(program, parsed.config);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
}
