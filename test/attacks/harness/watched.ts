import type { Canaries } from './canaries.ts';
import type { ContainerWatch } from './containers.ts';
import { leftBehind, type Own } from './host.ts';
import { watchLoop } from './loop.ts';
import { settledRss } from './memory.ts';

/** Told every text that the attack leaves anywhere, at once, so that nobody has to hold it. */
export type Note = (stored: string) => void;

const mostRssBytes = 33_554_432;
const mostLagMs = 200;

export interface Watched {
  attack(note: Note): Promise<string[]>;
  allowRssBytes: number;
  canaries: Canaries;
  own: Own;
  containers: ContainerWatch | null;
}

/** Carries out an attack, then looks at everything that must be as before. Gives what is not. */
export async function watched({ attack, allowRssBytes, canaries, own, containers }: Watched): Promise<string[]> {
  const known = new Set(containers?.seen().map(({ id }) => id));
  const rssBefore = settledRss();
  const loop = watchLoop();
  const leaked = new Set<string>();
  const problems = await attack((text) => {
    for (const name of canaries.leakedIn(text)) leaked.add(name);
  });
  const { ownMs, wholeMs, peakRssBytes } = loop.stop();
  if (ownMs > mostLagMs)
    problems.push(`the event loop stood still for ${Math.round(ownMs)} ms by its own doing (${Math.round(wholeMs)} in all)`);
  const [grown, peak] = [settledRss() - rssBefore, peakRssBytes - rssBefore];
  if (grown > mostRssBytes) problems.push(`the worker grew by ${mebibytes(grown)}`);
  if (peak > mostRssBytes + allowRssBytes) problems.push(`the worker held ${mebibytes(peak)} more while it ran`);
  problems.push(...(await leftBehind(own, containers?.seen().filter(({ id }) => !known.has(id)) ?? [])));
  problems.push(...canaries.touched(), ...[...leaked].map((name) => `the secret "${name}" came out`));
  return problems;
}

const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;
