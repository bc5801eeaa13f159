import type { GateResult } from '../../contracts/gates.ts';
import { scanForSecrets } from '../../rubrics/gates/secret-scan.ts';
import type { LoadedRubric } from '../../rubrics/rubric.ts';

const gate = 'secret-scan';

/** No file of the rubric holds a credential. What is found is shown by place and first characters only. */
export function secretScanGate(rubric: LoadedRubric): GateResult[] {
  const { found, unread } = scanForSecrets(rubric.files.map(({ path }) => [path, rubric.bytes(path)] as const));
  const notRead = unread.length === 0 ? '' : `; not text and not looked into: ${unread.join(', ')}`;
  if (found.length === 0) {
    const read = rubric.files.length - unread.length;
    return [{ gate, ok: true, measured: read, detail: `no credential in ${read} text files${notRead}`, fix: '' }];
  }
  return found.map(({ file, line, what, shown }) => ({
    ...{ gate, ok: false, control: `${file}:${line}`, measured: shown },
    detail: `looks like ${what}`,
    fix: 'take it out and revoke it at its issuer: whoever downloads the rubric has it. If it is made up for the challenge, write EXAMPLE in the place of what looks drawn at random',
  }));
}
