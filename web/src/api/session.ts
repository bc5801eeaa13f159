import { type QueryClient, queryOptions } from '@tanstack/react-query';
import { paths } from '../../../contracts/paths.ts';
import { call } from './client.ts';

/**
 * Reads the token of a sign-in link (`/#token=…`) and takes it out of the address bar and the history entry. A fragment
 * is never sent to a server or written to its log, which a query parameter would be.
 */
export function takeTokenFromAddress(page: Pick<Window, 'location' | 'history'>): string | null {
  const { hash, pathname, search } = page.location;
  if (!hash.startsWith('#token=')) return null;
  page.history.replaceState(page.history.state, '', pathname + search);
  const token = hash.slice('#token='.length);
  return token === '' ? null : token;
}

/** Exchanges a token for the session cookie; afterwards what depends on the account is read again. */
export async function signIn(client: QueryClient, token: string): Promise<true> {
  await call<unknown>(paths.session, { method: 'POST', body: { token } });
  await client.invalidateQueries({ queryKey: ['system'] });
  return true;
}

/** Ends the session of this browser; the token itself stays valid. */
export async function signOut(client: QueryClient): Promise<void> {
  await call<undefined>(paths.session, { method: 'DELETE' });
  await client.invalidateQueries({ queryKey: ['system'] });
}

/** The sign-in of this page load; its token is given once, by `main.tsx`. */
export const signInQuery = (client: QueryClient, token: string | null) =>
  queryOptions({
    queryKey: ['sign-in'],
    queryFn: () => (token === null ? Promise.resolve(false) : signIn(client, token)),
    enabled: token !== null,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
