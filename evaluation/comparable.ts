import { canonicalJson } from '../contracts/canonical.ts';
import type { Json } from '../contracts/json.ts';
import type { Case, Split } from '../contracts/rubric.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';

const splits: readonly Split[] = ['public', 'hidden', 'holdout'];

/**
 * What keeps evaluations under `before` from being graded by `after`: everything that decided what the submission was
 * asked, could do or was answered must be the same, or the kept run is not a run of the newer version. Grading may differ:
 * criteria, judges, metrics, pass rule, feedback, expected answers and whatever file only graders read. Each difference is
 * one sentence; none means that the two can be compared.
 */
export function differences(before: LoadedRubric, after: LoadedRubric): string[] {
  const [old, now] = [before.rubric, after.rubric];
  if (old.name !== now.name) return [`the newer version belongs to another challenge: "${now.name}", not "${old.name}"`];
  const parts: [string, unknown, unknown][] = [
    ['submission forms ("submission")', old.submission, now.submission],
    ['targets ("targets")', old.targets.map(asAsked), now.targets.map(asAsked)],
    ['budget of the submission ("budget")', old.budget, now.budget],
    ['secrets ("secrets")', old.secrets, now.secrets],
    ['sandbox ("sandbox")', old.sandbox ?? null, now.sandbox ?? null],
    ['repeats of every case ("trials")', old.trials, now.trials],
    ['phases ("phases")', old.phases.map(asRun), now.phases.map(asRun)],
  ];
  return [
    ...parts.filter(([, one, other]) => !same(one, other)).map(([what]) => `the ${what} are not the same`),
    ...splits.flatMap((split) => caseDifferences(split, before.cases[split], after.cases[split])),
    ...replayDifferences(before, after),
  ];
}

const same = (one: unknown, other: unknown): boolean => canonicalJson(one as Json) === canonicalJson(other as Json);

/** A title changes nothing that a submission meets. */
const asAsked = ({ title: _title, ...target }: LoadedRubric['rubric']['targets'][number]) => target;
const asRun = ({ title: _title, ...phase }: LoadedRubric['rubric']['phases'][number]) => phase;

/** What a submission sees of a case; `expected` and `group` are the grading side's. */
const asSeen = ({ key, input, target }: Case) => ({ key: key ?? null, input, target: target ?? null });

const shownCases = 5;

function caseDifferences(split: Split, before: readonly Case[], after: readonly Case[]): string[] {
  const known = new Map(before.map((one) => [one.id, one]));
  const found = new Map(after.map((one) => [one.id, one]));
  const lists: [string, string[]][] = [
    ['are missing in the newer version', before.filter((one) => !found.has(one.id)).map((one) => one.id)],
    ['are new in it: nothing was ever answered to them', after.filter((one) => !known.has(one.id)).map((one) => one.id)],
    ['have another key, input or target', after.filter((one) => differs(known.get(one.id), one)).map((one) => one.id)],
  ];
  return lists.filter(([, ids]) => ids.length > 0).map(([what, ids]) => `${split} cases ${what}: ${named(ids)}`);
}

const differs = (before: Case | undefined, after: Case): boolean => before !== undefined && !same(asSeen(before), asSeen(after));

const named = (ids: readonly string[]): string =>
  ids.length > shownCases ? `${ids.slice(0, shownCases).join(', ')} and ${ids.length - shownCases} more` : ids.join(', ');

/** A replayed target says what its file says. */
function replayDifferences(before: LoadedRubric, after: LoadedRubric): string[] {
  const hashOf = (rubric: LoadedRubric, path: string) => rubric.files.find((file) => file.path === path)?.sha256;
  return before.rubric.targets
    .filter(({ provider, model }) => provider === 'replay' && hashOf(before, model) !== hashOf(after, model))
    .map(({ name, model }) => `the recordings that target "${name}" replays (${model}) are not the same`);
}
