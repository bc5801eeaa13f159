import { Buffer } from 'node:buffer';
import type { Config } from '../contracts/config.ts';
import { Id, Sha256 } from '../contracts/ids.ts';
import { parseBoundedJson } from '../contracts/json.ts';
import { RegradingReason } from '../contracts/regrading.ts';
import type { Reason } from '../contracts/status.ts';
import { SubmissionDocument } from '../contracts/submission.ts';
import type { Blobs } from '../domain/blobs/blobs.ts';
import { rubricVersion, storeVersion } from '../domain/challenges.ts';
import type { Db } from '../domain/db/client.ts';
import { awardStanding } from '../domain/judge-audits.ts';
import { addItem, type NewGrades, openRegrading, sealRegrading } from '../domain/regradings.ts';
import { type Regradable, readRegradable, regradableEvaluations, type RegradableOutcome } from '../domain/regrading-state.ts';
import { differences } from '../evaluation/comparable.ts';
import { regrade, type RegradingDeps } from '../evaluation/regrade.ts';
import { stopLoss } from '../rubrics/calibration/award-rule.ts';
import { guardJudgedAward } from '../rubrics/calibration/guard-award.ts';
import { rubricFromFiles } from '../rubrics/load.ts';
import { publishable } from '../rubrics/publishable.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';
import { exitCodes, InputError } from './exit-codes.ts';
import { graderFailureText } from './grader-failure.ts';
import { abortOnSignal } from './interrupt.ts';
import { localGateway, localSandboxes, rubricAt } from './local-machine.ts';
import { type OperatorRecords, operatorRecords } from './operator-database.ts';
import type { PreviewOptions } from './regrade.ts';
import { printRegrading } from './regrade-records.ts';

/** Grades stored evaluations again, stores the preview and prints it. The verdicts stay as they are. */
export async function preview(challenge: string, options: PreviewOptions, config: Config): Promise<void> {
  await using records = await operatorRecords(config);
  await using sandboxes = await localSandboxes(config);
  using interrupt = abortOnSignal();
  const id = await makePreview(records, challenge, options, {
    gateway: localGateway(config),
    sandboxes: sandboxes.all,
    signal: interrupt.signal,
    graderFailed: (failure) => process.stderr.write(graderFailureText(failure)),
    told: (line) => process.stderr.write(`${line}\n`),
  });
  await printRegrading(records.db, id, options.json === true);
}

type Deps = Omit<RegradingDeps, 'read'> & { told: (line: string) => void };

/**
 * Makes a preview and returns its id. Throws an InputError, before anything is graded or stored, when there is nothing to
 * grade again or an evaluation's version and the newer one differ in more than grading.
 */
export async function makePreview(
  { db, blobs, account }: Pick<OperatorRecords, 'db' | 'blobs' | 'account'>,
  challenge: string,
  options: Omit<PreviewOptions, 'json'>,
  deps: Deps,
): Promise<string> {
  const reason = RegradingReason.safeParse(options.reason);
  if (!reason.success) throw new InputError('--reason takes a sentence of at most 500 characters: participants read it');
  const filter = filterOf(options);
  const newer = await newerVersion(db, blobs, challenge, options.rubric);
  const ids = await regradableEvaluations(db, { ...filter, slug: challenge, toRubricHash: newer.hash });
  if (ids.length === 0) {
    throw new InputError(
      `there is nothing to grade again: ${challenge} has no such evaluation with the outcome pass, fail or needs_review under another version than ${newer.hash.slice(0, 16)}`,
    );
  }
  const compared = await refuseOthers(db, blobs, newer, ids);
  if (options.rubric !== undefined) await storeVersion(db, blobs, publishable(newer));
  const id = await openRegrading(db, { slug: challenge, toRubricHash: newer.hash, reason: reason.data, accountId: account.id });
  await fill(db, blobs, { id, newer, ids, compared }, deps);
  return id;
}

interface Filling {
  id: string;
  newer: LoadedRubric;
  ids: readonly string[];
  /** Versions that differ from the newer one in nothing but grading. */
  compared: ReadonlySet<string>;
}

/**
 * One evaluation after another: each is stored before the next is read, so memory holds one. A preview that is interrupted
 * is never sealed, so never shown.
 */
async function fill(db: Db, blobs: Blobs, { id, newer, ids, compared }: Filling, deps: Deps): Promise<void> {
  for (const [i, evaluationId] of ids.entries()) {
    deps.signal.throwIfAborted();
    const stored = await readRegradable(db, evaluationId);
    // Another regrading was applied to it meanwhile.
    if (stored === null || !compared.has(stored.state.rubricHash)) continue;
    deps.told(`grading again ${i + 1} of ${ids.length}: ${evaluationId}`);
    await addItem(db, id, stored, await gradesOf(stored, newer, { db, blobs }, { ...deps, read: (hash) => blobs.get(hash) }));
  }
  await sealRegrading(db, id);
}

/** The versions of these evaluations; throws, before anything is graded, with all that differs from the newer one besides grading. */
async function refuseOthers(db: Db, blobs: Blobs, newer: LoadedRubric, ids: readonly string[]): Promise<Set<string>> {
  const rows = await db.selectFrom('evaluation').select('rubric_hash').distinct().where('id', 'in', ids).execute();
  const refusals: string[] = [];
  for (const { rubric_hash } of rows) {
    const found = differences(await storedRubric(db, blobs, rubric_hash), newer);
    if (found.length > 0)
      refusals.push(`evaluations of version ${rubric_hash.slice(0, 16)}:`, ...found.map((difference) => `  ${difference}`));
  }
  if (refusals.length === 0) return new Set(rows.map((row) => row.rubric_hash));
  throw new InputError(
    [
      `version ${newer.hash.slice(0, 16)} differs in more than grading, so what was kept of these evaluations is no run of it:`,
      ...refusals.map((line) => `  ${line}`),
      'whose fault: the newer version’s. Change in it only criteria, judges, metrics, pass rule, feedback, expected answers and files of graders,',
      'or let the submissions be evaluated anew; --from <hash> leaves out evaluations of other versions',
    ].join('\n'),
  );
}

