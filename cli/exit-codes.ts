/** What every command's exit code means; printed by `--help`. */
export const exitCodes = { judged: 0, error: 1, badInput: 2, badConfiguration: 78, interrupted: 130 } as const;

/**
 * The words of an error that a part of ours wrote for people (no folder, no package, no space), without its stack. Any
 * other error is a fault of ours and passes through.
 */
export function inWords(error: unknown): unknown {
  return error instanceof Error && error.constructor === Error ? new InputError(error.message, exitCodes.error) : error;
}

/** Something the person at the keyboard can mend; printed without a stack. */
export class InputError extends Error {
  override name = 'InputError';
  readonly exitCode: number;
  constructor(message: string, exitCode: number = exitCodes.badInput) {
    super(message);
    this.exitCode = exitCode;
  }
}
