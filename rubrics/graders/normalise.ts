import type { Normalisation } from '../../contracts/sources.ts';

const steps: Readonly<Record<Normalisation, (text: string) => string>> = {
  trim: (text) => text.trim(),
  lower: (text) => text.toLowerCase(),
  nfkc: (text) => text.normalize('NFKC'),
  'collapse-space': (text) => text.replaceAll(/\s+/gu, ' '),
  alphanumeric: (text) => text.replaceAll(/[^\p{L}\p{N}]+/gu, ''),
};

/** Applies the named normalisations in their order. */
export const normalise = (text: string, names: readonly Normalisation[]): string => names.reduce((sum, name) => steps[name](sum), text);
