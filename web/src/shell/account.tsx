import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { systemQuery } from '../api/queries.ts';
import { signOut } from '../api/session.ts';
import { PageDialog } from '../components/dialog.tsx';
import { SignInHelp } from './sign-in-help.tsx';

/** Who is signed in; without a session, the way to sign in. Reading needs neither. */
export function Account() {
  const [open, setOpen] = useState(false);
  const client = useQueryClient();
  const leaving = useMutation({ mutationFn: () => signOut(client) });
  const { data } = useQuery(systemQuery);
  // Keeps its width while it loads, so that the header does not move.
  if (!data) return <span className="account" />;
  if (data.account !== null) {
    return (
      <span className="account" title="Signed in">
        {data.account}{' '}
        <button type="button" className="link-button" onClick={() => leaving.mutate()} disabled={leaving.isPending}>
          Sign out
        </button>
      </span>
    );
  }
  return (
    <span className="account">
      <button type="button" className="link-button" onClick={() => setOpen(true)}>
        Sign in
      </button>
      {open && (
        <PageDialog kind="modal" title="Sign in" onClose={() => setOpen(false)}>
          <SignInHelp onSignedIn={() => setOpen(false)} />
        </PageDialog>
      )}
    </span>
  );
}
