import { performance } from 'node:perf_hooks';
import type { CaseRun, Opened, Profile, Sandbox, SandboxDriver, SandboxProgram } from '../../../contracts/sandbox.ts';
import type { TestRegistry } from '../../setup/registry.ts';
import type { Arena } from './arena.ts';
import type { Attack, Run } from './attack.ts';
import { type AttackDoor, openDoor } from './door.ts';
import type { Attacked } from './honest.ts';
import { forgetImage, pushHostile } from './hostile-image.ts';
import { type Ended, judge, shortly, stored } from './judge.ts';
import type { Note } from './watched.ts';

export interface AttackReport {
  family: string;
  name: string;
  profile: Attacked | 'worker' | 'image';
  /** How its runs ended. */
  outcome: string;
  /** Time of the attack itself, without what was looked at afterwards. */
  wallMs: number;
  ok: boolean;
  problems: string[];
  /** Not carried out, and why. */
  skipped?: string;
}

/** What `attack.ts` of a worker fault exports. Gives what went wrong; notes in `outcome` what it saw. */
export type Scenario = (arena: Arena, attack: Attack, note: Note) => Promise<Outcome>;

/** What passes through the worker by right (output, answer, artifacts), in the forms it takes on its way. */
const copies = 6;

/** Carries out one attack with one profile and judges it, with everything that must hold after every attack. */
export async function runAttack(arena: Arena, attack: Attack, profile: Attacked): Promise<AttackReport> {
  const found = attack.programs.find((one) => one.profile === profile);
  if (found === undefined) throw new Error(`${attack.family}/${attack.name} has no program for ${profile}`);
  const program = {
    language: profile === 'python' ? ('python' as const) : ('javascript' as const),
    source: found.source,
    files: found.files,
  };
  return await carriedOut(arena, attack, profile, (driver, note) => staged({ driver, attack, profile, program, note }));
}

/** The same for an image that a participant offers. */
export async function runImage(arena: Arena, attack: Attack, registry: TestRegistry): Promise<AttackReport> {
  const image = await pushHostile(registry, attack.image ?? '');
  try {
    return await carriedOut(arena, attack, 'image', (driver, note) =>
      staged({ driver, attack, profile: 'image', program: { image }, note }),
    );
  } finally {
    await forgetImage(arena.engine.docker, image);
  }
}

/** The same for a fault of worker or engine, which `attack.ts` brings about. */
export async function runScenario(arena: Arena, attack: Attack): Promise<AttackReport> {
  const { scenario } = (await import(attack.scenario ?? '')) as { scenario: Scenario };
  return await carriedOut(arena, attack, 'worker', (_driver, note) => scenario(arena, attack, note));
}

type Outcome = { outcome: string; problems: string[] };

async function carriedOut(
  arena: Arena,
  attack: Attack,
  profile: AttackReport['profile'],
  work: (driver: SandboxDriver, note: Note) => Promise<Outcome>,
): Promise<AttackReport> {
  const { family, name, limits } = attack;
  const report: AttackReport = { family, name, profile, outcome: '', wallMs: 0, ok: false, problems: [] };
  const passing = copies * (limits.outputBytes + limits.answerBytes + (limits.artifacts.files > 0 ? limits.artifacts.bytes : 0));
  const language = profile === 'worker' || profile === 'image' ? 'python' : profile;
  report.problems = await arena.watched(async (note) => {
    await using driver = arena.driver(language);
    const startedAt = performance.now();
    // One attack that breaks the harness must not hide what the others do, nor what it left.
    const { outcome, problems } = await work(driver, note).catch((error: Error) => ({
      outcome: 'broke',
      problems: [error.stack ?? error.message],
    }));
    report.wallMs = performance.now() - startedAt;
    report.outcome = outcome;
    return [...problems, ...(await arena.honestRun(driver, language, limits))];
  }, passing);
  report.ok = report.problems.length === 0;
  return report;
}

interface Staging {
  driver: SandboxDriver;
  attack: Attack;
  profile: Profile;
  program: SandboxProgram;
  note: Note;
}

async function staged(staging: Staging): Promise<Outcome> {
  const { refused } = staging.attack;
  await using stage = new Stage(staging);
  if (refused !== undefined) return await stage.opensNot(refused);
  const problems = await stage.runAll();
  return { outcome: stage.outcome, problems };
}

