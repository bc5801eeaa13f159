import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TargetSpec } from '../contracts/target.ts';
import { temporaryFolder } from '../test/setup/rubrics.ts';
import { readTargetsFile, replaceTarget } from './targets.ts';

const target = (name: string, more: Partial<TargetSpec> = {}) => TargetSpec.parse({ name, provider: 'simulated', model: 'm', ...more });
const price = { inputMicrosPerMillion: 150_000, outputMicrosPerMillion: 600_000 };

describe('replacing a target', () => {
  const [fixed, open] = [target('judge'), target('assistant', { replaceable: true })];
  const offered = [target('gpt', { provider: 'openai', model: 'gpt-x', price })];

  it('puts the chosen one in the place of the replaceable one, under its name, and leaves the others alone', () => {
    const replaced = replaceTarget([fixed, open], 'gpt', offered);
    expect(replaced).toEqual({ ok: true, targets: [fixed, { ...offered[0], name: 'assistant', replaceable: true }] });
  });

  it('takes another target of the rubric too', () => {
    expect(replaceTarget([fixed, open], 'judge', [])).toMatchObject({
      ok: true,
      targets: [{ name: 'judge' }, { name: 'assistant', model: 'm' }],
    });
  });

  it('refuses where the rubric fixes its targets, and unknown names with those that are known', () => {
    expect(replaceTarget([fixed], 'gpt', offered)).toMatchObject({ ok: false, problem: expect.stringContaining('fixes its targets') });
    expect(replaceTarget([open], 'nope', offered)).toEqual({ ok: false, problem: 'no target is named "nope"; known here: gpt, assistant' });
  });
});

describe('the operator’s file of targets', () => {
  const read = async (text: string) => {
    await using folder = await temporaryFolder({ 'targets.yaml': text });
    return readTargetsFile(join(folder.path, 'targets.yaml'));
  };

  it('gives the targets in it', async () => {
    const text =
      'targets:\n  - { name: gpt, provider: openai, model: gpt-x, price: { inputMicrosPerMillion: 1, outputMicrosPerMillion: 2 } }\n';
    expect(await read(text)).toMatchObject({ ok: true, targets: [{ name: 'gpt', provider: 'openai', maxOutputTokens: 512 }] });
  });

  it.each([
    ['targets: [', 'is not YAML'],
    ['targets: &a [*a]', 'TARGETS_FILE'],
    ['targets:\n  - { name: gpt }', 'targets/0/provider'],
    ['targets: []\nkeys: secret', 'TARGETS_FILE'],
    ['targets:\n  - { name: gpt, provider: openai, model: m, baseUrl: "http://10.0.0.1" }', 'targets/0'],
  ])('says what is wrong with %j', async (text, problem) => {
    expect(await read(text)).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
  });

  it('that is not there is said by name', async () => {
    expect(await readTargetsFile('/nowhere/targets.yaml')).toMatchObject({ ok: false, problem: expect.stringContaining('cannot be read') });
  });
});
