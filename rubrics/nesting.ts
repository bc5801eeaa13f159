/**
 * The path of the first list or object that lies deeper than `levels` (1: only the value itself may be one); null where
 * none does. Goes level by level and keeps no stack: what it is asked about may nest as deep as memory allows.
 */
export function firstBelow(value: unknown, levels: number): (string | number)[] | null {
  let level: Place[] = isContainer(value) ? [{ container: value, step: null }] : [];
  for (let depth = 1; depth <= levels; depth++) {
    // An anchor that stands at two places of one level is looked into once.
    const next = new Map<object, Place>();
    for (const above of level) {
      for (const [key, inner] of Object.entries(above.container)) {
        const step = Array.isArray(above.container) ? Number(key) : key;
        if (isContainer(inner) && !next.has(inner)) next.set(inner, { container: inner, step: { above, name: step } });
      }
    }
    level = [...next.values()];
  }
  const path: (string | number)[] = [];
  const [first] = level;
  if (first === undefined) return null;
  for (let { step } = first; step !== null; step = step.above.step) path.unshift(step.name);
  return path;
}

interface Place {
  container: object;
  step: { above: Place; name: string | number } | null;
}

const isContainer = (value: unknown): value is object => value !== null && typeof value === 'object';
