/*
 * A small, safe part of Markdown for README files that strangers write: headings, paragraphs, lists, quotes, tables,
 * code blocks, and inside them code, bold, italics and http(s) links. Everything else stays as typed. The result is data;
 * nothing of it ever becomes HTML, so there is nothing to sanitise. Every pattern is bounded or linear: a README of a
 * megabyte of "[" costs a megabyte of scanning.
 */
export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'strong'; text: string }
  | { kind: 'emphasis'; text: string }
  | { kind: 'link'; text: string; href: string };

/** `children` are the bullets of a list inside the item; deeper ones are shown at that depth too. */
export interface ListItem {
  inline: Inline[];
  children: Inline[][];
}

export type Block =
  | { kind: 'heading'; level: number; inline: Inline[] }
  | { kind: 'paragraph'; inline: Inline[] }
  | { kind: 'quote'; inline: Inline[] }
  | { kind: 'list'; ordered: boolean; items: ListItem[] }
  | { kind: 'table'; head: Inline[][]; rows: Inline[][][] }
  | { kind: 'code'; text: string };

const fence = /^ {0,3}(`{3,}|~{3,})/;
const heading = /^(#{1,6}) +(.*)$/;
const bullet = /^ {0,9}[-*+] +(.*)$/;
const numbered = /^ {0,9}\d{1,4}[.)] +(.*)$/;
const tableRule = /^\|?[ :|-]{3,1000}$/;

/** Blocks of a README in order. Lines are joined as Markdown does; an unclosed code block runs to the end. */
export function parseMarkdown(source: string): Block[] {
  const lines = source.replaceAll('\r\n', '\n').split('\n');
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const taken = takeBlock(lines, at);
    if (taken.block) blocks.push(taken.block);
    at = taken.next;
  }
  return blocks;
}

interface Taken {
  block: Block | null;
  next: number;
}

function takeBlock(lines: readonly string[], at: number): Taken {
  const line = lines[at] ?? '';
  if (line.trim() === '') return { block: null, next: at + 1 };
  const open = fence.exec(line);
  if (open) return takeCode(lines, at, open[1] ?? '```');
  const title = heading.exec(line);
  if (title) return { block: { kind: 'heading', level: (title[1] ?? '#').length, inline: parseInline(title[2] ?? '') }, next: at + 1 };
  if (bullet.test(line) || numbered.test(line)) return takeList(lines, at);
  if (line.includes('|') && tableRule.test(lines[at + 1] ?? '') && (lines[at + 1] ?? '').includes('-')) return takeTable(lines, at);
  if (line.startsWith('>')) return takeQuote(lines, at);
  return takeParagraph(lines, at);
}

function takeCode(lines: readonly string[], at: number, mark: string): Taken {
  let end = at + 1;
  while (end < lines.length && !(lines[end] ?? '').trimStart().startsWith(mark)) end++;
  return { block: { kind: 'code', text: lines.slice(at + 1, end).join('\n') }, next: end + 1 };
}

function takeList(lines: readonly string[], at: number): Taken {
  const ordered = numbered.test(lines[at] ?? '');
  const indent = indentOf(lines[at] ?? '');
  const items: { text: string; children: string[] }[] = [];
  let end = at;
  for (; end < lines.length; end++) {
    const line = lines[end] ?? '';
    const item = (bullet.exec(line) ?? numbered.exec(line))?.[1];
    const last = items.at(-1);
    if (item !== undefined && indentOf(line) <= indent + 1) {
      if (numbered.test(line) !== ordered) break;
      items.push({ text: item, children: [] });
    } else if (last === undefined || indentOf(line) <= indent || line.trim() === '') break;
    else if (item !== undefined) last.children.push(item);
    else if (last.children.length > 0) last.children.push(`${last.children.pop()} ${line.trim()}`);
    else last.text += ` ${line.trim()}`;
  }
  const parsed = items.map(({ text, children }) => ({ inline: parseInline(text), children: children.map(parseInline) }));
  return { block: { kind: 'list', ordered, items: parsed }, next: end };
}

const indentOf = (line: string): number => line.length - line.trimStart().length;

function takeTable(lines: readonly string[], at: number): Taken {
  const cells = (line: string) =>
    line
      .trim()
      .replace(/^\|/, '')
      .replace(/\|$/, '')
      .split('|')
      .map((cell) => parseInline(cell.trim()));
  let end = at + 2;
  while (end < lines.length && (lines[end] ?? '').includes('|')) end++;
  return { block: { kind: 'table', head: cells(lines[at] ?? ''), rows: lines.slice(at + 2, end).map(cells) }, next: end };
}

function takeQuote(lines: readonly string[], at: number): Taken {
  let end = at;
  while (end < lines.length && (lines[end] ?? '').startsWith('>')) end++;
  const text = lines.slice(at, end).map((line) => line.replace(/^> ?/, ''));
  return { block: { kind: 'quote', inline: parseInline(text.join(' ')) }, next: end };
}

function takeParagraph(lines: readonly string[], at: number): Taken {
  let end = at + 1;
  while (end < lines.length && !startsBlock(lines[end] ?? '')) end++;
  const text = lines.slice(at, end).map((line) => line.trim());
  return { block: { kind: 'paragraph', inline: parseInline(text.join(' ')) }, next: end };
}

const startsBlock = (line: string): boolean =>
  line.trim() === '' || fence.test(line) || heading.test(line) || bullet.test(line) || numbered.test(line) || line.startsWith('>');

const inlinePattern =
  /`([^`]{1,2000})`|\*\*([^*]{1,1000})\*\*|\*([^*\s][^*]{0,500})\*|(?<![A-Za-z0-9_])_([^_\s][^_]{0,500})_(?![A-Za-z0-9_])|\[([^[\]]{1,500})\]\((https?:\/\/[^\s()<>"]{1,1000})\)|(https?:\/\/[^\s()<>"'`]{1,1000}[^\s()<>"'`.,;:!?])/g;

/** The parts of one line of prose. Only http and https addresses become links; `javascript:` stays text. */
export function parseInline(text: string): Inline[] {
  const parts: Inline[] = [];
  let end = 0;
  for (const match of text.matchAll(inlinePattern)) {
    if (match.index > end) parts.push({ kind: 'text', text: text.slice(end, match.index) });
    const [whole, code, strong, starred, underlined, label, href, bare] = match;
    const emphasis = starred ?? underlined;
    if (code !== undefined) parts.push({ kind: 'code', text: code });
    else if (strong !== undefined) parts.push({ kind: 'strong', text: strong });
    else if (emphasis !== undefined) parts.push({ kind: 'emphasis', text: emphasis });
    else parts.push({ kind: 'link', text: label ?? bare ?? whole, href: href ?? bare ?? whole });
    end = match.index + whole.length;
  }
  if (end < text.length) parts.push({ kind: 'text', text: text.slice(end) });
  return parts;
}
