import { z } from 'zod';
import type { GraderSpec } from '../../contracts/graders.ts';
import { GraderSpec as GraderSchema } from '../../contracts/graders.ts';
import { JudgeSpec } from '../../contracts/judging.ts';
import { compileGrader } from '../graders/compile.ts';
import type { Grader } from '../graders/grader.ts';
import { checkJudging } from '../judging/check.ts';
import { compileQuestion } from '../judging/question.ts';
import type { LoadedRubric } from '../rubric.ts';
import { schemaProblems } from '../zod-problems.ts';
import { decidedBy, graderIdentity, type JudgedSpec, judgedParts, panelsOf } from './judge-identity.ts';
import { CalibrationProblem } from './problem.ts';

/** A grader that asks judges, ready to be compared with people. */
export interface JudgedGrader {
  /** For the reader: the criterion or the file. */
  title: string;
  criterion: string | null;
  kind: JudgedSpec['kind'];
  /** The judged part as it stands in the rubric. */
  part: JudgedSpec;
  /** The judges that are asked, with everything that decides their replies. */
  judges: JudgeSpec[];
  heldOut: boolean;
  identity: string;
  promptHash: string;
  /** Decided by the chosen judges alone. */
  grader: Grader;
  /** Files of the rubric, for simulated and recorded judges. */
  text(path: string): string;
}

/** Which judges are asked: held-out ones or those that grade; of a `judge` one, by name or the first. */
export interface PanelChoice {
  heldOut: boolean;
  judge?: string | undefined;
}

/** A file with one judged grader and the judges it names beside it. */
const GraderFile = z.strictObject({ grader: GraderSchema, judges: z.array(JudgeSpec).min(1).max(8) });

/** Does a parsed grader file hold judges beside the grader? */
export const isJudgedFile = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && 'grader' in value;

/** The grader of a criterion of a rubric. Throws `CalibrationProblem`. */
export function judgedCriterion({ rubric, text }: LoadedRubric, criterion: string, choice: PanelChoice): JudgedGrader {
  const found = rubric.criteria.find(({ name }) => name === criterion);
  if (found === undefined)
    throw new CalibrationProblem(`there is no criterion "${criterion}"; there are ${rubric.criteria.map(({ name }) => name).join(', ')}`);
  return judgedGrader({ title: criterion, criterion, spec: found.grader, judges: rubric.judges, text }, choice);
}

/** The grader of a file `{ grader, judges }`. Throws `CalibrationProblem`. */
export function judgedFile(title: string, value: unknown, choice: PanelChoice): JudgedGrader {
  const parsed = GraderFile.safeParse(value);
  if (!parsed.success) {
    const words = schemaProblems(parsed.error)
      .slice(0, 3)
      .map(({ path, message }) => `${path.length === 0 ? '' : `${path.join('/')}: `}${message}`);
    throw new CalibrationProblem(`"${title}" is no grader with judges: ${words.join('; ')}`);
  }
  const problem = judgedParts(parsed.data.grader).flatMap(checkJudging)[0];
  if (problem !== undefined) throw new CalibrationProblem(`"${title}": grader/${problem.path.join('/')} ${problem.message}`);
  const text = (path: string): string => {
    throw new CalibrationProblem(`"${title}" reads the file "${path}" of a rubric: give --rubric and --criterion`);
  };
  return judgedGrader({ title, criterion: null, spec: parsed.data.grader, judges: parsed.data.judges, text }, choice);
}

interface Parts {
  title: string;
  criterion: string | null;
  spec: GraderSpec;
  judges: readonly JudgeSpec[];
  text(path: string): string;
}

function judgedGrader({ title, criterion, spec, judges, text }: Parts, choice: PanelChoice): JudgedGrader {
  const [part, more] = judgedParts(spec);
  if (part === undefined) throw new CalibrationProblem(`"${title}" asks no judge; calibrate it with --grader <name or file>`);
  if (more !== undefined) throw new CalibrationProblem(`"${title}" holds more than one judge or jury; make each a criterion of its own`);
  const panel = chosenPanel(title, part, choice);
  const asked = panel.map((name) => {
    const found = judges.find((judge) => judge.name === name);
    if (found === undefined) throw new CalibrationProblem(`"${title}": no judge is named "${name}"`);
    return found;
  });
  return {
    title,
    criterion,
    kind: part.kind,
    part,
    judges: asked,
    heldOut: choice.heldOut,
    identity: graderIdentity(spec),
    promptHash: compileQuestion(part).promptHash,
    grader: compileGrader(decidedBy(spec, panel), text),
    text,
  };
}

function chosenPanel(title: string, part: JudgedSpec, { heldOut, judge }: PanelChoice): string[] {
  const panels = panelsOf(part)[heldOut ? 'heldOut' : 'grading'];
  if (panels.length === 0) throw new CalibrationProblem(`"${title}" has no held-out judges`);
  if (judge === undefined) return panels[0] as string[];
  if (part.kind === 'jury') throw new CalibrationProblem(`"${title}" is a jury: it is calibrated as a whole, without --judge`);
  const found = panels.find(([name]) => name === judge);
  if (found !== undefined) return found;
  throw new CalibrationProblem(`"${title}" has no ${heldOut ? 'held-out ' : ''}judge "${judge}"; it has ${panels.flat().join(', ')}`);
}
