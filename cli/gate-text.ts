import type { GateResult } from '../contracts/gates.ts';
import { visible } from './visible.ts';

/** A gate's result for people: gate, control, number, what happened; below it what to do. Ends with a line break. */
export function gateText({ gate, ok, control, measured, detail, fix }: GateResult): string {
  const what = [gate, ...(control === undefined ? [] : [control]), ...(measured === undefined ? [] : [String(measured)])].join(' · ');
  const line = `${ok ? 'ok    ' : 'FAILED'}  ${visible(`${what} · ${detail}`)}\n`;
  return fix === '' ? line : `${line}        ${ok ? 'advice' : 'to do'}: ${visible(fix)}\n`;
}
