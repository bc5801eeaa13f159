/** One thing the doctor looked at. `fatal` and not ok: this machine must not judge submissions in containers. */
export interface Diagnosis {
  /** Stable name, kebab-case. */
  check: string;
  ok: boolean;
  severity: 'fatal' | 'warning';
  /** What was found. */
  detail: string;
  /** What to do when it is not ok; empty when it is. */
  advice: string;
}

export function diagnosis(check: string, severity: Diagnosis['severity'], ok: boolean, detail: string, advice: string): Diagnosis {
  return { check, ok, severity, detail, advice: ok ? '' : advice };
}
