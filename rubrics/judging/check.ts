import type { JudgeGraderSpec, JuryGraderSpec, Sentinel } from '../../contracts/judging.ts';
import type { Source } from '../../contracts/sources.ts';
import { sourceHead } from '../graders/sources.ts';
import { isBlank, isCut, showTexts } from './shown.ts';

type Spec = JudgeGraderSpec | JuryGraderSpec;
type Path = (string | number)[];
interface Problem {
  path: Path;
  message: string;
}

/** The sources that a judged grader reads besides `of`. */
export function judgedSources({ about, question, commitFirst }: Spec): { path: Path; source: Source }[] {
  const list: [Path, Source | undefined][] = [
    [['about'], about],
    [['question', 'against'], question.form === 'pairwise' ? question.against : undefined],
    [['commitFirst', 'task'], commitFirst?.task],
    [['commitFirst', 'expected'], commitFirst?.expected],
  ];
  return list.flatMap(([path, source]) => (source === undefined ? [] : [{ path, source }]));
}

/** What would keep a judged grader from ever giving a believable verdict. */
export function checkJudging(spec: Spec): Problem[] {
  return [...checkSourcesOfCase(spec), ...checkQuestion(spec), ...checkSentinels(spec)];
}

/** Whoever writes what a text is measured against decides the verdict. `about` may be what the submission asked. */
const checkSourcesOfCase = (spec: Spec): Problem[] =>
  judgedSources(spec)
    .filter(({ path, source }) => path[0] !== 'about' && !['input', 'expected'].includes(sourceHead(source)))
    .map(({ path }) => ({
      path,
      message: 'is read from "expected" or "input": from anywhere else a submission would choose its own measure',
    }));

/** What `parseBoundedJson` refuses as a key. */
const reservedNames: ReadonlySet<string> = new Set(['constructor', 'prototype']);

function checkQuestion({ question }: Spec): Problem[] {
  if (question.form === 'criteria') {
    const reserved = question.criteria.flatMap(({ name }, i): Problem[] =>
      reservedNames.has(name)
        ? [{ path: ['question', 'criteria', i, 'name'], message: `"${name}" is a reserved name: no reply may hold it` }]
        : [],
    );
    return [...reserved, ...repeated(question.criteria, ({ name }) => name, ['question', 'criteria'], 'name')];
  }
  if (question.form !== 'scale') return [];
  const values = question.levels.map(({ value }) => value);
  const twice = repeated(question.levels, ({ value }) => String(value), ['question', 'levels'], 'value');
  const { atLeast } = question;
  if (atLeast === undefined || (atLeast > Math.min(...values) && atLeast <= Math.max(...values))) return twice;
  return [
    ...twice,
    { path: ['question', 'atLeast'], message: 'must be above the lowest level and reachable: else every text passes, or none' },
  ];
}

const repeated = <T>(list: readonly T[], of: (one: T) => string, path: Path, field: string): Problem[] =>
  list.flatMap((one, i) =>
    list.findIndex((other) => of(other) === of(one)) < i ? [{ path: [...path, i, field], message: `"${of(one)}" is there twice` }] : [],
  );

/** A sentinel must be asked like every text: with all parts, and shown whole, so that its verdict is really known. */
function checkSentinels(spec: Spec): Problem[] {
  return (['pass', 'fail'] as const).flatMap((list) =>
    spec.sentinels[list].flatMap((sentinel, i) =>
      sentinelProblems(spec, sentinel).map(({ path, message }) => ({ path: ['sentinels', list, i, ...path], message })),
    ),
  );
}

function sentinelProblems(spec: Spec, { text, about, against }: Sentinel): Problem[] {
  const shown = showTexts([text], spec.maxCharacters);
  const problems: Problem[] = [];
  if (isBlank(shown)) problems.push({ path: ['text'], message: 'holds nothing that a reader sees' });
  if (isCut(shown)) problems.push({ path: ['text'], message: 'is longer than "maxCharacters": a judge would see it cut' });
  if (about === undefined && (spec.about !== undefined || spec.commitFirst !== undefined))
    problems.push({
      path: ['about'],
      message: 'is missing: the grader shows what a text answers, and a sentinel without it would be told apart',
    });
  if (against === undefined && spec.question.form === 'pairwise')
    problems.push({ path: ['against'], message: 'is missing: a pairwise question needs the other text' });
  return problems;
}
