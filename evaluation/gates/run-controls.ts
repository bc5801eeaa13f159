import { acceptedLanguages, type Control, type Phase } from '../../contracts/rubric.ts';
import type { SubmissionDocument } from '../../contracts/submission.ts';
import { readSubmissionFile } from '../../contracts/submission-file.ts';
import { checkSubmission } from '../../rubrics/check-submission.ts';
import type { LoadedRubric } from '../../rubrics/rubric.ts';
import { casesOf } from '../world.ts';
import type { GateContext, Run } from './context.ts';

/** A declared control after it was judged, or why it could not be: it is no submission that a participant could send. */
export type ControlRun = { control: Control } & ({ ok: true; run: Run } | { ok: false; problem: string });

/** Judges every control the rubric declares, in its order. */
export async function runControls(context: GateContext): Promise<ControlRun[]> {
  const { controls } = context.rubric.rubric;
  const runs: ControlRun[] = [];
  for (const [i, control] of controls.entries()) {
    context.progress('controls', i, controls.length);
    const phase = phaseOfControl(context.rubric, control);
    const read = readControl(context.rubric, control, phase);
    if (!read.ok) runs.push({ control, ok: false, problem: read.problem });
    else {
      const run = await context.judge({ name: control.title, role: control.role, phase, document: read.document });
      runs.push({ control, ok: true, run });
    }
  }
  context.progress('controls', controls.length, controls.length);
  return runs;
}

export const judgedOnly = (controls: readonly ControlRun[]): Run[] => controls.flatMap((one) => (one.ok ? [one.run] : []));

function phaseOfControl({ rubric }: LoadedRubric, control: Control): Phase {
  const phase = rubric.phases.find((one) => one.name === control.phase) ?? rubric.phases[0];
  if (phase === undefined) throw new Error('a rubric without phases does not load');
  return phase;
}

/** A control must be what a participant could send: read and checked by the same code. */
function readControl(
  rubric: LoadedRubric,
  control: Control,
  phase: Phase,
): { ok: true; document: SubmissionDocument } | { ok: false; problem: string } {
  const forms = rubric.rubric.submission;
  const bytes = rubric.bytes(control.path);
  const read = readSubmissionFile(
    control.path,
    bytes,
    forms.map((form) => form.kind),
    acceptedLanguages(forms),
  );
  if (!read.ok) return { ok: false, problem: `${control.path}: ${read.problem}` };
  const cases = casesOf(rubric, phase).map((one) => one.case);
  const checked = checkSubmission(rubric.rubric, cases, read.document);
  if (checked.ok) return read;
  const first = checked.errors[0];
  return { ok: false, problem: `${control.path}: ${first?.path ?? ''}: ${first?.message ?? 'does not fit the submission form'}` };
}
