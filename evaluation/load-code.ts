import type { SandboxDriver, SandboxProgram } from '../contracts/sandbox.ts';
import type { SubmissionDocument } from '../contracts/submission.ts';
import type { GatewaySession } from '../gateway/session.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';
import { unpackArchive } from '../sandboxes/unpack.ts';

/** `fault: 'participant'`: the submission itself is at fault, and trying again would end the same way. */
export type NotOpened = { ok: false; message: string; fault?: 'participant' };
export type LoadedCode = { ok: true; program: SandboxProgram } | NotOpened;

/** What a sandbox is to run; asked for once per split, done once per evaluation. */
export type LoadCode = () => Promise<LoadedCode>;

export interface LoadSetting {
  /** Names the sandbox that unpacks. */
  id: string;
  submission: SubmissionDocument;
  rubric: LoadedRubric;
  /** Most bytes of an archive's files together: the form's `maxBytes`. */
  maxBytes: number;
  drivers: readonly SandboxDriver[];
  session: GatewaySession;
  signal: AbortSignal;
}

/**
 * Makes of a submission what a sandbox takes. An archive is unpacked by the first driver that can, in a sandbox of its
 * own that is gone before any case runs; what came out of it is the same for every split.
 */
export function codeLoader(setting: LoadSetting): LoadCode {
  let loading: Promise<LoadedCode> | null = null;
  return () => {
    loading ??= load(setting);
    return loading;
  };
}

async function load({ submission, ...setting }: LoadSetting): Promise<LoadedCode> {
  if (submission.kind === 'image') return { ok: true, program: { image: submission.image } };
  if (submission.kind !== 'program') throw new Error(`a submission of kind "${submission.kind}" holds no code`);
  const { language, source, archive } = submission;
  if (source !== undefined) return { ok: true, program: { language, source } };
  if (archive === undefined) throw new Error('a program has neither a source nor an archive');
  const problems: string[] = [];
  for (const driver of setting.drivers.filter((one) => one.profiles.includes('python'))) {
    const { id, maxBytes, session, signal } = setting;
    const { rubric } = setting.rubric;
    const unpacked = await unpackArchive(driver, {
      ...{ id: `${id}-unpack`, archive, language, signal },
      ...{ runtime: rubric.sandbox?.runtime, riskTier: rubric.riskTier },
      limits: { maxBytes },
      door: session.sandboxDoor(),
    });
    if (unpacked.ok) return { ok: true, program: { language, source: unpacked.source, files: unpacked.files } };
    if (unpacked.fault === 'participant') return { ok: false, fault: 'participant', message: unpacked.message };
    problems.push(unpacked.message);
  }
  const why = problems.length > 0 ? problems.join('; ') : 'no sandbox driver of this machine offers it';
  return {
    ok: false,
    message: `Archives are unpacked in a sandbox of profile "python", whatever their language, and there is none here: ${why}`,
  };
}
