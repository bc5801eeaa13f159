import type { CaseView } from '../../../contracts/api.ts';
import { paths } from '../../../contracts/paths.ts';
import { formatBytes } from '../components/format.ts';
import { ShortHash } from '../components/hash.tsx';
import { VisibleText } from '../components/visible-text.tsx';

/** Files that a case left behind. A program made them, so they are offered as downloads and never shown. */
export function Artifacts({ evaluationId, view }: { evaluationId: string; view: CaseView }) {
  if (view.artifacts.length === 0) return null;
  return (
    <section>
      <h3>Files it left behind</h3>
      <p className="muted">Made by the submitted program and checked by nobody: open them with care.</p>
      <ul className="artifacts">
        {view.artifacts.map(({ path, sha256, bytes }, index) => (
          <li key={path}>
            <a href={paths.artifact(evaluationId, view.caseId, view.trial, index)} download>
              <VisibleText text={path} />
            </a>{' '}
            <span className="numbers muted">{formatBytes(bytes)}</span> <ShortHash hash={sha256} />
          </li>
        ))}
      </ul>
    </section>
  );
}
