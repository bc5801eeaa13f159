import { Button, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { signIn } from '../api/session.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';

/** How to sign in, and a field for those who have the token but not the link. */
export function SignInHelp({ onSignedIn }: { onSignedIn?: () => void }) {
  const client = useQueryClient();
  const [token, setToken] = useState('');
  const mutation = useMutation({ mutationFn: (given: string) => signIn(client, given), onSuccess: () => onSignedIn?.() });
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        mutation.mutate(tokenIn(token));
      }}
    >
      <p>
        Reading is open to everyone; sending a submission needs a session. Open the sign-in link that was printed in the terminal when the
        server started, or paste it here.
      </p>
      <TextInput
        label="Sign-in link or token"
        value={token}
        onChange={(event) => setToken(event.currentTarget.value)}
        autoComplete="off"
        spellCheck={false}
        required
      />
      {mutation.error && <ProblemNotice error={mutation.error} what="Signing in failed." />}
      <div>
        <Button type="submit" loading={mutation.isPending}>
          Sign in
        </Button>
      </div>
    </form>
  );
}

/** The token of a pasted link, or the pasted text itself. */
function tokenIn(given: string): string {
  const at = given.indexOf('#token=');
  return (at < 0 ? given : given.slice(at + '#token='.length)).trim();
}
