import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

const read = (environment: Record<string, string>) => readConfig(environment);
const configOf = (environment: Record<string, string>) => {
  const result = read(environment);
  if (!result.ok) throw new Error(result.problems.join('; '));
  return result.config;
};
const problemsOf = (environment: Record<string, string>) => {
  const result = read(environment);
  return result.ok ? [] : result.problems;
};

describe('what an operator says about sandboxes', () => {
  it('has defaults that run on any machine and accept no risk', () => {
    expect(configOf({})).toMatchObject({
      COLLECTIVE_MODE: 'development',
      SANDBOX_RUNTIME: 'runc',
      SANDBOX_RUNTIMES_BY_TIER: {},
      SANDBOX_MAXIMA: {},
      IMAGE_REGISTRIES: [],
      ACCEPTED_SANDBOX_RISKS: [],
    });
    expect(configOf({}).SANDBOX_POOL_BYTES).toBeUndefined();
  });

  it('reads runtimes by tier, maxima, registries and sizes', () => {
    const config = configOf({
      SANDBOX_RUNTIME: 'crun',
      SANDBOX_RUNTIMES_BY_TIER: 'high=runsc, critical=runsc',
      SANDBOX_MAXIMA: 'memoryBytes=536870912,wallMs=60000',
      IMAGE_REGISTRIES: 'registry.example, 127.0.0.1:5000,',
      IMAGE_MAX_BYTES: '1000',
      SANDBOX_POOL_BYTES: '0',
    });
    expect(config).toMatchObject({
      SANDBOX_RUNTIME: 'crun',
      SANDBOX_RUNTIMES_BY_TIER: { high: 'runsc', critical: 'runsc' },
      SANDBOX_MAXIMA: { memoryBytes: 536_870_912, wallMs: 60_000 },
      IMAGE_REGISTRIES: ['registry.example', '127.0.0.1:5000'],
      IMAGE_MAX_BYTES: 1000,
      SANDBOX_POOL_BYTES: 0,
    });
  });

  it.each([
    ['SANDBOX_RUNTIME', 'docker', /runc.*crun.*runsc/],
    ['SANDBOX_RUNTIMES_BY_TIER', 'extreme=runsc', /NAME is one of low, moderate, high, critical/],
    ['SANDBOX_RUNTIMES_BY_TIER', 'high', /part 1 must be NAME=VALUE/],
    ['SANDBOX_RUNTIMES_BY_TIER', 'high=runsc,high=runc', /part 2 sets high a second time/],
    ['SANDBOX_RUNTIMES_BY_TIER', 'high=vm', /the value of high/],
    ['SANDBOX_MAXIMA', 'artifacts=1', /NAME is one of wallMs, cpuMs/],
    ['SANDBOX_MAXIMA', '__proto__=1', /NAME is one of/],
    ['SANDBOX_MAXIMA', 'memoryBytes=lots', /the value of memoryBytes/],
    ['SANDBOX_MAXIMA', 'memoryBytes=1', /the value of memoryBytes/],
    ['SANDBOX_MAXIMA', 'wallMs=1e99', /the value of wallMs/],
    ['IMAGE_REGISTRIES', 'https://registry.example', /host names with an optional port/],
    ['SANDBOX_POOL_BYTES', '-1', />=0/],
    ['ACCEPTED_SANDBOX_RISKS', 'network', /among engine-version, runc-version, crun-version: no other failed check can be accepted/],
  ])('%s=%s is refused in words', (name, value, words) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name}`));
    expect(problems[0]).toMatch(words);
  });

  it('takes accepted risks in development and refuses them in production, with the reason', () => {
    const risks = { ACCEPTED_SANDBOX_RISKS: 'engine-version, runc-version' };
    expect(configOf(risks).ACCEPTED_SANDBOX_RISKS).toEqual(['engine-version', 'runc-version']);
    expect(problemsOf({ ...risks, COLLECTIVE_MODE: 'production' })).toEqual([
      expect.stringMatching(/^ACCEPTED_SANDBOX_RISKS: is refused with COLLECTIVE_MODE=production.*collective doctor/),
    ]);
    expect(configOf({ COLLECTIVE_MODE: 'production' }).COLLECTIVE_MODE).toBe('production');
  });
});
