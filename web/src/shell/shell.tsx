import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { Suspense, useEffect, useRef, useState } from 'react';
import { signInQuery } from '../api/session.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Account } from './account.tsx';
import { CheatSheet } from './cheat-sheet.tsx';
import { FirstStart } from './first-start.tsx';
import { Mark } from './mark.tsx';
import { ThemeToggle } from './theme-toggle.tsx';
import { useShortcuts } from './use-shortcuts.ts';

/** What surrounds every page: skip link, name, navigation, account, theme, keyboard shortcuts. */
export function Shell() {
  const [help, setHelp] = useState(false);
  useShortcuts(() => setHelp(true));
  const main = useFocusOnNewPage();
  const tokenSignIn = useQuery(signInQuery(useQueryClient(), null));
  return (
    <>
      <a className="skip-link" href="#main">
        Skip to content
      </a>
      <header className="site-head">
        <div className="site-head-inner">
          <Link to="/" className="brand">
            <Mark /> AI Safety Collective
          </Link>
          <nav aria-label="Main" className="site-nav">
            <ChallengesLink />
            <Link to="/submissions">Submissions</Link>
            <Link to="/status">Status</Link>
          </nav>
          <div className="site-tools">
            <Account />
            <ThemeToggle />
          </div>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {tokenSignIn.error && <ProblemNotice error={tokenSignIn.error} what="Signing in with this link failed." />}
        <Suspense fallback={null}>
          <Outlet />
        </Suspense>
        <FirstStart />
      </main>
      <footer className="site-foot muted">
        <button type="button" className="link-button" onClick={() => setHelp(true)}>
          Keyboard shortcuts <kbd>?</kbd>
        </button>
        <a href="/api/openapi.json">API description</a>
      </footer>
      {help && <CheatSheet onClose={() => setHelp(false)} />}
    </>
  );
}

/** The list is at `/`, which every address starts with; it stands for the challenges' own pages too. */
function ChallengesLink() {
  const within = useRouterState({ select: (state) => state.location.pathname.startsWith('/challenges/') });
  return (
    <Link to="/" activeOptions={{ exact: true, includeSearch: false }} {...(within ? { 'aria-current': 'page' as const } : {})}>
      Challenges
    </Link>
  );
}

/** After a navigation the focus goes to the new page, as it would with a page load; not on the first one. */
function useFocusOnNewPage() {
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const last = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (last.current !== undefined && path !== last.current) main.current?.focus({ preventScroll: true });
    last.current = path;
  }, [path]);
  return main;
}
