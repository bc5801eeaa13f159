import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { TargetSpec } from '../contracts/target.ts';

const TargetsFile = z.strictObject({ targets: z.array(TargetSpec).max(100) });

export type TargetsResult = { ok: true; targets: TargetSpec[] } | { ok: false; problem: string };

/** Reads the operator's list of further targets (`TARGETS_FILE`). */
export async function readTargetsFile(path: string): Promise<TargetsResult> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    return { ok: false, problem: `TARGETS_FILE cannot be read: ${(error as Error).message}` };
  }
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 0 });
  } catch (error) {
    return { ok: false, problem: `TARGETS_FILE is not YAML: ${(error as Error).message.slice(0, 300)}` };
  }
  const parsed = TargetsFile.safeParse(value);
  if (parsed.success) return { ok: true, targets: parsed.data.targets };
  const first = parsed.error.issues[0];
  return { ok: false, problem: `TARGETS_FILE: ${first?.path.join('/') ?? ''}: ${first?.message ?? 'invalid'}` };
}

/**
 * Puts the chosen target in the place of the rubric's replaceable one, under the rubric's name for it, so that cases
 * and graders go on finding it.
 */
export function replaceTarget(targets: readonly TargetSpec[], chosen: string, offered: readonly TargetSpec[]): TargetsResult {
  const place = targets.find((target) => target.replaceable);
  if (place === undefined) return { ok: false, problem: 'this rubric fixes its targets: none of them may be replaced' };
  const replacement = offered.find((target) => target.name === chosen) ?? targets.find((target) => target.name === chosen);
  if (replacement === undefined) {
    const names = [...offered, ...targets].map((target) => target.name).join(', ');
    return { ok: false, problem: `no target is named "${chosen}"; known here: ${names}` };
  }
  return {
    ok: true,
    targets: targets.map((target) => (target === place ? { ...replacement, name: place.name, replaceable: true } : target)),
  };
}
