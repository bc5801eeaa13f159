import { Fragment, type ReactNode, useMemo } from 'react';
import { type Block, type Inline, parseMarkdown } from './markdown-parse.ts';
import { ScrollRegion } from './scroll-region.tsx';
import { TextBlock } from './text-block.tsx';
import { VisibleText } from './visible-text.tsx';

/** Untrusted Markdown as React nodes. Headings start below the page's own; `skipTitle` drops a first heading that repeats it. */
export function Markdown({ source, skipTitle }: { source: string; skipTitle?: boolean }) {
  const blocks = useMemo(() => parseMarkdown(source), [source]);
  const shown = skipTitle && blocks[0]?.kind === 'heading' && blocks[0].level === 1 ? blocks.slice(1) : blocks;
  return (
    <div className="prose">
      {keyed(shown).map(([key, block]) => (
        <BlockView key={key} block={block} />
      ))}
    </div>
  );
}

/** Blocks and parts never move once parsed, so their place is their key. */
const keyed = <T,>(list: readonly T[]): [string, T][] => list.map((item, place) => [`at-${place}`, item]);

function BlockView({ block }: { block: Block }): ReactNode {
  switch (block.kind) {
    case 'heading':
      return <Heading level={block.level}>{inlines(block.inline)}</Heading>;
    case 'paragraph':
      return <p>{inlines(block.inline)}</p>;
    case 'quote':
      return <blockquote>{inlines(block.inline)}</blockquote>;
    case 'code':
      return <TextBlock label="Code" text={block.text} />;
    case 'list': {
      const items = keyed(block.items).map(([key, item]) => (
        <li key={key}>
          {inlines(item.inline)}
          {item.children.length > 0 && (
            <ul>
              {keyed(item.children).map(([childKey, child]) => (
                <li key={childKey}>{inlines(child)}</li>
              ))}
            </ul>
          )}
        </li>
      ));
      return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
    }
    case 'table':
      return <TableView head={block.head} rows={block.rows} />;
  }
}

function Heading({ level, children }: { level: number; children: ReactNode }) {
  if (level <= 2) return <h2>{children}</h2>;
  if (level === 3) return <h3>{children}</h3>;
  return <h4>{children}</h4>;
}

function TableView({ head, rows }: { head: Inline[][]; rows: Inline[][][] }) {
  return (
    <ScrollRegion className="table-frame" label="Table">
      <table className="table">
        <thead>
          <tr>
            {keyed(head).map(([key, cell]) => (
              <th key={key} scope="col">
                {inlines(cell)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {keyed(rows).map(([key, row]) => (
            <tr key={key}>
              {keyed(row).map(([cellKey, cell]) => (
                <td key={cellKey}>{inlines(cell)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

const inlines = (parts: readonly Inline[]): ReactNode => keyed(parts).map(([key, part]) => <Fragment key={key}>{inline(part)}</Fragment>);

function inline(part: Inline): ReactNode {
  switch (part.kind) {
    case 'text':
      return <VisibleText text={part.text} />;
    case 'code':
      return (
        <code>
          <VisibleText text={part.text} />
        </code>
      );
    case 'strong':
      return (
        <strong>
          <VisibleText text={part.text} />
        </strong>
      );
    case 'emphasis':
      return (
        <em>
          <VisibleText text={part.text} />
        </em>
      );
    case 'link':
      return <OutsideLink href={part.href}>{part.text}</OutsideLink>;
  }
}

/** A link to another site: it says where it goes, passes no referrer and no rank. */
export function OutsideLink({ href, children }: { href: string; children: string }) {
  const host = URL.canParse(href) ? new URL(href).host : null;
  const safe = /^https?:\/\//i.test(href);
  if (!safe || host === null) return <VisibleText text={children} />;
  return (
    <>
      <a href={href} rel="nofollow noopener noreferrer ugc">
        <VisibleText text={children} />
      </a>
      {!children.includes(host) && <span className="muted"> ({host})</span>}
    </>
  );
}
