import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { type KeyState, nextKey } from './key-state.ts';

const pageOf = { search: '/', challenges: '/', submissions: '/submissions', status: '/status' } as const;

/** Listens for the pages' shortcuts; `onHelp` opens the list of them. */
export function useShortcuts(onHelp: () => void): void {
  const navigate = useNavigate();
  useEffect(() => {
    let state: KeyState = { prefix: null };
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || hasModifier(event) || takesKeys(event.target)) return;
      const step = nextKey(state, event.key, event.timeStamp);
      state = step.state;
      if (step.action === null) return;
      event.preventDefault();
      if (step.action === 'help') onHelp();
      else if (step.action !== 'search' || !focusSearch()) void navigate({ to: pageOf[step.action] });
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [navigate, onHelp]);
}

const hasModifier = (event: KeyboardEvent): boolean => event.ctrlKey || event.metaKey || event.altKey;

function focusSearch(): boolean {
  const search = document.querySelector<HTMLInputElement>('input[type="search"]');
  search?.focus();
  search?.select();
  return search !== null;
}

/** True where keys are text, and inside dialogs, which have keys of their own. */
function takesKeys(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable="true"], dialog') !== null;
}
