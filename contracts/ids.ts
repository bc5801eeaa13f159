import { z } from 'zod';

/** UUIDv7, made in code: its order is the order of creation, which the event partitions rely on. */
export const Id = z.uuid();
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hexadecimal');
/** A name that is safe in URLs, file names and container labels. */
export const Slug = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case words joined by "-"')
  .max(64);
/** 256-bit seed of an evaluation, hexadecimal. */
export const Seed = Sha256;
