import type { GateResult } from '../../contracts/gates.ts';
import type { SubmissionDocument } from '../../contracts/submission.ts';
import { checkSubmission } from '../../rubrics/check-submission.ts';
import { halfOf, repeats, shortened } from '../../rubrics/gates/variants.ts';
import { deriveSeed } from '../../rubrics/random.ts';
import { casesOf } from '../world.ts';
import { cameTo, type GateContext, kindOf, measuredOf, type Run } from './context.ts';
import { roundingError } from './expectations.ts';

const gate = 'monotonicity';

interface Variant {
  document: SubmissionDocument;
  name: string;
  fix: string;
}

/** Variants of one submission: of a control as it is, or of it `cut`, which has to be judged first. */
interface Trial {
  control: Run;
  cut: SubmissionDocument | null;
  variants: Variant[];
}

/**
 * What adds nothing must not add to the score: entries, messages and texts that come twice; and taking answers away
 * from an oracle must not raise it. An oracle at its maximum would hide that repeats are paid, so it is also tried with
 * its lists cut in half. Submissions that a target answers may be answered otherwise when they change; there only a
 * rise above the interval of the original counts.
 */
export async function monotonicityGate(context: GateContext, runs: readonly Run[]): Promise<GateResult[]> {
  const scored = runs.filter((run) => (run.role === 'oracle' || run.role === 'honest') && run.report.score !== null);
  const trials = scored.flatMap((run) => trialsOf(context, run));
  const all = trials.reduce((sum, { variants }) => sum + variants.length, 0);
  const failed: GateResult[] = [];
  let done = 0;
  for (const { control, cut, variants } of trials) {
    const base = cut === null ? control : await context.judge({ ...control, document: cut, name: `${control.name}, lists cut in half` });
    for (const { document, name, fix } of variants) {
      context.progress(gate, done++, all);
      const result = compared(base, await context.judge({ ...control, document, name: `${base.name}, ${name}` }), fix);
      if (result !== null) failed.push(result);
    }
  }
  context.progress(gate, all, all);
  if (failed.length > 0) return failed;
  const detail =
    all === 0
      ? 'no oracle or honest control holds anything that can be repeated or left out'
      : `${all} variants: neither repeating anything nor leaving half of an oracle out raises a score`;
  return [{ gate, ok: true, measured: all, detail, fix: '' }];
}

function trialsOf(context: GateContext, control: Run): Trial[] {
  const cases = casesOf(context.rubric, control.phase).map((one) => one.case);
  const fits = (document: SubmissionDocument | null): document is SubmissionDocument =>
    document !== null && checkSubmission(context.rubric.rubric, cases, document).ok;
  const repeated = (document: SubmissionDocument, names = Object.keys(repeats) as (keyof typeof repeats)[]): Variant[] =>
    names.flatMap((name) => {
      const twice = repeats[name](document);
      const fix = `saying the same again (${name}) is paid: count distinct things only, or score the best one instead of the sum`;
      return fits(twice) ? [{ document: twice, name: `${name} repeated`, fix }] : [];
    });
  const trials: Trial[] = [{ control, cut: null, variants: repeated(control.document) }];
  if (control.role !== 'oracle') return trials;
  const half = halfOf(control.document, deriveSeed(context.seed, 'half'));
  const fix = 'fewer answers are worth more: let every case count in the denominator, a missing answer as 0';
  if (fits(half)) trials[0]?.variants.push({ document: half, name: 'without half of its answers', fix });
  const cut = shortened(control.document);
  // Not its texts: half a text that stands twice can be nearer to a whole one by honest measures of similarity.
  if (fits(cut)) trials.push({ control, cut, variants: repeated(cut, ['entries', 'last-message']) });
  return trials.filter(({ variants }) => variants.length > 0);
}

function compared(base: Run, run: Run, fix: string): GateResult | null {
  const { score, interval, outcome } = base.report;
  const isAnsweredByTarget = kindOf(base) === 'prompts' || kindOf(base) === 'defence';
  const most = isAnsweredByTarget ? (interval?.[1] ?? score ?? 0) : (score ?? 0);
  const named = { gate, ok: false, control: run.name, measured: measuredOf(run.report) } as const;
  if (run.report.outcome === 'error')
    return { ...named, detail: cameTo(run.report), fix: 'mend what the reason names and check again: nothing was judged' };
  if (run.report.score === null || run.report.score <= most + roundingError) return null;
  return { ...named, detail: `${cameTo(run.report)}; the original came to ${outcome}, score ${score ?? 'none'}`, fix };
}
