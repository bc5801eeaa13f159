import { z } from 'zod';
import { Json } from './json.ts';
import { Source } from './sources.ts';

/** RFC 6901: empty for the whole value, `/a/0` for a member's first element, `~1` for `/`, `~0` for `~`. */
const Pointer = z
  .string()
  .max(500)
  .regex(/^(\/([^~/]|~[01])*)*$/, 'a JSON pointer: empty, or /key/0 with ~1 for "/" and ~0 for "~"');

/** What a predicate compares with: a value written in the rubric, or one read from the case. */
const Operand = z.union([z.strictObject({ value: Json }), z.strictObject({ source: Source })]);
export type Operand = z.infer<typeof Operand>;

/**
 * One statement about a JSON value. All but `absent` need a value at `at` and are false without one, so that nothing
 * holds because something is missing.
 */
export const Predicate = z
  .discriminatedUnion('is', [
    z.strictObject({ at: Pointer, is: z.literal('present') }),
    z.strictObject({ at: Pointer, is: z.literal('absent') }),
    /** Equal as JSON: the order of members does not count, 1 is not "1". */
    z.strictObject({ at: Pointer, is: z.literal('equals'), to: Operand }),
    z.strictObject({ at: Pointer, is: z.literal('differs'), from: Operand }),
    /** A text contains a non-empty text; a list an equal element, or one with at least the members of the wanted object. */
    z.strictObject({ at: Pointer, is: z.literal('contains'), what: Operand }),
    /** A text or list that does not contain it. */
    z.strictObject({ at: Pointer, is: z.literal('lacks'), what: Operand }),
    /** A text with a match of an RE2 expression. */
    z.strictObject({ at: Pointer, is: z.literal('matches'), pattern: z.string().min(1).max(1000) }),
    /** A number in the range. */
    z.strictObject({ at: Pointer, is: z.literal('between'), min: z.number().optional(), max: z.number().optional() }),
    /** A list, text (code points) or object with so many elements, characters or members. */
    z.strictObject({
      at: Pointer,
      is: z.literal('size'),
      min: z.number().int().min(0).optional(),
      max: z.number().int().min(0).optional(),
    }),
  ])
  .register(z.globalRegistry, { id: 'Predicate' });
export type Predicate = z.infer<typeof Predicate>;