async function gradesOf(
  stored: Regradable,
  newer: LoadedRubric,
  { db, blobs }: { db: Db; blobs: Blobs },
  deps: RegradingDeps,
): Promise<NewGrades> {
  const submission = await submissionOf(blobs, stored.contentHash);
  if (!submission.ok) return { ok: false, problem: submission.problem, judging: nothingUsed };
  const phase = newer.rubric.phases.find((one) => one.name === stored.phase);
  if (phase === undefined) throw new Error(`the newer version has no phase "${stored.phase}", although the two were compared`);
  const { evaluationId, contentHash, seed, results } = stored;
  const given = await regrade(
    { id: evaluationId, rubric: newer, phase, submission: submission.document, submissionHash: contentHash, seed, results },
    deps,
  );
  if (!given.ok) return given;
  const cases = [];
  for (const { result, transcript } of given.cases) {
    cases.push({ result, transcriptHash: transcript === null ? null : await blobs.put(Buffer.from(transcript, 'utf8')) });
  }
  // What is previewed is what is applied: an award by a judge waits for a person here as it does in verification.
  const verdict = await guardJudgedAward(newer, given.verdict, () => awardStanding(db, newer.hash, stopLoss.window));
  return { ...given, verdict, cases };
}

const nothingUsed = { calls: 0, inputTokens: 0, outputTokens: 0, costMicros: '0' };

async function submissionOf(
  blobs: Blobs,
  hash: string,
): Promise<{ ok: true; document: SubmissionDocument } | { ok: false; problem: Reason }> {
  const lost = (why: string): { ok: false; problem: Reason } => ({
    ok: false,
    problem: {
      ...{ code: 'kept_lost', faultOf: 'platform', message: `The submission (blob ${hash}) ${why}`.slice(0, 2_000) },
      advice: 'Restore the blob from a copy.',
    },
  });
  let bytes: Uint8Array | null;
  try {
    bytes = await blobs.get(hash);
  } catch (error) {
    return lost(`cannot be read: ${(error as Error).message}`);
  }
  if (bytes === null) return lost('is missing');
  const json = parseBoundedJson(bytes, { maxBytes: bytes.byteLength, maxDepth: 64 });
  if (!json.ok) return lost(json.problem);
  const parsed = SubmissionDocument.safeParse(json.value);
  return parsed.success ? { ok: true, document: parsed.data } : lost('is no submission');
}

/** The version in `folder`; without one, the version that new submissions are judged by. */
async function newerVersion(db: Db, blobs: Blobs, challenge: string, folder: string | undefined): Promise<LoadedRubric> {
  const row = await db.selectFrom('challenge').select('rubric_hash').where('slug', '=', challenge).executeTakeFirst();
  if (row === undefined) throw new InputError(`there is no challenge "${challenge}" here`);
  if (folder === undefined) return await storedRubric(db, blobs, row.rubric_hash);
  const rubric = await rubricAt(folder);
  if (rubric.rubric.name !== challenge)
    throw new InputError(
      `${folder} is a version of "${rubric.rubric.name}", not of "${challenge}"; a regrading stays within one challenge`,
    );
  return rubric;
}

async function storedRubric(db: Db, blobs: Blobs, hash: string): Promise<LoadedRubric> {
  const version = await rubricVersion(db, hash);
  if (version === null) throw new Error(`there is no stored rubric ${hash}`);
  const files = new Map<string, Uint8Array>();
  for (const file of version.files) {
    const bytes = await blobs.get(file.sha256);
    if (bytes === null) {
      throw new InputError(
        `${file.path} of the stored version ${hash} is missing (blob ${file.sha256}); whose fault: platform. Restore it from a copy of COLLECTIVE_HOME`,
        exitCodes.error,
      );
    }
    files.set(file.path, bytes);
  }
  const read = rubricFromFiles(files, `stored rubric ${hash}`);
  if (!read.ok)
    throw new InputError(
      `version ${hash} was published by an earlier release and does not load any more: ${read.problems[0]?.message ?? ''}`,
      exitCodes.error,
    );
  return read.rubric;
}

function filterOf({ evaluation, phase, outcome, from }: PreviewOptions) {
  const wrong = evaluation?.find((id) => !Id.safeParse(id).success);
  if (wrong !== undefined) throw new InputError(`--evaluation: "${wrong}" is not the id of an evaluation`);
  const outcomes: readonly RegradableOutcome[] = ['pass', 'fail', 'needs_review'];
  const wanted = outcomes.find((one) => one === outcome);
  if (outcome !== undefined && wanted === undefined)
    throw new InputError(
      `--outcome takes pass, fail or needs_review, not "${outcome}": other endings have no grades that could be given again`,
    );
  if (from !== undefined && !Sha256.safeParse(from).success)
    throw new InputError('--from takes the whole hash of a rubric version, 64 hexadecimal digits; the page of an evaluation shows it');
  return { ids: evaluation, phase, outcome: wanted, fromRubricHash: from };
}
