import type { Blocks, Finding } from '../../contracts/doctor.ts';

/** What is known of a check before it is made. */
export interface Check {
  check: string;
  severity: Finding['severity'];
  blocks: Blocks;
  why: string;
  fix: string;
  cves?: readonly string[];
}

/** The result of a check; a fix is named only where there is something to mend. */
export function finding({ check, severity, blocks, why, fix, cves = [] }: Check, ok: boolean, detail: string): Finding {
  return { check, ok, severity, blocks, detail, why, cves: [...cves], fix: ok ? '' : fix };
}
