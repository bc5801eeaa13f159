import { describe, expect, it } from 'vitest';
import { splitVisible } from './visible-runs.ts';

describe('splitVisible', () => {
  it('leaves ordinary text, tabs, line ends and right-to-left letters alone', () => {
    const text = 'a\tb\nשלום é 🙂';
    expect(splitVisible(text)).toEqual([{ kind: 'text', text }]);
    expect(splitVisible('a\r\nb')).toEqual([{ kind: 'text', text: 'a\nb' }]);
  });

  it('names what would be invisible or turn the line round', () => {
    expect(splitVisible('a\u202Eb\u200B')).toEqual([
      { kind: 'text', text: 'a' },
      { kind: 'code-point', label: 'U+202E', title: 'U+202E RIGHT-TO-LEFT OVERRIDE', at: 1 },
      { kind: 'text', text: 'b' },
      { kind: 'code-point', label: 'U+200B', title: 'U+200B ZERO WIDTH SPACE', at: 3 },
    ]);
  });

  it('names every letter of a message hidden in the tag block', () => {
    const message = [...'hi'].map((letter) => String.fromCodePoint(0xe0000 + (letter.codePointAt(0) ?? 0))).join('');
    expect(splitVisible(message).map((run) => (run.kind === 'code-point' ? run.label : run.text))).toEqual(['U+E0068', 'U+E0069']);
  });

  it('shows terminal escapes and lone carriage returns', () => {
    expect(splitVisible('\u001B[2K\rok').filter((run) => run.kind === 'code-point')).toHaveLength(2);
  });
});
