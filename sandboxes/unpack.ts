import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { RiskTier } from '../contracts/risk-tier.ts';
import type { CaseRun, Language, Limits, ModelDoor, ProgramFile, Runtime, SandboxDriver } from '../contracts/sandbox.ts';
import { maxArchiveBytes } from '../contracts/submission.ts';

/**
 * Archives of participants are opened here and nowhere else. Theory of operation: a throw-away sandbox is opened with a
 * program of ours (unpack.py); the archive goes in as the input of its only case and the files come back as its answer.
 * Whoever takes that program over through its archive is inside a sandbox that holds nothing else, and what it then
 * answers is held against the same rules again: names, kinds, counts and sizes are decided by this file. A taken-over
 * unpacker is only another participant.
 *
 * The sandbox needs the image of profile `python`, whatever language the program is in.
 */
export interface UnpackOptions {
  /** Names the sandbox in labels. */
  id: string;
  /** A zip, tar or tar.gz in base64. */
  archive: string;
  /** The language that was asked for: its entry file must be there. */
  language: Language;
  /** Most bytes of all files together, at most `maxArchiveBytes`. */
  limits: { maxBytes: number };
  /** As for the program itself: hostile bytes are read where hostile code may run. */
  runtime?: Runtime | undefined;
  riskTier?: RiskTier;
  /** No case is entered, so nobody answers behind it. */
  door: ModelDoor;
  signal: AbortSignal;
}

export type Unpacked =
  | { ok: true; language: Language; source: string; files: ProgramFile[] }
  | { ok: false; fault: 'participant' | 'platform'; message: string };

const program = readFileSync(new URL('./unpack.py', import.meta.url), 'utf8');

/** As many files as a sandbox takes, and room for folders and what systems add by themselves. */
const mostFiles = 500;
export const mostEntries = 1_000;
const entryFiles = { javascript: 'main.mjs', python: 'main.py' } as const satisfies Record<Language, string>;

/** A path in a program: relative, visible, no way out of its folder, one meaning on every system. */
const programPath = /^(?!.*(^|\/)\.)[A-Za-z0-9._-]{1,100}(\/[A-Za-z0-9._-]{1,100}){0,7}$/;
const longestPath = 200;

/** What is said to the participant; `of` names the entry. */
const faults = {
  entries: () => `it has more than ${mostEntries} entries, or its directory is larger than that many need`,
  bytes: (of: string) => `${of} makes it larger than the challenge accepts once unpacked`,
  ratio: (of: string) => `${of} unpacks to more than a hundred times the archive's size`,
  name_length: (of: string) => `the name of ${of} is empty or longer than ${longestPath} characters`,
  absolute: (of: string) => `${of} has an absolute path, a drive or a backslash in its name`,
  parent: (of: string) => `${of} leads out of its folder by ".."`,
  depth: (of: string) => `${of} lies more than 7 folders deep`,
  name: (of: string) => `the name of ${of} is not accepted: letters, digits, ".", "_" and "-" only`,
  twice: (of: string) => `${of} is there twice, or differs from another name only in upper and lower case`,
  file_as_folder: (of: string) => `${of} needs one name to be a file and a folder`,
  link: (of: string) => `${of} is a link; only regular files and folders are accepted`,
  special: (of: string) => `${of} is neither a regular file nor a folder`,
  encrypted: (of: string) => `${of} is encrypted`,
  method: (of: string) => `${of} is packed by another method than "store" or "deflate"`,
  nested: (of: string) => `${of} is an archive or a compressed file itself; unpack it first`,
  lie: (of: string) => `${of} is not what the archive says about it: its sizes, its checksum or its two headers disagree`,
  layout: (of: string) =>
    `${of} does not lie where the archive's own directory says, overlaps another, or there are bytes that belong to none`,
  trailing: () => 'something follows after its end',
  damaged: (of: string) => `${of} cannot be read: it is damaged or cut off`,
  unknown: () => 'it is neither a zip nor a tar or tar.gz',
} as const satisfies Record<string, (of: string) => string>;
type FaultCode = keyof typeof faults;

const Base64 = z.string().refine((text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text));
const Answer = z.union([
  z.strictObject({ files: z.array(z.tuple([z.string().regex(programPath).max(longestPath), Base64])).max(mostFiles) }),
  z.strictObject({ fault: z.enum(Object.keys(faults) as [FaultCode, ...FaultCode[]]), entry: z.string().max(longestPath) }),
]);

