import { TextInput } from '@mantine/core';
import { useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from 'react';

const settleMs = 200;

/**
 * The search field; what is typed reaches the address a moment after the last key. The address answers later than the
 * fingers move, so values this field sent itself are recognised when they come back and never overwrite what was typed
 * since; any other value (filters dropped, gone back) replaces the text.
 */
export function SearchBox({ value, onSearch }: { value: string; onSearch: (text: string) => void }) {
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  const sent = useRef<string[]>([]);
  const search = useEffectEvent(onSearch);
  if (seen !== value) setSeen(value);
  useLayoutEffect(() => {
    const own = sent.current.indexOf(seen);
    sent.current = sent.current.slice(own + 1);
    if (own < 0) setText(seen);
  }, [seen]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => {
      sent.current.push(text);
      search(text);
    }, settleMs);
    return () => clearTimeout(timer);
  }, [text, value]);
  return (
    <TextInput
      type="search"
      className="search-box"
      aria-label="Search challenges by title, summary and tags"
      placeholder="Search challenges"
      value={text}
      maxLength={200}
      onChange={(event) => setText(event.currentTarget.value)}
      rightSection={text === '' ? <kbd className="key-hint">/</kbd> : null}
    />
  );
}
