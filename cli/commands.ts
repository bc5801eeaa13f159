import type { Command } from 'commander';
import type { Config } from '../contracts/config.ts';

/** Gives a command its arguments and its action. */
export type Describe = (command: Command, config: Config) => void;

/**
 * Every command. Its module is loaded only when it is the one that was asked for: what `run` needs (sandboxes, model
 * clients) would make `--help` slow, and an installation without development packages still has to migrate.
 */
export const commands: Readonly<Record<string, { summary: string; load: () => Promise<Describe> }>> = {
  start: {
    summary: 'start database, server and workers on this machine and judge the shipped samples',
    load: async () => (await import('./start.ts')).describeStart,
  },
  run: {
    summary: 'judge one submission against a rubric folder, here and now, without a server',
    load: async () => (await import('./run.ts')).describeRun,
  },
  check: {
    summary: 'validate a rubric folder and run its gates: the oracle scores the maximum, null submissions stay below the threshold',
    load: async () => (await import('./check.ts')).describeCheck,
  },
  calibrate: {
    summary: 'compare a grader with human labels: precision, recall, κ, and whether its grades may hold money',
    load: async () => (await import('./calibrate.ts')).describeCalibrate,
  },
  recount: {
    summary: 'count a published result again from its raw file: win rates, success rates, recalls, points, shares',
    load: async () => (await import('./recount.ts')).describeRecount,
  },
  submit: {
    summary: 'submit a file to a challenge of a running server',
    load: async () => (await import('./submit.ts')).describeSubmit,
  },
  watch: {
    summary: 'follow a submission of a running server until its verdict',
    load: async () => (await import('./watch.ts')).describeWatch,
  },
  regrade: {
    summary: 'grade stored evaluations again by a newer version of their challenge: preview first, then apply',
    load: async () => (await import('./regrade.ts')).describeRegrade,
  },
  images: {
    summary: 'the images that node and python programs run in',
    load: async () => (await import('./images.ts')).describeImages,
  },
  doctor: {
    summary: 'say what this machine can run, and what is missing',
    load: async () => (await import('./doctor.ts')).describeDoctor,
  },
  migrate: {
    summary: 'migrate the database of DATABASE_URL and give the role of EVALUATOR_DATABASE_URL its password',
    load: async () => (await import('./migrate.ts')).describeMigrate,
  },
  pages: {
    summary: 'build the web pages',
    load: async () => (await import('./pages.ts')).describePages,
  },
};
