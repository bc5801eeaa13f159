const needs: Readonly<Record<string, string>> = {
  none: 'submissions without a program',
  js: 'JavaScript programs (helper API only)',
  node: 'JavaScript programs (whole Node.js)',
  python: 'Python programs',
};

/** What a need of the rubric means to the person who submits. */
export const needLabel = (need: string): string => needs[need] ?? need;
