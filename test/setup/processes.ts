import { readdirSync, readFileSync } from 'node:fs';

export interface FoundProcess {
  pid: number;
  command: string;
}

/** Living processes that were started for `home`: by their environment, or because it is named on their command line. Linux. */
export function processesOf(home: string): FoundProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        const ours = command.includes(home) || environment.includes(`COLLECTIVE_HOME=${home}`);
        // A zombie has an empty command line: it is gone, only not yet collected.
        return ours && command !== '' ? [{ pid: Number(pid), command }] : [];
      } catch {
        return [];
      }
    });
}

/** Processes that `pid` started and that still live. Linux. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => {
      try {
        // The name in parentheses may contain anything; the parent is the second field behind it.
        return Number(readFileSync(`/proc/${candidate}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]) === pid;
      } catch {
        return false;
      }
    });
}
