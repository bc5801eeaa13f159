import { z } from 'zod';

/**
 * The Idempotency-Key of a request. The domain stores it with the row it makes, in one transaction and bound to what was
 * asked, so a repeated POST finds that row again even if the first reply was lost.
 */
export const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'must be 1 to 200 printable characters without spaces')
  .describe('Chosen by the client, once per request it means: the same key with the same body answers what the first one made.');
