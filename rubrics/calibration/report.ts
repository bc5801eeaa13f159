import { CalibrationReport } from '../../contracts/calibration.ts';
import type { Usage } from '../../contracts/target.ts';
import { clipTo } from '../graders/evidence.ts';
import type { Calibration, CalibrationRequest } from './calibrate.ts';
import { judgeIdentity } from './judge-identity.ts';
import type { JudgedGrader } from './judged-grader.ts';
import { CalibrationProblem } from './problem.ts';

export interface ReportFacts {
  version: string;
  at: Date;
  returnedModels(judge: string): string[];
  usage: Usage;
}

/** The report of a finished calibration of a judge or jury; see `CalibrationReport`. Throws `CalibrationProblem` for a judge that never answered. */
export function reportOf(result: Calibration, request: CalibrationRequest, judged: JudgedGrader, facts: ReportFacts): CalibrationReport {
  const { file, sha256, rows, withoutText, unlabelled, copies } = result.data;
  const silent = judged.judges.find(({ name }) => facts.returnedModels(name).length === 0);
  if (silent !== undefined)
    throw new CalibrationProblem(
      `the judge "${silent.name}" answered nothing, so there is no report about it; run it again when it can be reached`,
    );
  return CalibrationReport.parse({
    format: 1,
    tool: { version: facts.version },
    at: facts.at.toISOString(),
    criterion: judged.criterion,
    grader: {
      kind: judged.kind,
      identity: judged.identity,
      promptHash: judged.promptHash,
      threshold: result.threshold,
      inverted: result.inverted,
    },
    judges: judged.judges.map((judge) => ({
      name: judge.name,
      provider: judge.provider,
      model: judge.model,
      identity: judgeIdentity(judge),
      returnedModels: facts.returnedModels(judge.name),
    })),
    data: { file: file.slice(0, 300), sha256, rows, withoutText, unlabelled, copies },
    fields: {
      text: request.text,
      prompt: request.prompt ?? null,
      label: request.label,
      positive: [...request.positive],
      adversarial: request.adversarial ?? null,
      target: request.target ?? null,
    },
    total: result.cell,
    targets: result.targets.map(({ target, cell }) => ({ target: target.slice(0, 300), cell })),
    undecidedBecause: result.ungradedBecause === null ? null : clipTo(result.ungradedBecause, 900),
    usage: facts.usage,
  });
}
