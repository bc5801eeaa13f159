/** What the pages keep in the address: each value is checked, because anyone can write an address. */
export const challengeTabs = ['overview', 'rubric', 'standing', 'submit'] as const;
export type ChallengeTab = (typeof challengeTabs)[number];
export const caseFilters = ['all', 'failed', 'errors'] as const;
export type CaseFilter = (typeof caseFilters)[number];

export type Search = Record<string, unknown>;
export const text = (value: unknown): string | undefined => {
  const given = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  return typeof given === 'string' && given !== '' ? given.slice(0, 4096) : undefined;
};
export const oneOf = <T extends string>(list: readonly T[], value: unknown): T | undefined => list.find((item) => item === value);
/** Leaves out what is undefined, so that addresses stay short. */
export const only = <T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
