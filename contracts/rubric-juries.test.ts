import { expect, it } from 'vitest';
import { judgedGraderSpec, realJudges } from '../test/setup/calibration.ts';
import { wordRubric } from '../test/setup/evaluation.ts';
import { Rubric } from './rubric.ts';

it.each<[string, number, object, boolean]>([
  ['two of three by majority', 3, { quorum: 2, agreement: 'majority' }, true],
  ['two of four by majority', 4, { quorum: 2, agreement: 'majority' }, false],
  ['two of five by majority', 5, { quorum: 2, agreement: 'majority' }, false],
  ['three of five by majority', 5, { quorum: 3, agreement: 'majority' }, true],
  ['two of five, all alike', 5, { quorum: 2, agreement: 'unanimous' }, true],
])('a jury of %s', (_, size, more, accepted) => {
  const judges = Array.from({ length: size }, (_one, i) => ({ ...realJudges[0], name: `judge-${i}`, model: `model-${i}` }));
  const grader = { ...judgedGraderSpec, kind: 'jury', judges: judges.map(({ name }) => name), heldOut: [], ...more };
  const judging = { calls: 10, inputTokens: 1_000, outputTokens: 1_000, costMicros: 10 };
  const parsed = Rubric.safeParse({ ...wordRubric, judges, judging, criteria: [{ name: 'vote', title: 'Vote', grader }] });
  const messages = parsed.success ? [] : parsed.error.issues.map(({ message }) => message);
  expect(messages).toEqual(accepted ? [] : [expect.stringMatching(/a majority needs more than half/)]);
});
