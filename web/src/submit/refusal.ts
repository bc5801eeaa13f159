import type { Problem } from '../../../contracts/api.ts';

/** Why a submission was not taken, by this page's own checks or by the server's. */
export type Refusal = Pick<Problem, 'detail' | 'faultOf' | 'advice' | 'errors'>;

/**
 * The message for one field. The server's paths start at the request (`submission/answers/<key>`), the page's own at the
 * document (`answers/<key>`); keys may hold slashes, so paths are compared as texts.
 */
export function errorFor(errors: readonly { path: string; message: string }[], field: string): string | undefined {
  const found = errors.find(({ path }) => {
    const bare = path.replace(/^\/?(body\/)?(submission\/)?/, '');
    return bare === field || bare.startsWith(`${field}/`);
  });
  return found?.message;
}
