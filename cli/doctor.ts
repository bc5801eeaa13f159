import type { Command } from 'commander';
import type { Config } from '../contracts/config.ts';
import { exitCodes } from './exit-codes.ts';

/** `collective doctor`: what this machine can run, and what to do about what it cannot. */
export function describeDoctor(command: Command, config: Config): void {
  command
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', '\nExit code: 0 every sandbox profile works here, 1 something is missing.')
    .action(async (options: { json?: boolean }) => {
      const { diagnose } = await import('../sandboxes/doctor.ts');
      const { dockerOptions } = await import('./local-machine.ts');
      const { wasmDriver } = await import('../sandboxes/wasm/driver.ts');
      const wasm = await wasmDriver().probe();
      const found = await diagnose(await dockerOptions(config));
      const ok = wasm.available && found.every((one) => one.ok || one.severity !== 'fatal');
      if (options.json === true) process.stdout.write(`${JSON.stringify({ ok, wasm, docker: found }, null, 2)}\n`);
      else {
        process.stdout.write(
          lineOf(wasm.available, 'wasm', wasm.available ? wasm.detail : wasm.reason, wasm.available ? '' : wasm.install),
        );
        for (const one of found) process.stdout.write(lineOf(one.ok, one.check, one.detail, one.advice));
        if (!ok) process.stdout.write('JavaScript programs run in WebAssembly; Python and Node programs wait for what is marked above.\n');
      }
      process.exitCode = ok ? exitCodes.judged : exitCodes.error;
    });
}

const lineOf = (ok: boolean, check: string, detail: string, advice: string): string =>
  `${ok ? 'ok      ' : 'MISSING '}${check.padEnd(18)}${detail}\n${ok || advice === '' ? '' : `${' '.repeat(26)}${advice}\n`}`;
