import { describe, expect, it } from 'vitest';
import { parseInline, parseMarkdown } from './markdown-parse.ts';

describe('parseMarkdown', () => {
  it('reads the blocks a README uses', () => {
    const blocks = parseMarkdown(
      '# Title\n\nTwo lines\nof prose\n\n- one\n  more\n- two\n\n1. a\n2. b\n\n```py\n# code\n```\n\n> said\n\n| a | b |\n|---|---|\n| 1 | 2 |\n',
    );
    expect(blocks.map((block) => block.kind)).toEqual(['heading', 'paragraph', 'list', 'list', 'code', 'quote', 'table']);
    expect(blocks[1]).toEqual({ kind: 'paragraph', inline: [{ kind: 'text', text: 'Two lines of prose' }] });
    expect(blocks[2]).toMatchObject({ ordered: false, items: [{ inline: [{ text: 'one more' }] }, { inline: [{ text: 'two' }] }] });
    expect(blocks[4]).toEqual({ kind: 'code', text: '# code' });
    expect(blocks[6]).toMatchObject({ head: [[{ text: 'a' }], [{ text: 'b' }]], rows: [[[{ text: '1' }], [{ text: '2' }]]] });
  });

  it('keeps bullets inside an item', () => {
    const [list] = parseMarkdown('1. topics:\n   - _a_ one\n     more\n   - two\n2. next\n');
    expect(list).toEqual({
      kind: 'list',
      ordered: true,
      items: [
        {
          inline: [{ kind: 'text', text: 'topics:' }],
          children: [
            [
              { kind: 'emphasis', text: 'a' },
              { kind: 'text', text: ' one more' },
            ],
            [{ kind: 'text', text: 'two' }],
          ],
        },
        { inline: [{ kind: 'text', text: 'next' }], children: [] },
      ],
    });
    expect(parseInline('a snake_case_name')).toEqual([{ kind: 'text', text: 'a snake_case_name' }]);
  });

  it('keeps HTML as the text it is', () => {
    expect(parseMarkdown('<img src=x onerror=alert(1)>')).toEqual([
      { kind: 'paragraph', inline: [{ kind: 'text', text: '<img src=x onerror=alert(1)>' }] },
    ]);
  });

  it('lets an unclosed code block run to the end', () => {
    expect(parseMarkdown('```\nx\n\ny')).toEqual([{ kind: 'code', text: 'x\n\ny' }]);
  });
});

describe('parseInline', () => {
  it('makes links of http and https addresses only', () => {
    expect(parseInline('see [paper](https://example.org/a) or https://example.org/b.')).toEqual([
      { kind: 'text', text: 'see ' },
      { kind: 'link', text: 'paper', href: 'https://example.org/a' },
      { kind: 'text', text: ' or ' },
      { kind: 'link', text: 'https://example.org/b', href: 'https://example.org/b' },
      { kind: 'text', text: '.' },
    ]);
    for (const bad of ['[x](javascript:alert(1))', '[x](data:text/html,y)', '[x](//evil)', '[x](vbscript:y)']) {
      expect(parseInline(bad).some((part) => part.kind === 'link')).toBe(false);
    }
  });

  it('reads code, bold and italics', () => {
    expect(parseInline('`a` **b** *c*').filter((part) => part.kind !== 'text')).toEqual([
      { kind: 'code', text: 'a' },
      { kind: 'strong', text: 'b' },
      { kind: 'emphasis', text: 'c' },
    ]);
  });

  it('stays linear on text made to be slow', () => {
    const started = performance.now();
    for (const piece of ['[', '`', '**a', '[a](', 'https://', '*a ', ' _a']) parseInline(piece.repeat(40_000));
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});
