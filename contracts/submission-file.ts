import { parseBoundedJson } from './json.ts';
import type { Language } from './sandbox.ts';
import { maxArchiveBytes, SubmissionDocument, type SubmissionKind } from './submission.ts';

export type ReadSubmission =
  | { ok: true; document: SubmissionDocument }
  | { ok: false; problem: string; errors: { path: string; message: string }[] };

/** The largest file that is looked at; more than any form accepts. */
export const maxFileBytes = 16_777_216;
const maxDepth = 32;
/** Far above the 5,000 or so answers that the largest built-in challenge asks for; see `JsonBounds.maxValues`. */
export const maxSubmissionValues = 100_000;

/** First bytes of what packs files, and whether it is unpacked (in a sandbox that is thrown away, sandboxes/unpack.ts). */
const packed: readonly { name: string; magic: readonly number[]; accepted: boolean }[] = [
  { name: 'zip', magic: [0x50, 0x4b, 0x03, 0x04], accepted: true },
  { name: 'zip without entries', magic: [0x50, 0x4b, 0x05, 0x06], accepted: false },
  { name: 'zip in parts', magic: [0x50, 0x4b], accepted: false },
  { name: 'gzip', magic: [0x1f, 0x8b], accepted: true },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a], accepted: false },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], accepted: false },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68], accepted: false },
  { name: '7z', magic: [0x37, 0x7a, 0xbc, 0xaf], accepted: false },
];

/** What an archive of this kind is called and whether programs may come in it; null when the bytes are none. Looks at the first bytes only. */
export function archiveKind(bytes: Uint8Array): { name: string; accepted: boolean } | null {
  const found = packed.find(({ magic }) => magic.every((byte, i) => bytes[i] === byte));
  return found ?? (isTar(bytes) ? { name: 'tar', accepted: true } : null);
}

/** How many first bytes `archiveKind` looks at. */
export const archiveHeadBytes = 512;

/**
 * Turns an uploaded file into a submission document, by its name and by what the challenge accepts:
 * `.js`, `.mjs` and `.py` are programs; `.zip`, `.tar`, `.tar.gz` and `.tgz` are programs of several files; `.txt` and
 * `.md` are a defence's system prompt, or a report where the challenge takes reports only (`readReport`); `.json` is a whole document (it has our `kind`) or the bare map of answers or
 * prompts. An archive stays closed: on this side only its first bytes and its size are looked at.
 *
 * @param languages what an archive may be written in: the one that was asked for, else those the challenge takes
 */
export function readSubmissionFile(
  name: string,
  bytes: Uint8Array,
  accepted: readonly SubmissionKind[],
  languages: readonly Language[] = [],
): ReadSubmission {
  const archive = archiveKind(bytes);
  const isNamedArchive = /\.(zip|tar|tar\.gz|tgz)$/i.test(name);
  if (archive !== null || isNamedArchive) return readArchive(bytes, archive, isNamedArchive, accepted, languages);
  if (bytes.byteLength > maxFileBytes) return refuse(`the file has ${bytes.byteLength} bytes, at most ${maxFileBytes} are accepted`);
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  if (extension === 'json') return readJson(bytes, accepted);
  const text = decode(bytes);
  if (text === undefined) return refuse('the file is not valid UTF-8 text');
  if (extension === 'js' || extension === 'mjs') return check({ kind: 'program', language: 'javascript', source: text });
  if (extension === 'py') return check({ kind: 'program', language: 'python', source: text });
  if ((extension === 'txt' || extension === 'md') && accepted.includes('report') && !accepted.includes('defence'))
    return check(readReport(text));
  if (extension === 'txt' || extension === 'md') return check({ kind: 'defence', systemPrompt: text });
  return refuse(`".${extension}" is not a kind of file that can be submitted; use ${fileEndings}`);
}

/** For people: the endings of files that can be submitted. */
export const fileEndings = '.json, .js, .mjs, .py, .zip, .tar, .tar.gz, .tgz, .txt or .md';

/**
 * A report from Markdown: the first line is its title, with or without `#`; from every line `## Evidence: name` to the
 * next such line is one piece of evidence; the rest is the body.
 */
function readReport(text: string): unknown {
  const [first = '', ...lines] = text.replace(/^\s+/, '').split(/\r?\n/);
  const body: string[] = [];
  const evidence: { title: string; lines: string[] }[] = [];
  for (const line of lines) {
    const head = /^## Evidence: *(.*)$/.exec(line);
    if (head) evidence.push({ title: head[1] ?? '', lines: [] });
    else (evidence.at(-1)?.lines ?? body).push(line);
  }
  return {
    kind: 'report',
    title: first.replace(/^#+ */, ''),
    body: body.join('\n').trim(),
    evidence: evidence.map((piece) => ({ title: piece.title, text: piece.lines.join('\n').trim() })),
  };
}

function readArchive(
  bytes: Uint8Array,
  archive: ReturnType<typeof archiveKind>,
  isNamed: boolean,
  accepted: readonly SubmissionKind[],
  languages: readonly Language[],
): ReadSubmission {
  if (archive === null)
    return refuse('the file is called an archive, but its first bytes are neither those of a zip nor of a tar or tar.gz');
  if (!archive.accepted) return refuse(`the file is a ${archive.name} archive; pack the program as .zip, .tar or .tar.gz`);
  if (!isNamed) return refuse(`the file is a ${archive.name} archive, but its name does not say so: call it .zip, .tar, .tar.gz or .tgz`);
  if (!accepted.includes('program'))
    return refuse('only programs may come as archives, and this challenge takes none; send the single file itself');
  if (bytes.byteLength > maxArchiveBytes)
    return refuse(`the archive has ${bytes.byteLength} bytes, at most ${maxArchiveBytes} are accepted`);
  const [language, another] = languages;
  if (language === undefined || another !== undefined)
    return refuse(
      'it must be said which language the archive holds, javascript (main.mjs) or python (main.py), because nobody looks into it here; in commands with --language',
    );
  return check({ kind: 'program', language, archive: base64(bytes) });
}

/** In pieces: the function takes its bytes as arguments, and a call holds only so many. Browsers have no Buffer. */
function base64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.byteLength; at += 8192) parts.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  return btoa(parts.join(''));
}

function readJson(bytes: Uint8Array, accepted: readonly SubmissionKind[]): ReadSubmission {
  const parsed = parseBoundedJson(bytes, { maxBytes: maxFileBytes, maxDepth, maxValues: maxSubmissionValues });
  if (!parsed.ok) return refuse(`the file ${parsed.problem}`);
  const value = parsed.value;
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    if (SubmissionDocument.options.some((option) => option.shape.kind.value === value.kind)) return check(value);
    if (accepted.includes('answers')) return check({ kind: 'answers', answers: value });
    if (accepted.includes('prompts')) return check({ kind: 'prompts', prompts: value });
  }
  return refuse('the JSON file must be an object: a whole submission with "kind", or a map from case key to answer or prompt');
}

function check(value: unknown): ReadSubmission {
  const parsed = SubmissionDocument.safeParse(value);
  if (parsed.success) return { ok: true, document: parsed.data };
  const errors = parsed.error.issues.slice(0, 20).map((issue) => ({ path: issue.path.join('/'), message: issue.message }));
  return { ok: false, problem: 'the submission does not have the shape its kind asks for', errors };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function isTar(bytes: Uint8Array): boolean {
  return bytes.byteLength > 262 && new TextDecoder('latin1').decode(bytes.subarray(257, 262)) === 'ustar';
}

const refuse = (problem: string): ReadSubmission => ({ ok: false, problem, errors: [] });
