import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cohenKappa } from '../statistics/cohen-kappa.ts';
import { Source } from '../../contracts/sources.ts';
import { type CalibrationRequest, calibrate, type JudgedMeans } from './calibrate.ts';
import { gradeRow } from './row-grader.ts';

const root = await mkdtemp(join(tmpdir(), 'collective-calibrate-'));
afterAll(() => rm(root, { recursive: true, force: true }));
const fixtures = join(import.meta.dirname, '../../test/fixtures');
const shared = join(import.meta.dirname, '../../../shared/data');

async function written(name: string, content: string): Promise<string> {
  await writeFile(join(root, name), content);
  return join(root, name);
}
const base = { text: 'text', label: 'label', positive: ['1'], raters: [], invert: false, threshold: 0.5 };
const run = (request: Partial<CalibrationRequest> & { data: string }) =>
  calibrate({ ...base, grader: 'refusal:xstest-prefix', ...request });
const lines = (...rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

describe('calibrate on the labels of PyRIT', async () => {
  const golden = JSON.parse(await readFile(join(fixtures, 'golden/golden.json'), 'utf8')) as {
    pyrit_shipped_rows: Record<string, Record<string, Record<string, number>>>;
  };
  const presets = {
    zou_transfer_substring: 'zou2023universal-transfer',
    xstest_prefix: 'xstest-prefix',
    clas_five_words: 'clas-five-words',
  } as const;
  const cases = Object.entries(golden.pyrit_shipped_rows).flatMap(([file, rules]) =>
    Object.entries(rules).map(([rule, counts]) => [file, presets[rule as keyof typeof presets], counts] as const),
  );

  it.each(cases)('gives the golden numbers for %s with %s', async (file, preset, expected) => {
    const result = await run({
      grader: `refusal:${preset}`,
      data: join(fixtures, `pyrit/${file}.jsonl`),
      text: 'assistant_response',
      prompt: 'objective',
      label: 'human_score',
    });
    const { n, tp, fp, fn, tn } = expected;
    expect(result).toMatchObject({ n, tp, fp, fn, tn });
    for (const name of ['accuracy', 'f1', 'kappa'] as const) expect(result[name]).toBeCloseTo(expected[name] as number, 6);
    expect(result.moneyFloor.holds).toBe(false);
  });
});

/** Data that may not be shipped; read where it lies beside the project. */
const dataThere = existsSync(shared);
const optional = dataThere ? describe : describe.skip;
const because = dataThere ? '' : ' (skipped: the folder shared/data is not beside the project)';

optional(`calibrate on data beside the project${because}`, () => {
  const golden = async () =>
    JSON.parse(await readFile(join(shared, 'golden.json'), 'utf8')) as Record<
      string,
      Record<string, Record<string, Record<string, number>>>
    >;
  const sameAs = (result: Awaited<ReturnType<typeof calibrate>>, expected: Record<string, number> = {}) => {
    for (const name of ['n', 'tp', 'fp', 'fn', 'tn'] as const) expect(result[name]).toBe(expected[name]);
    for (const name of ['accuracy', 'precision', 'recall', 'f1', 'kappa'] as const)
      expect(result[name]).toBeCloseTo(expected[name] ?? Number.NaN, 6);
  };

  it('gives JailbreakEval’s counts for its nine keyword lists, withheld rows by their recorded verdict', async () => {
    const presets = Object.entries((await golden()).jailbreakeval?.example ?? {});
    expect(presets).toHaveLength(9);
    for (const [preset, expected] of presets) {
      const result = await run({
        grader: `refusal:${preset}`,
        data: join(shared, 'jailbreakeval/example.jsonl'),
        text: 'answer',
        invert: true,
        withheld: `preset_says_jailbroken/${preset}`,
      });
      sameAs(result, expected);
    }
  });

  it.each(['gpt4', 'mistralguard'])(
    'gives XSTest’s counts, κ and agreement of two people for %s, by keywords and by the stored judge',
    async (model) => {
      const expected = (await golden()).xstest?.[model];
      const xstest = { text: 'completion', prompt: 'prompt', label: 'final_label', positive: ['2_full_refusal', '3_partial_refusal'] };
      const file = (kind: string) => join(shared, `xstest/xstest_v2_completions_${model}_${kind}.csv`);
      const keywords = await run({ ...xstest, data: file('streval'), raters: ['annotation_1', 'annotation_2'], by: 'type' });
      sameAs(keywords, expected?.keyword_any_refusal);
      sameAs(await run({ ...xstest, data: file('streval'), grader: 'field:strmatch_label' }), expected?.keyword_any_refusal);
      sameAs(await run({ ...xstest, data: file('gpteval'), grader: 'field:gpt4_label' }), expected?.gpt4_judge_any_refusal);
      expect(keywords.agreement?.rawAgreement).toBeCloseTo(Number(expected?.human_human_agreement), 12);
      expect(keywords.agreement?.alphaNominal?.value).toBeCloseTo(keywords.agreement?.kappa?.value as number, 2);
      expect(keywords.groups.reduce((sum, group) => sum + group.n, 0)).toBe(450);
      expect(keywords.groups).toHaveLength(18);
    },
  );

  it('gives LLMBar’s published κ between the two orders for all 62 judge runs in which every vote was cast', async () => {
    let runs = 0;
    for (const subset of ['Natural', 'Adversarial_Manual']) {
      const read = async (name: string) => JSON.parse(await readFile(join(shared, `llmbar/${subset}__${name}.json`), 'utf8')) as unknown;
      const votes = (await read('judge_votes')) as Record<string, (string | null)[][]>;
      const published = (await read('published_statistics')) as Record<string, { kappa_agreement: number }>;
      for (const [name, pairs] of Object.entries(votes)) {
        if (pairs.flat().includes(null)) continue;
        const values = [...new Set(pairs.flat())];
        const table = values.map((one) => values.map((other) => pairs.filter(([a, b]) => a === one && b === other).length));
        expect(cohenKappa(table, 0.95)?.value).toBeCloseTo(published[name]?.kappa_agreement as number, 10);
        runs++;
      }
    }
    expect(runs).toBe(62);
  });
});

describe('calibrate', () => {
  const refused = { text: 'I cannot help with that.', label: 1 };
  const helped = { text: 'Here you are.', label: 0 };

  it('counts rows without text, label or grade apart', async () => {
    const data = await written(
      'apart.jsonl',
      lines(refused, helped, { text: null, label: 1 }, { text: 'Sorry', label: null }, { text: '', label: 1 }),
    );
    const result = await run({ data });
    expect(result).toMatchObject({ n: 3, tp: 2, tn: 1, data: { rows: 5, withoutText: 1, unlabelled: 1, ungraded: 0 } });
    const recorded = await written('recorded.csv', 'text,label,judge\na,1,1\nb,0,0\nc,1,\n');
    expect(await run({ data: recorded, grader: 'field:judge' })).toMatchObject({
      n: 2,
      data: { ungraded: 1 },
      ungradedBecause: 'line 4: no verdict is recorded in "judge"',
    });
  });

  it('compares numbers as numbers and true in any case; groups with any name are counted', async () => {
    const data = await written('values.csv', 'text,label,by\nSorry,1.0,__proto__\nYes,False,constructor\n');
    expect(await run({ data, by: 'by' })).toMatchObject({
      tp: 1,
      tn: 1,
      groups: [
        { group: '__proto__', tp: 1 },
        { group: 'constructor', tn: 1 },
      ],
    });
    const other = await written('true.csv', 'text,label\nSorry,True\nYes,False\n');
    expect(await run({ data: other, positive: ['true'] })).toMatchObject({ tp: 1, tn: 1 });
  });

  it('turns the grader’s answer round', async () => {
    const data = await written('turn.jsonl', lines({ ...refused, label: 'no' }, { ...helped, label: 'jailbroken' }));
    expect(await run({ data, positive: ['jailbroken'] })).toMatchObject({ tp: 0, fp: 1, fn: 1 });
    expect(await run({ data, positive: ['jailbroken'], invert: true })).toMatchObject({ tp: 1, tn: 1, fp: 0, fn: 0 });
  });

  it('takes a grader from a file, with the prompt and other fields to compare with', async () => {
    const grader = await written('grader.yaml', 'kind: equals\nof: answer\nto: expected/right\nnormalise: [lower]\n');
    const data = await written('equals.jsonl', lines({ text: 'A', right: 'a', label: 1 }, { text: 'B', right: 'c', label: 0 }));
    expect(await run({ data, grader })).toMatchObject({ tp: 1, tn: 1, fp: 0, fn: 0 });
  });

  it('counts copies for the floor once, whatever their blanks, and per prompt and target', async () => {
    const row = (text: string, target = 'm') => ({ text, label: 1, target });
    const copied = await written(
      'copied.jsonl',
      lines(...Array.from({ length: 220 }, (_, i) => row(`I cannot help${' '.repeat(1 + (i % 3))}with that.`))),
    );
    const copies = await run({ data: copied });
    expect(copies).toMatchObject({ n: 220, data: { copies: 219 }, cell: { decided: { tp: 1 } }, moneyFloor: { holds: false } });
    expect(copies.moneyFloor.reasons[0]).toBe('1 labels where 200 are needed');
    const apart = await written('apart2.jsonl', lines(row('I cannot.'), row('I cannot.', 'n'), row('I cannot.')));
    expect(await run({ data: apart, target: 'target' })).toMatchObject({
      data: { copies: 1 },
      targets: [{ target: 'm', cell: { decided: { tp: 1 } } }, { target: 'n', cell: { decided: { tp: 1 } } }], // biome-ignore format: a table
    });
    expect(await run({ data: apart, target: 'target', prompt: 'target' })).toMatchObject({ data: { copies: 1 } });
  });

  const judged: JudgedMeans = {
    grader: () => Promise.resolve({ status: 'graded', score: 1, evidence: {} }),
    judgingOf: () => ({ access: {} as never, promptAt: [] }),
    finished: () => Promise.resolve(),
    atOnce: 1,
    onRow: () => undefined,
  };

  it('refuses one text under two labels of a judge, and verdicts from the file in place of the judge’s', async () => {
    const data = await written('torn.jsonl', lines(refused, helped, { ...refused, text: `${refused.text} `, label: 0 }));
    await expect(calibrate({ ...base, grader: 'judge', data }, judged)).rejects.toThrow(
      'torn.jsonl:3: has the text and prompt of line 1 and another label',
    );
    await expect(calibrate({ ...base, grader: 'judge', data, withheld: 'label' }, judged)).rejects.toThrow(
      '--withheld takes verdicts from the file',
    );
  });

  it.each(['', '0', 'false', 'no', 'None', 'null', 'n/a', '-', ' ', '0.0'])('takes %j for no attack', async (attack) => {
    const data = await written('attack.jsonl', lines({ ...refused, attack }, { ...helped, attack: 'flattery' }));
    const { adversarial } = (await run({ data, adversarial: 'attack' })).cell;
    expect(adversarial.decided).toEqual({ tp: 0, fp: 0, fn: 0, tn: 1 });
  });

  it('refuses a line that gives a field twice, at any depth', async () => {
    const twice = (line: string) => written('twice.jsonl', `{"text":"a","label":"1"}\n${line}\n`).then((data) => run({ data }));
    for (const line of ['{"text":"Sorry","label":"0","label":"1"}', '{"text":"Sorry","label":"1","m":{"a":1,"\\u0061":2}}'])
      await expect(twice(line)).rejects.toThrow('line 2: one field is given twice');
    expect(await twice('{"text":"\\"label\\": Sorry","label":"1","m":{"label":"\\\\"}}')).toMatchObject({ n: 2 });
  });

  it('shows the grader no part of a field that holds a label', async () => {
    const grader = await written('peek2.json', JSON.stringify({ kind: 'equals', of: 'expected/meta/label', to: 'expected/meta/label' }));
    const data = await written('peek2.jsonl', lines({ text: 'a', meta: { label: 1, copy: 1 } }));
    await expect(run({ data, grader, label: 'meta/label' })).rejects.toThrow('no row could be graded; line 1: ');
  });

  it('puts a prompt nowhere near a prototype', async () => {
    const row = {
      line: 1,
      text: 't',
      prompt: 'polluted',
      label: null,
      group: null,
      adversarial: false,
      target: null,
      ratings: [],
      rest: {},
    };
    for (const path of ['input/__proto__/polluted', 'input/constructor/prototype/polluted', 'input/toString/polluted'])
      await gradeRow(judged.grader, row, 't', { access: {} as never, promptAt: [path] });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect((Object.prototype.toString as unknown as Record<string, unknown>).polluted).toBeUndefined();
    for (const path of ['input/__proto__/x', 'answer/constructor', 'secret/a/prototype/b'])
      expect(Source.safeParse(path).success).toBe(false);
    expect(Source.safeParse('input/prototypes/constructor-of').success).toBe(true);
  });

  it('does not show the label to the grader', async () => {
    const grader = await written('peek.json', JSON.stringify({ kind: 'equals', of: 'expected/label', to: 'expected/label' }));
    const data = await written('peek.jsonl', lines(refused, helped));
    await expect(run({ data, grader })).rejects.toThrow('no row could be graded; line 1: ');
  });

  it.each([
    ['refusal:nobody2020', 'there is no refusal preset "nobody2020"; there are xstest-prefix, '],
    ['refusal', 'there is no refusal preset "refusal"'],
    ['magic', '"magic" is no grader that can be used here'],
    ['magic:8', 'no grader is named "magic:8"'],
    ['none.yaml', 'cannot be read (ENOENT)'],
  ])('refuses the grader %s', async (grader, message) => {
    const data = await written('one.jsonl', lines(refused));
    await expect(run({ data, grader })).rejects.toThrow(message);
  });

  it('refuses a grader file that is broken, with its line', async () => {
    const data = await written('one.jsonl', lines(refused));
    await expect(run({ data, grader: await written('bad.yaml', 'kind: equals\nkind: includes\n') })).rejects.toThrow(/bad\.yaml", line 2/);
    await expect(run({ data, grader: await written('odd.yaml', 'kind: equals\nof: answer\nto: nowhere\n') })).rejects.toThrow('to: ');
  });

  it.each([
    [{ label: 1 }, 'line 2, field "text": there is no such field; this row has label'],
    [{ text: 7, label: 1 }, 'line 2, field "text": expected a text, found a number'],
    [{ text: 'x' }, 'line 2, field "label": there is no such field'],
    [{ text: 'x', label: [1] }, 'line 2, field "label": expected a text, a number or true/false, found a list'],
    [{ text: 'x', label: { a: 1 } }, 'found an object'],
  ])('names line and field of %j', async (row, message) => {
    await expect(run({ data: await written('bad.jsonl', lines(refused, row)) })).rejects.toThrow(message);
  });

  it('refuses a positive value that no label has, and says which there are', async () => {
    const data = await written('typo.jsonl', lines(refused, helped));
    await expect(run({ data, positive: ['yes'] })).rejects.toThrow('no label in "label" is "yes"; there are "1", "0"');
    await expect(run({ data: await written('none.jsonl', lines({ text: 'x', label: null })) })).rejects.toThrow('no row has both');
    await expect(run({ data, withheld: 'label', text: 'label' })).rejects.toThrow('expected a text, found a number');
    const withheld = await written('withheld.jsonl', lines(refused, { text: null, label: 1, was: 'maybe' }));
    await expect(run({ data: withheld, withheld: 'was' })).rejects.toThrow('line 2, field "was": expected true, false, 1 or 0');
  });

  it('refuses more than 200 groups and more than 100 different ratings', async () => {
    const many = Array.from({ length: 201 }, (_, i) => ({ ...refused, by: `g${i}`, a: `x${i}`, b: `y${i}` }));
    const data = await written('many.jsonl', lines(...many));
    await expect(run({ data, by: 'by' })).rejects.toThrow('line 201, field "by": more than 200 different groups');
    await expect(run({ data, raters: ['a', 'b'] })).rejects.toThrow('ratings of a, b: the ratings have 402 different values');
  });

  it('gives α for three raters with gaps, over categories and over distances', async () => {
    const rows = [[1, 1, 1], [0, 0, null], [1, 0, 1], [0, 0, 0]].map(([a, b, c], i) => ({ text: 'Sorry', label: i % 2, a, b, c })); // biome-ignore format: a table
    const { agreement } = await run({ data: await written('raters.jsonl', lines(...rows)), raters: ['a', 'b', 'c'] });
    // 10 pairs of which 8 are equal. D_o = (1·4/2)/11, D_e = 2·6·5/(11·10): α = 1 − (4/2/11)/(60/110) = 2/3.
    expect(agreement).toMatchObject({ rawAgreement: 0.8, kappa: null, alphaNominal: { units: 4, ratings: 11 } });
    expect(agreement?.alphaNominal?.value).toBeCloseTo(2 / 3, 12);
    expect(agreement?.alphaInterval?.value).toBeCloseTo(2 / 3, 12);
  });
});
