import { buildPages } from '../../web/build.ts';
import { startFixture } from './fixture/server.ts';

/** A running server with built pages and challenges, as the browser tests need it. */
export interface Site extends AsyncDisposable {
  url: string;
  /** What the sign-in link carries. */
  token: string;
  /** A challenge that takes a defence and judges it in steps that can be watched. */
  defence: { slug: string; title: string; tag: string };
  /** A challenge that takes answers as lines of text, one field per public case. */
  answers: { slug: string; title: string };
  /** A challenge that takes a program. */
  program: { slug: string; title: string };
}

export async function startSite(): Promise<Site> {
  await buildPages();
  const token = 'fixture-token-0123456789abcdef';
  const server = await startFixture({ token, stepMs: 120 });
  return {
    url: server.url,
    token,
    defence: { slug: 'over-refusal', title: 'Over-refusal', tag: 'refusal' },
    answers: { slug: 'trigger-recovery', title: 'Trigger recovery' },
    program: { slug: 'secret-keeper', title: 'Secret keeper' },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