/** Opens a sandbox, unpacks one archive in it and throws it away. Never rejects because of what is in the archive. */
export async function unpackArchive(driver: SandboxDriver, options: UnpackOptions): Promise<Unpacked> {
  const { id, archive, limits, runtime, riskTier, door, signal } = options;
  const opened = await driver.open({
    id,
    profile: 'python',
    program: { language: 'python', source: program },
    limits: unpackLimits(limits.maxBytes),
    runtime,
    ...(riskTier === undefined ? {} : { riskTier }),
    door,
    signal,
  });
  if (!opened.ok) return platform(`the sandbox that unpacks archives could not be opened: ${opened.message}`);
  await using sandbox = opened.sandbox;
  const input = { archive, bytes: limits.maxBytes, entries: mostEntries };
  return readUnpacked(await sandbox.run({ id: 'unpack', input, target: null }, signal), options);
}

/** Two sizes of sandbox and not one per rubric: containers that wait in the pool are told apart by their limits. */
const usualBytes = 262_144;

/** What unpacking may use. Its answer is all files in base64 with their names, its memory a few copies of that. */
function unpackLimits(maxBytes: number): Limits {
  const most = maxBytes <= usualBytes ? usualBytes : maxArchiveBytes;
  const answerBytes = Math.ceil((most * 4) / 3) + mostFiles * (longestPath + 16);
  return {
    wallMs: 20_000,
    cpuMs: 10_000,
    memoryBytes: 134_217_728,
    processes: 8,
    outputBytes: 16_384,
    answerBytes,
    diskBytes: 65_536,
    diskInodes: 16,
    openFiles: 32,
    outputBytesPerSecond: 65_536,
    artifacts: { files: 0, bytes: 0, depth: 0 },
  };
}

/** Makes a program of what the sandbox answered. Exported for its test: nothing that comes back is believed. */
export function readUnpacked(run: CaseRun, { language, limits }: Pick<UnpackOptions, 'language' | 'limits'>): Unpacked {
  switch (run.kind) {
    case 'error':
      return platform(`the archive could not be unpacked: ${run.message}`);
    case 'limit':
      return participant(`it takes more to unpack than any honest archive: ${run.limit}`);
    case 'fault':
      return participant('reading it failed');
    case 'answer':
      break;
  }
  const answer = Answer.safeParse(run.answer).data;
  if (answer === undefined) return participant('what is in it is not a program that can be taken');
  if ('fault' in answer) return participant(faults[answer.fault](answer.entry === '' ? 'something in it' : shown(answer.entry)));
  const files = answer.files.map(([path, data]): ProgramFile => ({ path, bytes: Buffer.from(data, 'base64') }));
  const total = files.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  if (total > limits.maxBytes) return participant(`it has ${total} bytes unpacked, at most ${limits.maxBytes} are accepted`);
  const names = namesOf(files);
  if (names.clash !== null) return participant(faults.twice(shown(names.clash)));
  if (names.count > mostEntries) return participant(faults.entries());
  return programOf(files, language);
}

/** How many files and folders there are, and the first path that is there twice, differs from another only in case, or is a file and a folder. */
function namesOf(files: readonly ProgramFile[]): { count: number; clash: string | null } {
  const names = new Set<string>();
  const folders = new Map<string, string>();
  for (const { path } of files) {
    if (names.has(path.toLowerCase())) return { count: 0, clash: path };
    names.add(path.toLowerCase());
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
      const folder = path.slice(0, at);
      if ((folders.get(folder.toLowerCase()) ?? folder) !== folder) return { count: 0, clash: path };
      folders.set(folder.toLowerCase(), folder);
    }
  }
  const clash = files.find(({ path }) => folders.has(path.toLowerCase()))?.path ?? null;
  return { count: names.size + folders.size, clash };
}

function programOf(files: readonly ProgramFile[], language: Language): Unpacked {
  const entry = entryFiles[language];
  const inside = withoutOnlyFolder(files, entry);
  const main = inside.find(({ path }) => path === entry);
  if (main === undefined) {
    const other = inside.some(({ path }) => path === entryFiles[language === 'python' ? 'javascript' : 'python']);
    const hint = other ? ', but that of the other language: submit it as that' : '';
    return participant(`it holds no ${entry} at its top or in its only folder${hint}`);
  }
  let source: string;
  try {
    source = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(main.bytes);
  } catch {
    return participant(`${entry} is not UTF-8 text`);
  }
  return { ok: true, language, source, files: inside.filter((file) => file !== main) };
}

/** People pack a folder, not what is in it. */
function withoutOnlyFolder(files: readonly ProgramFile[], entry: string): readonly ProgramFile[] {
  const folder = files[0]?.path.split('/')[0];
  const prefix = `${folder}/`;
  if (folder === undefined || files.some(({ path }) => path === entry || !path.startsWith(prefix))) return files;
  return files.map(({ path, bytes }) => ({ path: path.slice(prefix.length), bytes }));
}

/** Names are a participant's: plain ASCII in quotes, cut. */
const shown = (entry: string): string => JSON.stringify(entry.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 100));

const participant = (what: string): Unpacked => ({ ok: false, fault: 'participant', message: `The archive is not accepted: ${what}.` });
const platform = (message: string): Unpacked => ({ ok: false, fault: 'platform', message });
