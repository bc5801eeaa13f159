import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useRouterState } from '@tanstack/react-router';
import { useEffect } from 'react';
import type { RubricSource } from '../../../contracts/api.ts';
import { rubricSourceQuery } from '../api/queries.ts';
import { formatBytes } from '../components/format.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { RowsSkeleton } from '../components/rows-skeleton.tsx';
import { ScrollRegion } from '../components/scroll-region.tsx';
import { VisibleText } from '../components/visible-text.tsx';

type SourceFile = RubricSource['files'][number];
const shownLines = 500;

/** The files of a rubric with numbered lines that can be linked to. Hidden cases are never among them. */
export function RubricFiles({ slug }: { slug: string }) {
  const query = useQuery(rubricSourceQuery(slug));
  const hash = useRouterState({ select: (state) => state.location.hash });
  const loaded = query.data !== undefined;
  useEffect(() => {
    if (loaded && hash) document.getElementById(hash)?.scrollIntoView({ block: 'center' });
  }, [loaded, hash]);
  if (query.error) return <ProblemNotice error={query.error} what="The source could not be loaded." onRetry={() => void query.refetch()} />;
  if (!query.data) return <RowsSkeleton rows={3} height={120} label="Loading the source" />;
  return (
    <div className="source-files">
      {query.data.files.map((file) => (
        <File key={file.path} file={file} slug={slug} anchor={hash} />
      ))}
    </div>
  );
}

/** The anchor of a line: `file-rubric.yaml-L12`. */
const anchorOf = (path: string, line: number): string => `file-${path}-L${line}`;

function File({ file, slug, anchor }: { file: SourceFile; slug: string; anchor: string }) {
  const linked = anchor.startsWith(`file-${file.path}-L`);
  const open = linked || file.path === 'rubric.yaml';
  return (
    <details className="source-file" open={open}>
      <summary>
        <code>
          <VisibleText text={file.path} />
        </code>{' '}
        <span className="muted numbers">{formatBytes(file.bytes)}</span>
      </summary>
      {file.text === null ? (
        <p className="muted">Not shown: it is not text, or it is too large.</p>
      ) : (
        <Lines path={file.path} text={file.text} slug={slug} anchor={anchor} />
      )}
    </details>
  );
}

function Lines({ path, text, slug, anchor }: { path: string; text: string; slug: string; anchor: string }) {
  const { source } = getRouteApi('/challenges/$slug').useSearch();
  const all = text.replace(/\n$/, '').split('\n');
  const wanted = Number(/-L(\d+)$/.exec(anchor)?.[1] ?? 0);
  const lines = all
    .slice(0, Math.max(shownLines, anchor.startsWith(`file-${path}-L`) ? wanted + 20 : 0))
    .map((line, at) => ({ line, number: at + 1 }));
  return (
    <ScrollRegion className="code-block source" label={path}>
      <ol>
        {lines.map(({ line, number }) => (
          <li key={number} id={anchorOf(path, number)} className={anchorOf(path, number) === anchor ? 'line-linked' : undefined}>
            <Link
              className="line-number"
              to="/challenges/$slug"
              params={{ slug }}
              search={{ tab: 'rubric', ...(source ? { source } : {}) }}
              hash={anchorOf(path, number)}
              preload={false}
              resetScroll={false}
              tabIndex={-1}
              aria-label={`Line ${number}`}
            >
              {number}
            </Link>
            <span className="line-text">
              <VisibleText text={line} />
            </span>
          </li>
        ))}
      </ol>
      {all.length > lines.length && <p className="muted">{all.length - lines.length} more lines are not shown.</p>}
    </ScrollRegion>
  );
}
