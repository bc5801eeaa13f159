import type { Arena } from './arena.ts';
import { type Attack, loadAttacks } from './attack.ts';
import type { Attacked } from './honest.ts';
import { type AttackReport, runAttack, runImage, runScenario } from './run-attack.ts';

/** One attack with one profile; `worker` and `image` where no program of ours is attacked or attacks. */
export interface Planned {
  attack: Attack;
  profile: Attacked | 'worker' | 'image';
}

export interface Wanted {
  family?: string | undefined;
  name?: string | undefined;
  fastOnly?: boolean;
}

export function plan({ family, name, fastOnly = false }: Wanted = {}): Planned[] {
  return loadAttacks()
    .filter((attack) => (family === undefined || attack.family === family) && (name === undefined || attack.name === name))
    .filter((attack) => !fastOnly || attack.fast)
    .flatMap((attack) => [
      ...attack.programs.map(({ profile }) => ({ attack, profile })),
      ...(attack.scenario === null ? [] : [{ attack, profile: 'worker' as const }]),
      ...(attack.image === null ? [] : [{ attack, profile: 'image' as const }]),
    ]);
}

/** Carries it out, or says why it cannot be done here. */
export async function carryOut(arena: Arena, { attack, profile }: Planned): Promise<AttackReport> {
  const skip = (skipped: string): AttackReport => {
    const { family, name } = attack;
    return { family, name, profile, outcome: '', wallMs: 0, ok: true, problems: [], skipped };
  };
  if (attack.machine !== undefined && attack.machine !== process.arch) return skip(`it is written for ${attack.machine}`);
  const runtime = arena.given.runtimes?.usual ?? 'runc';
  if (profile !== 'js' && attack.runtimes !== undefined && !attack.runtimes.includes(runtime))
    return skip(`it is about another kernel than that of ${runtime}`);
  const { state, images } = arena.engine;
  if (profile !== 'js' && !state.available) return skip(state.reason);
  if (profile === 'worker') return await runScenario(arena, attack);
  if (profile === 'image') {
    const { state: offered, registry } = await arena.registry();
    return registry === null ? skip(offered.available ? 'there is no registry' : offered.reason) : await runImage(arena, attack, registry);
  }
  if (profile !== 'js' && images[profile] === undefined) return skip(`there is no image for profile ${profile}`);
  return await runAttack(arena, attack, profile);
}