/** The sandboxes of one attack, each with a gateway session of its own. */
class Stage implements AsyncDisposable {
  readonly #staging: Staging;
  readonly #open = new Map<string, { sandbox: Sandbox; gateway: AttackDoor }>();
  readonly #ended: Ended[] = [];
  #calls = 0;

  constructor(staging: Staging) {
    this.#staging = staging;
  }

  /** An image that must be refused, as the participant's fault. */
  async opensNot(refused: RegExp): Promise<Outcome> {
    const { opened, gateway } = await this.#openOne('refused');
    await gateway[Symbol.asyncDispose]();
    if (opened.ok) {
      await opened.sandbox[Symbol.asyncDispose]();
      return { outcome: 'opened', problems: ['the sandbox opened, expected a refusal'] };
    }
    this.#staging.note(opened.message);
    const problems = opened.fault === 'participant' ? [] : [`the refusal is a fault of ours: ${opened.message}`];
    if (!refused.test(opened.message)) problems.push(`refused with other words: ${opened.message}`);
    return { outcome: 'refused', problems };
  }

  async runAll(): Promise<string[]> {
    const problems: string[] = [];
    const later: (() => Promise<void>)[] = [];
    for (const [index, run] of this.#staging.attack.runs.entries()) {
      const { gateway } = await this.#of(run.sandbox);
      const running = this.#run(run, index);
      const finish = async () => {
        const ended = await running;
        this.#ended[index] = ended;
        this.#staging.note(stored(ended.run));
        problems.push(...judge(ended, run.expect, this.#staging.attack.limits, this.#ended).map((problem) => `run ${index}: ${problem}`));
        if (run.close) await this.#close(run.sandbox);
      };
      if (!run.meanwhile) await finish();
      else {
        await Promise.race([gateway.armed, running]);
        later.push(async () => {
          gateway.release();
          await finish();
        });
      }
    }
    for (const end of later) await end();
    for (const name of [...this.#open.keys()]) problems.push(...(await this.#close(name)));
    const [least, most] = this.#staging.attack.modelCalls ?? [0, Number.POSITIVE_INFINITY];
    if (this.#calls < least || this.#calls > most) problems.push(`${this.#calls} calls reached the model, expected ${least} to ${most}`);
    return problems;
  }

  get outcome(): string {
    return [...new Set(this.#ended.map(({ run }) => shortly(run).slice(0, 60)))].join(', ');
  }

  async #run(run: Run, index: number): Promise<Ended> {
    const { sandbox } = await this.#of(run.sandbox);
    const startedAt = performance.now();
    const signal = AbortSignal.timeout(60_000);
    const ended: CaseRun = await sandbox.run({ id: `case-${index}`, input: run.input, target: 'keeper' }, signal);
    return { run: ended, tookMs: performance.now() - startedAt };
  }

  async #of(name: string): Promise<{ sandbox: Sandbox; gateway: AttackDoor }> {
    const found = this.#open.get(name);
    if (found !== undefined) return found;
    const { opened, gateway } = await this.#openOne(name);
    if (!opened.ok) {
      await gateway[Symbol.asyncDispose]();
      throw new Error(`the sandbox did not open: ${opened.message}`);
    }
    const one = { sandbox: opened.sandbox, gateway };
    this.#open.set(name, one);
    return one;
  }

  async #openOne(name: string): Promise<{ opened: Opened; gateway: AttackDoor }> {
    const { driver, attack, profile, program } = this.#staging;
    const { limits, cases, family } = attack;
    const gateway = await openDoor(name);
    const opened = await driver.open({
      ...{ id: `${family}-${name}`, profile, program, limits, door: gateway.door, signal: AbortSignal.timeout(120_000) },
      ...(cases === undefined ? {} : { cases }),
    });
    return { opened, gateway };
  }

  async #close(name: string): Promise<string[]> {
    const one = this.#open.get(name);
    if (one === undefined) return [];
    this.#open.delete(name);
    await one.sandbox[Symbol.asyncDispose]();
    this.#calls += one.gateway.calls();
    for (const text of one.gateway.recorded()) this.#staging.note(text);
    const fault = one.gateway.fault();
    await one.gateway[Symbol.asyncDispose]();
    return fault === null ? [] : [`the attack made the evaluation an error of ours: ${fault}`];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of [...this.#open.keys()]) await this.#close(name);
  }
}
