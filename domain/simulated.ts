import type { Rubric } from '../contracts/rubric.ts';

/** Is any target or judge simulated? Stored rubrics from before there were judges name none. */
export const isSimulated = ({ targets, judges }: Pick<Rubric, 'targets'> & Partial<Pick<Rubric, 'judges'>>): boolean =>
  [...targets, ...(judges ?? [])].some((model) => model.provider === 'simulated');
