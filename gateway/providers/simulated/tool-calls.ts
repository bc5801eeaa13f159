/** One call of the simulated office: whom it goes to and what goes there; either is empty where a tool has no use for it. */
export interface OfficeCall {
  tool: string;
  to: string;
  what: string;
}

/** Reads `{"tool": …, "arguments": {"to": …, "what": …}}`; null for anything else. */
export function readCall(text: string): OfficeCall | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Whoever writes the call wrote no JSON: the office says so.
    return null;
  }
  const { tool, arguments: given } = (value ?? {}) as { tool?: unknown; arguments?: unknown };
  const { to = '', what = '' } = (given ?? {}) as { to?: unknown; what?: unknown };
  return typeof tool === 'string' && typeof to === 'string' && typeof what === 'string' ? { tool, to, what } : null;
}

export const writeCall = ({ tool, to, what }: OfficeCall): string => JSON.stringify({ tool, arguments: { to, what } });
