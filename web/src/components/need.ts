const profiles: Readonly<Record<string, string>> = {
  none: 'submissions without a program',
  js: 'JavaScript programs (helper API only)',
  node: 'JavaScript programs (whole Node.js)',
  python: 'Python programs',
  image: 'container images',
};

/** What a need of the rubric means to the person who submits; `node-gvisor-bounty` and its like are said part by part. */
export function needLabel(need: string): string {
  const [profile = need, ...demands] = need.split('-');
  const label = profiles[profile];
  if (label === undefined) return need;
  return `${label}${demands.includes('gvisor') ? ' in gVisor' : ''}${demands.includes('bounty') ? ' for bounties' : ''}`;
}
