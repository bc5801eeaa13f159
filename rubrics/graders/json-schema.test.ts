import { describe, expect, it } from 'vitest';
import { GraderSpec } from '../../contracts/graders.ts';
import type { Json } from '../../contracts/json.ts';
import { exchange, gradingContext } from '../../test/setup/rubrics.ts';
import { compileGrader } from './compile.ts';

const schema = {
  type: 'object',
  required: ['verdict'],
  additionalProperties: false,
  properties: { verdict: { enum: ['yes', 'no'] }, why: { type: 'string', pattern: '^[a-z ]+$' } },
};
const grader = (parts: object) => compileGrader(GraderSpec.parse({ kind: 'json-schema', schema, ...parts }), () => '');

describe('json-schema', () => {
  const value = grader({ of: 'answer' });
  it.each<[Json | undefined, number]>([
    [{ verdict: 'yes' }, 1],
    [{ verdict: 'no', why: 'so it is' }, 1],
    [{ verdict: 'maybe' }, 0],
    [{ verdict: 'yes', more: 1 }, 0],
    [{ verdict: 'yes', why: 'NO' }, 0],
    ['{"verdict":"yes"}', 0],
    [[], 0],
    [null, 0],
    [undefined, 0],
  ])('%j scores %d', async (answer, score) => {
    expect(await value(gradingContext({ answer }))).toMatchObject({ status: 'graded', score });
  });

  const text = grader({ of: 'replies', as: 'text' });
  it.each<[string[], number]>([
    [['{"verdict":"yes"}'], 1],
    [[' {"verdict":"no"}\n'], 1],
    [['{"verdict":"yes"}', '{"verdict":"no"}'], 1],
    [['{"verdict":"yes"}', 'no'], 0],
    [['Sure! {"verdict":"yes"}'], 0],
    [['```json\n{"verdict":"yes"}\n```'], 0],
    [['{"verdict":"yes"}{"verdict":"yes"}'], 0],
    [['{"verdict":"yes"'], 0],
    [['{"verdict":"yes","__proto__":{"why":"x"}}'], 0],
    [['{"verdict":"yes","why":"\ud800"}'], 0],
    [['['.repeat(100_000)], 0],
    [[''], 0],
    [[], 0],
  ])('texts %j score %d', async (replies, score) => {
    const result = await text(gradingContext({ transcript: replies.map((reply) => exchange(reply)) }));
    expect(result).toMatchObject({ status: 'graded', score });
    expect(JSON.stringify(result.evidence).length).toBeLessThan(1000);
  });

  it('says where a value does not fit', async () => {
    expect(await value(gradingContext({ answer: { verdict: 'maybe' } }))).toMatchObject({
      evidence: { fits: false, position: 0, path: 'verdict', problem: expect.stringContaining('yes') },
    });
  });
});
