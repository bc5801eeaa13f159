import type { CalibrationCell, CalibrationReport } from '../contracts/calibration.ts';
import { adversarialNegatives } from '../rubrics/calibration/cell.ts';
import { leastAdversarial } from '../rubrics/calibration/money-floor.ts';
import { visible } from './visible.ts';

/** What a report says of the judges beyond their counts, for people. */
export function judgedText(report: CalibrationReport): string {
  const { undecided, adversarial } = report.total;
  const passed = adversarial.decided.fp;
  const negatives = adversarialNegatives(report.total);
  const lines = [
    '',
    ...report.judges.map(
      ({ name, provider, model, returnedModels }) =>
        `  judge ${name}: ${provider} ${model}${returnedModels.length === 0 ? '' : `, answered as ${returnedModels.join(', ')}`}`,
    ),
    `  without a verdict  ${undecided.positive} that people call yes, ${undecided.negative} that they call no; the floor counts them against the judge`,
    report.fields.adversarial === null
      ? '  made to fool it   not said: --adversarial <field> names such rows, and money needs them'
      : `  made to fool it   ${passed} of ${negatives} that people call no passed${negatives < leastAdversarial ? ` (money needs at least ${leastAdversarial} such rows)` : ''}`,
    ...report.targets.map(({ target, cell }) => `  target ${target.padEnd(20)} ${countsOf(cell)}`),
    `  cost               ${report.usage.calls} calls, ${(Number(report.usage.costMicros) / 1e6).toFixed(4)} USD`,
    ...(report.judges.some(({ provider }) => provider === 'simulated' || provider === 'replay')
      ? ['  A judge that is simulated or replayed can never hold money.']
      : []),
  ];
  return `${lines.map(visible).join('\n')}\n`;
}

const countsOf = ({ decided: { tp, fp, fn, tn }, undecided }: CalibrationCell): string =>
  `tp ${tp}   fp ${fp}   fn ${fn}   tn ${tn}   without a verdict ${undecided.positive + undecided.negative}`;
