import { expect, it } from 'vitest';
import type { SubmissionForm } from '../../../contracts/rubric.ts';
import { buildDocument } from './build-document.ts';
import { emptyDraft } from './draft.ts';
import { fieldsOf } from './field-list.ts';

const prompts: SubmissionForm = { kind: 'prompts', maxMessages: 1, maxCharacters: 100 };
const template: SubmissionForm = { ...prompts, template: { slot: 'goal', fill: 'input/goal' } };
const cases = [
  { id: 'a-1', key: 'a', input: { model: 'one' } },
  { id: 'a-2', key: 'a', input: { model: 'two' } },
  { id: 'b-1', key: 'b', input: { model: 'one' } },
];

it('offers one field per key, whatever the number of cases that share it', () => {
  expect(fieldsOf(prompts, cases)).toEqual([
    { key: 'a', input: { model: 'one' } },
    { key: 'b', input: { model: 'one' } },
  ]);
});

it('offers one field for a template and says what its slot is for', () => {
  const [field, ...more] = fieldsOf(template, cases);
  expect(more).toEqual([]);
  expect(field).toMatchObject({ key: 'template', input: expect.stringContaining('{goal}') });
});

it('what is typed there becomes the submission', () => {
  const challenge = { phases: [], publicCaseCount: 3 } as unknown as Parameters<typeof emptyDraft>[0];
  const draft = { ...emptyDraft(challenge, [template]), mode: 'fields' as const, fields: { template: 'About {goal}', a: 'not asked for' } };
  expect(buildDocument(draft, template, cases)).toEqual({
    ok: true,
    document: { kind: 'prompts', prompts: { template: 'About {goal}' } },
  });
});
