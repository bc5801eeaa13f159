import { parseBoundedJson } from './json.ts';
import { SubmissionDocument, type SubmissionKind } from './submission.ts';

export type ReadSubmission =
  | { ok: true; document: SubmissionDocument }
  | { ok: false; problem: string; errors: { path: string; message: string }[] };

/** The largest file that is looked at; more than any form accepts. */
export const maxFileBytes = 16_777_216;
const maxDepth = 32;
/** Far above the 5,000 or so answers that the largest built-in challenge asks for; see `JsonBounds.maxValues`. */
export const maxSubmissionValues = 100_000;

const archives: [string, number[]][] = [
  ['zip', [0x50, 0x4b]],
  ['gzip', [0x1f, 0x8b]],
  ['xz', [0xfd, 0x37, 0x7a]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['7z', [0x37, 0x7a, 0xbc, 0xaf]],
];

/**
 * Turns an uploaded file into a submission document, by its name and by what the challenge accepts:
 * `.js`, `.mjs` and `.py` are programs; `.txt` and `.md` are a defence's system prompt; `.json` is a whole document
 * (it has our `kind`) or the bare map of answers or prompts. Archives are refused: nothing a stranger packed is
 * unpacked on this side.
 */
export function readSubmissionFile(name: string, bytes: Uint8Array, accepted: readonly SubmissionKind[]): ReadSubmission {
  const archive = archives.find(([, magic]) => magic.every((byte, i) => bytes[i] === byte)) ?? (isTar(bytes) ? ['tar'] : undefined);
  if (archive) return refuse(`the file is a ${archive[0]} archive; send the single file itself, archives are not opened`);
  if (bytes.byteLength > maxFileBytes) return refuse(`the file has ${bytes.byteLength} bytes, at most ${maxFileBytes} are accepted`);
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  if (extension === 'json') return readJson(bytes, accepted);
  const text = decode(bytes);
  if (text === undefined) return refuse('the file is not valid UTF-8 text');
  if (extension === 'js' || extension === 'mjs') return check({ kind: 'program', language: 'javascript', source: text });
  if (extension === 'py') return check({ kind: 'program', language: 'python', source: text });
  if (extension === 'txt' || extension === 'md') return check({ kind: 'defence', systemPrompt: text });
  return refuse(`".${extension}" is not a kind of file that can be submitted; use .json, .js, .mjs, .py, .txt or .md`);
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
