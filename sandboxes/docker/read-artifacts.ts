import { z } from 'zod';
import { parseBoundedJson } from '../../contracts/json.ts';
import type { Artifact, Limits } from '../../contracts/sandbox.ts';

const Collected = z.strictObject({ files: z.array(z.tuple([z.string(), z.string()])), leftOut: z.number().int().nonnegative() });

/** What a name may be made of: printable ASCII with one meaning on every system. */
const segment = /^[A-Za-z0-9 !#$%&'()+,\-.;=@[\]^_`{}~]{1,200}$/;
const longestPath = 200;

/**
 * Reads what the runner collected (sandboxes/images/runner/artifacts.py). That process ran as the program's user after
 * everything else was killed, but what it says is bounded here once more: a name or a size that breaks a rule is left
 * out and counted, text of another form is as if nothing had been there.
 */
export function readArtifacts(text: string | null, caps: Limits['artifacts']): { artifacts: Artifact[]; leftOut: number } {
  if (text === null) return { artifacts: [], leftOut: 0 };
  const bounds = { maxBytes: caps.files * 512 + Math.ceil((caps.bytes * 4) / 3) + 4096, maxDepth: 4 };
  const json = parseBoundedJson(Buffer.from(text), bounds);
  const parsed = Collected.safeParse(json.ok ? json.value : null);
  if (!parsed.success) return { artifacts: [], leftOut: 1 };
  const artifacts: Artifact[] = [];
  const seen = new Set<string>();
  let left = caps.bytes;
  let { leftOut } = parsed.data;
  for (const [path, data] of parsed.data.files) {
    const bytes = Buffer.from(data, 'base64');
    if (artifacts.length >= caps.files || bytes.length > left || seen.has(path) || !isAcceptable(path, caps.depth)) {
      leftOut += 1;
      continue;
    }
    seen.add(path);
    left -= bytes.length;
    artifacts.push({ path, bytes });
  }
  return { artifacts, leftOut };
}

function isAcceptable(path: string, depth: number): boolean {
  const parts = path.split('/');
  return (
    path.length <= longestPath && parts.length <= depth + 1 && parts.every((part) => segment.test(part) && part !== '.' && part !== '..')
  );
}
