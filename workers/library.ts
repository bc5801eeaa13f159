import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { acceptedLanguages } from '../contracts/rubric.ts';
import { queueName } from '../contracts/queue.ts';
import { readSubmissionFile } from '../contracts/submission-file.ts';
import { ensureSampleAccount } from '../domain/accounts.ts';
import { publishRubric } from '../domain/challenges.ts';
import type { Installation } from '../domain/installation.ts';
import { createSubmission } from '../domain/submissions.ts';
import { loadRubric } from '../rubrics/load.ts';
import { publishable } from '../rubrics/publishable.ts';
import type { WorkerDeps } from './deps.ts';

/**
 * Publishes every built-in challenge whose version is not yet known and submits its samples once. Runs at each start;
 * what is there already is left alone, so a start that was killed half-way goes on where it stopped.
 */
export async function loadLibrary(folder: string, deps: WorkerDeps, installation: Installation): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const loaded = await loadRubric(join(folder, entry.name));
    if (!loaded.ok) {
      const [first] = loaded.problems;
      throw new Error(
        `the built-in challenge "${entry.name}" does not load: ${first?.file}:${first?.line ?? ''} ${first?.path} ${first?.message}`,
      );
    }
    await publish(loaded, deps);
    await submitSamples(loaded, deps, installation);
  }
}

/** The files as they were hashed: read again, they might be others by now. */
type Loaded = Extract<Awaited<ReturnType<typeof loadRubric>>, { ok: true }>;

function bytesOf({ bytes, rubric }: Loaded, path: string): Uint8Array {
  const found = bytes.get(path);
  if (found === undefined) throw new Error(`${rubric.rubric.name} has no file ${path}`);
  return found;
}

async function publish({ rubric }: Loaded, deps: WorkerDeps): Promise<void> {
  const published = await publishRubric(deps.db, deps.blobs, publishable(rubric));
  if (published.created) deps.log.info({ challenge: rubric.rubric.name, rubric: rubric.hash.slice(0, 12) }, 'built-in challenge published');
}

async function submitSamples(loaded: Loaded, deps: WorkerDeps, installation: Installation): Promise<void> {
  const { rubric } = loaded;
  const kinds = rubric.rubric.submission.map((form) => form.kind);
  for (const sample of rubric.rubric.samples) {
    const read = readSubmissionFile(sample.path, bytesOf(loaded, sample.path), kinds, acceptedLanguages(rubric.rubric.submission));
    if (!read.ok) throw new Error(`the sample ${rubric.rubric.name}/${sample.path} cannot be read: ${read.problem}`);
    const account = await ensureSampleAccount(deps.db, `sample: ${sample.title}`);
    const created = await createSubmission(deps.db, deps.blobs, installation, {
      account,
      slug: rubric.rubric.name,
      ...(sample.phase === undefined ? {} : { phase: sample.phase }),
      title: sample.title,
      document: read.document,
      sample: true,
      // One evaluation per sample and rubric version, however often the server starts.
      idempotencyKey: createHash('sha256').update(`${rubric.hash}\0${sample.path}`).digest('hex'),
    });
    if (!created.ok) throw new Error(`the sample ${rubric.rubric.name}/${sample.path} was refused: ${created.message}`);
    if (created.created) await deps.queues.publish(queueName.screen, { evaluationId: created.evaluationId });
  }
}
