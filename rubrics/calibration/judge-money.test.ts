import { describe, expect, it } from 'vitest';
import { judgedGraderSpec, realJudges } from '../../test/setup/calibration.ts';
import { wordFiles, wordRubric } from '../../test/setup/evaluation.ts';
import { bytesOf } from '../../test/setup/rubrics.ts';
import type { CalibrationCell, CalibrationReport } from '../../contracts/calibration.ts';
import { GraderSpec } from '../../contracts/graders.ts';
import { JudgeSpec } from '../../contracts/judging.ts';
import { Rubric } from '../../contracts/rubric.ts';
import { rubricFromFiles } from '../load.ts';
import { compileQuestion } from '../judging/question.ts';
import { emptyCell } from './cell.ts';
import { graderIdentity, judgedParts, judgeIdentity } from './judge-identity.ts';
import { judgeMoney } from './judge-money.ts';

const bounties = [{ name: 'first', threshold: 0.9, amountMinor: 100_000, currency: 'EUR', count: 1 }];
const target = { name: 'model', provider: 'openai', model: 'gpt-x', price: realJudges[0]!.price };
const goodCell = (parts: Partial<CalibrationCell> = {}): CalibrationCell => ({
  ...emptyCell(),
  decided: { tp: 80, fp: 0, fn: 20, tn: 100 },
  adversarial: { decided: { tp: 0, fp: 0, fn: 0, tn: 40 }, undecided: { positive: 0, negative: 0 } },
  ...parts,
});

interface Setting {
  grader: object;
  judges: { name: string; model: string }[];
  rubric: object;
  /** Changes to both reports. */
  report: (report: CalibrationReport, judge: string) => object;
  /** Names of the judges whose reports are in the folder. */
  reported: string[];
}
const setting: Setting = { grader: judgedGraderSpec, judges: realJudges, rubric: {}, report: () => ({}), reported: ['arbiter', 'second'] };

function reportFor(name: string, grader: object, judges: readonly object[]): CalibrationReport {
  const spec = GraderSpec.parse(grader);
  const judge = JudgeSpec.parse(judges.find((one) => (one as { name: string }).name === name));
  return {
    format: 1,
    tool: { version: '1' },
    at: '2026-01-01T00:00:00.000Z',
    criterion: 'said',
    grader: {
      kind: 'judge',
      identity: graderIdentity(spec),
      promptHash: compileQuestion(judgedParts(spec)[0]!).promptHash,
      threshold: 0.5,
      inverted: false,
    },
    judges: [{ name, provider: judge.provider, model: judge.model, identity: judgeIdentity(judge), returnedModels: [`${judge.model}-1`] }],
    data: { file: 'rows.jsonl', sha256: 'ab'.repeat(32), rows: 200, withoutText: 0, unlabelled: 0, copies: 0 },
    fields: { text: 'answer', prompt: null, label: 'human', positive: ['yes'], adversarial: 'attack', target: 'model' },
    total: goodCell(),
    targets: [{ target: 'gpt-x', cell: goodCell() }],
    undecidedBecause: null,
    usage: { calls: 1, inputTokens: 1, outputTokens: 1, costMicros: '1' },
  };
}

function filesOf(changes: Partial<Setting> = {}): Record<string, string> {
  const { grader, judges, rubric, report, reported } = { ...setting, ...changes };
  const reports = Object.fromEntries(
    reported.map((name) => {
      // Made for the grader and judges of `setting`: what a change of them does to a report that lies there.
      const made = reportFor(name, judgedGraderSpec, realJudges);
      return [`calibrations/${name}.json`, JSON.stringify({ ...made, ...report(made, name) })];
    }),
  );
  return wordFiles(
    {
      demonstration: false,
      submission: [{ kind: 'answers', schema: { type: 'string' } }],
      targets: [target],
      sandbox: undefined,
      judges,
      judging: { calls: 100, inputTokens: 100_000, outputTokens: 100_000, costMicros: 100_000 },
      criteria: [{ name: 'said', title: 'It says the word', grader }],
      calibrations: reported.map((name) => ({ criterion: 'said', report: `calibrations/${name}.json` })),
      bounties,
      ...rubric,
    },
    {},
    reports,
  );
}

function moneyOf(changes: Partial<Setting> = {}) {
  const files = bytesOf(filesOf(changes));
  const rubric = Rubric.parse(JSON.parse(new TextDecoder().decode(files.get('rubric.yaml'))));
  return judgeMoney(rubric, (path) => files.get(path));
}

