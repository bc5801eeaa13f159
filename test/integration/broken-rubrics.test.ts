import { describe, expect, it } from 'vitest';
import { CheckReport, GateName, type GateResult } from '../../contracts/gates.ts';
import { type BrokenRubric, brokenRubrics, copyOf } from '../setup/broken-rubric.ts';
import { runCli } from '../setup/cli.ts';

const all = await brokenRubrics();

describe('a broken rubric is stopped by the gate that is meant for it, with a number and a remedy', () => {
  it('there are more than twelve, meant for twelve different gates', () => {
    const gates = all.map(({ broken }) => broken.fails[0]?.gate);
    expect(all.length).toBeGreaterThan(12);
    expect(new Set(gates).size).toBe(12);
    for (const gate of gates) expect(GateName.options).toContain(gate);
  });

  it.each(all)('$name', { timeout: 120_000 }, async ({ broken }) => {
    await using folder = await copyOf(broken);
    const result = await runCli(['check', folder.path, '--json']);
    const report = CheckReport.parse(JSON.parse(result.stdout));
    expect(report.ok).toBe(false);
    expect(result).toMatchObject({ code: broken.fails[0]?.gate === 'schema' ? 2 : 1, stderr: '' });
    const failed = report.gates.filter((gate) => !gate.ok);
    const fits = (wanted: BrokenRubric['fails'][number], one: GateResult): boolean =>
      wanted.gate === one.gate &&
      (wanted.control === undefined ? one.control === undefined : new RegExp(wanted.control).test(one.control ?? '')) &&
      (wanted.measured === undefined || new RegExp(wanted.measured).test(String(one.measured))) &&
      new RegExp(wanted.fix).test(one.fix);
    expect(failed.filter((one) => !broken.fails.some((wanted) => fits(wanted, one)))).toEqual([]);
    expect(broken.fails.filter((wanted) => !failed.some((one) => fits(wanted, one)))).toEqual([]);
  });
});
