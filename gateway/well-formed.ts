/**
 * Is every text in `value`, keys included, Unicode that UTF-8 can hold? JSON can spell half of a surrogate pair
 * (`"\ud800"`), but no canonical form, hash, row or provider's body can hold one: a request with it would fail on our
 * side after it was answered, and its sender could end every evaluation as the platform's fault. `value` is bounded in
 * depth by whoever parsed it.
 */
export function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (value === null || typeof value !== 'object') return true;
  if (Array.isArray(value)) return value.every(isWellFormed);
  return Object.entries(value).every(([key, inner]) => key.isWellFormed() && isWellFormed(inner));
}
