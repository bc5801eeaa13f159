import type { Problem } from '../contracts/api.ts';
import type { FaultOf } from '../contracts/status.ts';

interface ProblemKind {
  status: number;
  title: string;
  faultOf: FaultOf;
  advice: string;
}

/** Every error this server answers with: code → status, title, whose fault, what to do. */
export const problemKinds = {
  bad_request: {
    status: 400,
    title: 'The request is not understood',
    faultOf: 'participant',
    advice: 'Compare the request with /api/openapi.json.',
  },
  unauthenticated: {
    status: 401,
    title: 'Sign in first',
    faultOf: 'participant',
    advice: 'Open the link with the token that the server printed at start, or send it as `Authorization: Bearer …`.',
  },
  forbidden_host: {
    status: 403,
    title: 'Wrong host name',
    faultOf: 'participant',
    advice: 'Use the address the server printed at start, or set PUBLIC_URL.',
  },
  cross_site: {
    status: 403,
    title: 'Request from another site',
    faultOf: 'participant',
    advice: 'Send the request from the pages of this server or with a bearer token.',
  },
  not_yours: {
    status: 403,
    title: 'Not yours',
    faultOf: 'participant',
    advice: 'Only the account that made it can do this.',
  },
  not_found: {
    status: 404,
    title: 'Not here',
    faultOf: 'participant',
    advice: 'Check the address; it may have been mistyped or never existed.',
  },
  conflict: {
    status: 409,
    title: 'Not in this state',
    faultOf: 'participant',
    advice: 'Load the page again and look at the present state.',
  },
  idempotency_conflict: {
    status: 409,
    title: 'Idempotency key used for another request',
    faultOf: 'participant',
    advice: 'Use a new Idempotency-Key for a new request.',
  },
  too_large: { status: 413, title: 'Too large', faultOf: 'participant', advice: 'Send less; the challenge page names the limit.' },
  unsupported_media: {
    status: 415,
    title: 'Unknown content type',
    faultOf: 'participant',
    advice: 'Send application/json or multipart/form-data.',
  },
  invalid_submission: {
    status: 422,
    title: 'The submission cannot be accepted',
    faultOf: 'participant',
    advice: 'Mend what is named and send it again; nothing was stored and no attempt was used.',
  },
  too_many_requests: { status: 429, title: 'Too many requests', faultOf: 'participant', advice: 'Wait as long as Retry-After says.' },
  internal: {
    status: 500,
    title: 'The server failed',
    faultOf: 'platform',
    advice: 'Try again. If it stays, tell the operator the request id; no attempt was used.',
  },
  unavailable: { status: 503, title: 'Not ready', faultOf: 'platform', advice: 'Try again in a few seconds.' },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof problemKinds;

/** Thrown by routes; becomes a problem+json reply. */
export class ProblemError extends Error {
  override name = 'ProblemError';
  readonly code: ProblemCode;
  readonly errors: Problem['errors'];
  constructor(code: ProblemCode, detail: string, errors?: Problem['errors']) {
    super(detail);
    this.code = code;
    this.errors = errors;
  }
}

/** The body of an error reply (RFC 9457). */
export function problemBody(code: ProblemCode, detail: string, instance: string, errors?: Problem['errors']): Problem {
  const kind = problemKinds[code];
  return {
    type: `urn:collective:problem:${code}`,
    title: kind.title,
    status: kind.status,
    code,
    detail,
    faultOf: kind.faultOf,
    advice: kind.advice,
    instance,
    ...(errors === undefined ? {} : { errors }),
  };
}