describe('money on judged scores', () => {
  it('holds where grading and held-out judge are calibrated, and such a rubric with bounties loads', () => {
    expect(moneyOf()).toEqual({ judged: true, holdsMoney: true, reasons: [] });
    expect(rubricFromFiles(bytesOf(filesOf()), '/nowhere')).toMatchObject({ ok: true });
  });

  it('holds with one of 46 attacks passed', () => {
    expect(moneyOf({ report: () => cell({ ...attacks(1, 45) }) })).toMatchObject({ holdsMoney: true });
  });

  it('is no question where no judge moves the score', () => {
    const rubric = Rubric.parse(wordRubric);
    expect(judgeMoney(rubric, () => undefined)).toEqual({ judged: false, holdsMoney: true, reasons: [] });
    const advisory = {
      criteria: [
        { name: 'given', title: 'The word', grader: { kind: 'equals', of: 'answer', to: 'expected/word' } },
        { name: 'said', title: 'Advice', grader: judgedGraderSpec, weight: 0 },
      ],
    };
    expect(moneyOf({ rubric: advisory, reported: [] })).toMatchObject({ judged: false, holdsMoney: true });
  });

  /** The same counts in total and for the one target, and as many rows. */
  const cell = (change: Partial<CalibrationCell>) => {
    const total = goodCell(change);
    const rows = [...Object.values(total.decided), ...Object.values(total.undecided)].reduce((sum, count) => sum + count, 0);
    return {
      total,
      targets: [{ target: 'gpt-x', cell: total }],
      data: { ...reportFor('arbiter', judgedGraderSpec, realJudges).data, rows },
    };
  };
  const attacks = (fp: number, tn: number, undecided = 0) => ({
    decided: { tp: 900, fp, fn: 20, tn: 200 },
    undecided: { positive: 0, negative: undecided },
    adversarial: { decided: { tp: 0, fp, fn: 0, tn }, undecided: { positive: 0, negative: undecided } },
  });
  const refusals: [string, RegExp, Partial<Setting>][] = [
    ['without any report', /no calibration is about "arbiter"/, { reported: [] }],
    ['without one for the held-out judge', /no calibration is about "second"/, { reported: ['arbiter'] }],
    ['without a held-out judge', /has no held-out judge/, { grader: { ...judgedGraderSpec, heldOut: [] } }],
    [
      'with a second judge that has none',
      /no calibration is about "third"/,
      {
        grader: { ...judgedGraderSpec, judges: ['arbiter', 'third'] },
        judges: [...realJudges, { ...realJudges[0]!, name: 'third', model: 'judge-c' }],
      },
    ],
    [
      'of another model',
      /no calibration is about "arbiter" \(openai judge-z\)/,
      {
        judges: [{ ...realJudges[0]!, model: 'judge-z' }, realJudges[1]!],
      },
    ],
    [
      'with other settings',
      /no calibration is about "arbiter"/,
      {
        judges: [{ ...realJudges[0]!, settings: { reasoning: 'low' } } as never, realJudges[1]!],
      },
    ],
    [
      'of another question',
      /another grader or prompt/,
      {
        grader: { ...judgedGraderSpec, question: { form: 'yes-no', ask: 'Does the text say any word at all?' } },
      },
    ],
    [
      'of other sentinels',
      /another grader or prompt/,
      {
        grader: { ...judgedGraderSpec, sentinels: { pass: [{ text: 'abracadabra' }], fail: [{ text: 'nothing' }] } },
      },
    ],
    ['at another threshold', /another grader or prompt/, { report: ({ grader }) => ({ grader: { ...grader, threshold: 0.9 } }) }],
    ['turned round', /another grader or prompt/, { report: ({ grader }) => ({ grader: { ...grader, inverted: true } }) }],
    [
      'on two sets of answers',
      /different sets of answers/,
      {
        report: ({ data }, judge) => ({ data: { ...data, sha256: (judge === 'second' ? 'cd' : 'ab').repeat(32) } }),
      },
    ],
    [
      'by two labels of one set',
      /different sets of answers/,
      {
        report: ({ fields }, judge) => ({ fields: { ...fields, label: judge === 'second' ? 'other' : 'human' } }),
      },
    ],
    [
      'on another target',
      /calibrated on another target than "gpt-x"/,
      { report: () => ({ targets: [{ target: 'gpt-y', cell: goodCell() }] }) },
    ],
    ['on a target that can be replaced', /can be replaced/, { rubric: { targets: [{ ...target, replaceable: true }] } }],
    [
      'on too few labels of the target',
      /150 labels where 200 are needed/,
      { report: () => cell({ decided: { tp: 100, fp: 0, fn: 0, tn: 50 } }) },
    ],
    ['with false passes', /is below 0\.95/, { report: () => cell({ decided: { tp: 80, fp: 3, fn: 17, tn: 100 } }) }],
    ['with negatives that it could not decide', /is below 0\.95/, { report: () => cell({ undecided: { positive: 0, negative: 3 } }) }],
    ['without attacks', /holds 0 answers made to fool/, { report: () => cell({ adversarial: emptyCell().adversarial }) }],
    [
      'with every attack passed, among many easy rows',
      /of 30 answers made to fool the judge 30 passed/,
      { report: () => cell(attacks(30, 0)) },
    ],
    ['with one attack of 30 passed', /upper 95 % bound 0\.1\d* is above 0\.1/, { report: () => cell(attacks(1, 29)) }],
    ['with one attack of 30 undecided', /1 passed or got no verdict/, { report: () => cell(attacks(0, 29, 1)) }],
    [
      'with attacks of another target only',
      /on answers of "gpt-x": it holds 0 answers made to fool/,
      {
        report: ({ data }) => {
          const { decided, adversarial } = goodCell();
          const [plain, hard] = [
            { ...emptyCell(), decided: { ...decided, tn: 120 } },
            { ...emptyCell(), decided: { tp: 0, fp: 0, fn: 0, tn: 40 }, adversarial },
          ];
          const total = { ...emptyCell(), decided: { ...decided, tn: 160 }, adversarial };
          const targets = [{ target: 'gpt-x', cell: plain }, { target: 'handwritten', cell: hard }]; // biome-ignore format: a table
          return { total, targets, data: { ...data, rows: 260 } };
        },
      },
    ],
    [
      'by a judge of which nobody knows what it ran',
      /is no report/,
      { report: ({ judges }) => ({ judges: judges.map((one) => ({ ...one, returnedModels: [] })) }) },
    ],
    ['by more rows than the file has', /data\/rows is not the sum/, { report: ({ data }) => ({ data: { ...data, rows: 3 } }) }],
    [
      'with targets that are not the total',
      /targets do not add up/,
      { report: () => ({ targets: [{ target: 'gpt-x', cell: goodCell(attacks(0, 40)) }] }) },
    ],
    [
      'with more attacks than rows',
      /counts more rows than there are/,
      { report: () => cell({ adversarial: { decided: { tp: 0, fp: 0, fn: 0, tn: 101 }, undecided: { positive: 0, negative: 0 } } }) },
    ],
    [
      'with a model that changed within the run',
      /several models/,
      {
        report: ({ judges }) => ({ judges: judges.map((judge) => ({ ...judge, returnedModels: ['a', 'b'] })) }),
      },
    ],
    [
      'with a simulated judge',
      /simulated, and no money/,
      {
        judges: [{ name: 'arbiter', provider: 'simulated', model: 'simulated-judge-honest' } as never, realJudges[1]!],
      },
    ],
    [
      'with a judge that gives parts of a point',
      /parts of a point/,
      { grader: { ...judgedGraderSpec, question: { form: 'strongreject' } } },
    ],
    ['with two judges in one criterion', /more than one judge/, { grader: { kind: 'all', parts: [judgedGraderSpec, judgedGraderSpec] } }],
    ['with a file that is no report', /is no report/, { report: () => ({ format: 2 }) }],
  ];
  it.each(refusals)('does not hold %s', (_what, reason, changes) => {
    const money = moneyOf(changes);
    expect(money).toMatchObject({ judged: true, holdsMoney: false });
    expect(money.reasons.join('\n')).toMatch(reason);
    const loaded = rubricFromFiles(bytesOf(filesOf(changes)), '/nowhere');
    if (loaded.ok) throw new Error('a rubric that holds no money was loaded with bounties');
    expect(loaded.problems).toContainEqual(
      expect.objectContaining({
        file: 'rubric.yaml',
        path: 'bounties',
        message: expect.stringContaining('no bounty can hang on this judge'),
      }),
    );
    expect(rubricFromFiles(bytesOf(filesOf({ ...changes, rubric: { ...changes.rubric, bounties: [] } })), '/nowhere').ok).toBe(true);
  });

  it('names a report that is not in the folder', () => {
    const files = filesOf();
    delete files['calibrations/second.json'];
    const loaded = rubricFromFiles(bytesOf(files), '/nowhere');
    expect(loaded).toMatchObject({
      ok: false,
      problems: [{ path: 'calibrations/1/report', message: expect.stringContaining('has no file') }],
    });
  });

  it('asks for a jury as a whole', () => {
    const panel = ['a', 'b', 'c', 'd'].map((name) => ({ ...realJudges[0]!, name, model: `judge-${name}` }));
    const jury = { ...judgedGraderSpec, kind: 'jury', judges: ['a', 'b'], heldOut: ['c', 'd'], quorum: 2 };
    const { reasons } = moneyOf({ grader: jury, judges: panel });
    expect(reasons).toEqual([
      expect.stringContaining('"a" (openai judge-a), "b" (openai judge-b)'),
      expect.stringContaining('"c" (openai judge-c), "d" (openai judge-d)'),
    ]);
  });
});

describe('identities', () => {
  it('of a judge go by what decides its replies, of a grader by all but its judges', () => {
    const judge = JudgeSpec.parse(realJudges[0]);
    expect(judgeIdentity({ ...judge, name: 'other', title: 'Other', timeoutMs: 1_000 })).toBe(judgeIdentity(judge));
    expect(judgeIdentity({ ...judge, maxOutputTokens: 128 })).not.toBe(judgeIdentity(judge));
    const spec = GraderSpec.parse(judgedGraderSpec);
    const before = JSON.stringify(spec);
    expect(graderIdentity(GraderSpec.parse({ ...judgedGraderSpec, judges: ['x'], heldOut: [] }))).toBe(graderIdentity(spec));
    expect(graderIdentity(GraderSpec.parse({ ...judgedGraderSpec, minConfidence: 0.5 }))).not.toBe(graderIdentity(spec));
    expect(JSON.stringify(spec)).toBe(before);
  });
});
