import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../contracts/config.ts';
import { type Finding, type Standing, standingOf } from '../contracts/doctor.ts';
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
      const { findings } = await diagnose({ ...(await dockerOptions(config)), home: resolve(config.COLLECTIVE_HOME) });
      const standing = standingOf({ findings }, config.ACCEPTED_SANDBOX_RISKS);
      // What only bounty work waits for leaves every profile working.
      const ok =
        wasm.available && standing.ordinary && findings.every((one) => one.ok || one.severity !== 'critical' || one.blocks === 'bounty');
      const { bounty, acceptedRisks } = standing;
      if (options.json === true) {
        process.stdout.write(`${JSON.stringify({ ok, bountyWork: bounty, acceptedRisks, wasm, docker: findings }, null, 2)}\n`);
      } else {
        const wasmLine = wasm.available
          ? `ok        wasm  ${wasm.detail}\n`
          : `CRITICAL  wasm  ${wasm.reason}\n          ${wasm.install}\n`;
        process.stdout.write(wasmLine + findings.map((one) => textOf(one, acceptedRisks)).join('') + summaryOf(standing, ok));
      }
      process.exitCode = ok ? exitCodes.judged : exitCodes.error;
    });
}

const words = { critical: 'CRITICAL', warning: 'warning', info: 'info' } as const;
const indent = ' '.repeat(10);

/** One line when all is well; else what was found, why it matters and what to do. */
function textOf(one: Finding, accepted: readonly string[]): string {
  if (one.ok) return `${'ok'.padEnd(10)}${one.check}  ${one.detail}\n`;
  const known = one.cves.length === 0 ? '' : ` (${one.cves.join(', ')})`;
  const stops = accepted.includes(one.check) ? 'accepted for bounty work by ACCEPTED_SANDBOX_RISKS' : stopWords[one.blocks];
  return [
    `${words[one.severity].padEnd(10)}${one.check}  ${one.detail}`,
    `${indent}why: ${one.why}${known}`,
    ...(stops === '' ? [] : [`${indent}stops: ${stops}`]),
    `${indent}fix: ${one.fix}`,
    '',
  ].join('\n');
}

const stopWords = { all: 'everything that runs in containers', bounty: 'bounty work; ordinary work goes on', nothing: '' } as const;

function summaryOf({ ordinary, bounty, acceptedRisks, blocking }: Standing, ok: boolean): string {
  const lines = [''];
  if (!ordinary) lines.push('JavaScript programs run in WebAssembly; Python and Node programs wait for what is marked above.');
  else if (!ok) lines.push('Some programs cannot run here; see what is marked CRITICAL above.');
  else lines.push('Every sandbox profile works here.');
  if (bounty && acceptedRisks.length > 0)
    lines.push(`Bounty work runs here with accepted risks: ${acceptedRisks.join(', ')}. Every evaluation records them.`);
  else if (bounty) lines.push('Bounty work runs here.');
  else lines.push(`Bounty work does not run here: ${blocking.map((one) => one.check).join(', ')}.`);
  return `${lines.join('\n')}\n`;
}
