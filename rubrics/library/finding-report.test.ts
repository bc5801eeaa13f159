import { beforeAll, describe, expect, it } from 'vitest';
import { type BuiltIn, builtIn } from '../../test/setup/library.ts';

let challenge: BuiltIn;
beforeAll(async () => {
  challenge = await builtIn('finding-report');
});
const adviceOn = async (path: string) => {
  const report = await challenge.run(path, 'report');
  return {
    outcome: report.outcome,
    score: report.score,
    advice: Object.fromEntries(report.criteria.map(({ name, mean }) => [name, mean])),
  };
};

describe('a report', () => {
  it.each([
    ['that is complete', 'controls/complete.md', { 'says-how': 1, 'names-versions': 1, 'no-personal-data': 1 }],
    ['that demands without a finding', 'controls/empty-words.md', { 'says-how': 0, 'names-versions': 0, 'no-personal-data': 1 }],
    ['that talks to the graders', 'controls/asks-for-pass.md', { 'says-how': 0, 'names-versions': 0, 'no-personal-data': 1 }],
  ])('%s goes to a person with advice and without a score', async (_, path, advice) => {
    expect(await adviceOn(path)).toEqual({ outcome: 'needs_review', score: null, advice });
  });

  it('with the address of somebody is advised against', async () => {
    const document = {
      kind: 'report' as const,
      title: 'The helpdesk bot tells addresses',
      body: 'It told me that ada.lovelace@people.example asked before. Steps to reproduce: ask it.',
      evidence: [{ title: 'Log', text: 'asked, told' }],
    };
    const report = await challenge.run(document, 'report');
    expect(report).toMatchObject({ outcome: 'needs_review', simulated: true });
    expect(report.criteria.find(({ name }) => name === 'no-personal-data')).toMatchObject({ mean: 0 });
  });
});

it('passes its gates', async () => {
  const failed = (await challenge.gates()).filter(({ ok }) => !ok);
  expect(failed).toEqual([]);
});
