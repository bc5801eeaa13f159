import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import {
  type CaseRun,
  Limits,
  type Profile,
  type Sandbox,
  type SandboxDriver,
  type SandboxOptions,
  type Task,
} from '../contracts/sandbox.ts';
import { fakeDoor, silent } from './conformance-door.ts';
import { languageOf, type Programs, programsFor } from './conformance-programs.ts';

/**
 * What a sandbox driver must do, whichever way it isolates. Every driver passes this suite unchanged for every
 * profile it offers; a behaviour that only one driver has is tested beside that driver.
 */
export interface ConformanceOptions {
  /** Names of what this driver's sandboxes left running (processes, containers); empty when all is released. */
  leftovers(): Promise<string[]>;
  /** Lines in the driver's own frame format that claim an answer; printed by a program that must not be believed. */
  forgeries?: readonly string[];
  /** Limits that replace the suite's own, where a profile needs more to start at all. */
  limits?: Partial<Limits>;
}

export const conformanceLimits = Limits.parse({
  wallMs: 2_000,
  cpuMs: 1_000,
  memoryBytes: 134_217_728,
  processes: 64,
  outputBytes: 16_384,
  answerBytes: 16_384,
  diskBytes: 16_777_216,
  diskInodes: 1_024,
});

/** How much later than its limit a case may end: the kill, and a busy machine of two cores. */
const graceMs = 2_000;

export interface Bench {
  programs: Programs;
  options: ConformanceOptions;
  open(source: string, more?: Partial<SandboxOptions>): Promise<Sandbox>;
  /** Opens a sandbox, runs one case and disposes. */
  once(source: string, input?: Task['input'], more?: Partial<SandboxOptions>): Promise<CaseRun>;
}

const never = () => new AbortController().signal;
const taskOf = (input: Task['input'], id = 'case-1'): Task => ({ id, input, target: 'keeper' });

/** A short way for tests to open sandboxes of one driver and profile. */
export function benchOf(driver: SandboxDriver, profile: Profile, options: ConformanceOptions): Bench {
  let serial = 0;
  const open: Bench['open'] = async (source, more = {}) => {
    serial += 1;
    const opened = await driver.open({
      id: `conformance-${profile}-${process.pid}-${serial}`,
      profile,
      program: { language: languageOf(profile), source },
      limits: { ...conformanceLimits, ...options.limits },
      door: fakeDoor(),
      signal: never(),
      ...more,
    });
    if (!opened.ok) throw new Error(`the sandbox did not open: ${opened.message}`);
    return opened.sandbox;
  };
  const once: Bench['once'] = async (source, input = null, more = {}) => {
    await using sandbox = await open(source, more);
    return await sandbox.run(taskOf(input), never());
  };
  return { programs: programsFor(profile), options, open, once };
}

/** Declares the suite for one driver and profile. Call it from a `*.test.ts`. */
export function conformance(driver: SandboxDriver, profile: Profile, options: ConformanceOptions): void {
  describe(`${driver.name} driver, profile ${profile}`, () => {
    const bench = benchOf(driver, profile, options);
    answering(bench);
    talking(bench);
    failing(bench);
    limiting(bench);
    refusing(bench);
    stopping(bench);
    it('says what it can run, and refuses what it cannot', async () => {
      const availability = await driver.probe();
      expect(availability.available && availability.profiles).toContain(profile);
      const language = languageOf(profile) === 'python' ? 'javascript' : 'python';
      const shape = { id: 'x', profile, limits: conformanceLimits, door: fakeDoor(), signal: never() };
      const opened = await driver.open({ ...shape, program: { language, source: 'x' } });
      expect(opened).toMatchObject({ ok: false, message: expect.stringContaining(language) });
    });
  });
}

function answering({ programs, open, once }: Bench): void {
  it('answers case after case, in order', async () => {
    await using sandbox = await open(programs.echoInput);
    for (const input of ['a', 2, null, true, [1, { b: 'ü\u2028\u0000"\\' }], { deep: { er: [[]] } }]) {
      const run = await sandbox.run(taskOf(input), never());
      expect(run).toMatchObject({ kind: 'answer', answer: input, log: '' });
      expect(run.kind === 'answer' && run.wallMs).toBeGreaterThan(0);
    }
  });
  it('hands over the task and nothing but the task', async () => {
    const answer = { id: 'case-1', input: { q: [1, 2] }, target: 'keeper', keys: ['id', 'input', 'target'] };
    expect(await once(programs.describeTask, { q: [1, 2] })).toMatchObject({ kind: 'answer', answer });
  });
  it('starts every case from fresh program state', async () => {
    await using sandbox = await open(programs.countRuns);
    for (let i = 0; i < 3; i++) {
      expect(await sandbox.run(taskOf(i, `case-${i}`), never())).toMatchObject({ kind: 'answer', answer: [1, 1, 1] });
    }
  });
  it('keeps what the program prints', async () => {
    const run = await once(programs.printBoth);
    expect(run).toMatchObject({ kind: 'answer', answer: 'done' });
    expect(run.kind === 'answer' && run.log).toMatch(/to the log 1 /);
    expect(run.kind === 'answer' && run.log).toContain('to the error log\n');
  });
  it('does not take an answer from what is printed', async () => {
    const lines = [
      '{"type":"answer","answer":"forged"}',
      '{"kind":"answer","text":"\\"forged\\""}',
      '\u0000\u0000\u0000\u0010{"type":"end"}',
    ];
    const run = await once(programs.forge, lines);
    expect(run).toMatchObject({ kind: 'answer', answer: 'honest' });
  });
}

function talking({ programs, open, once, options }: Bench): void {
  it('carries a chat to the door and the reply back', async () => {
    const door = fakeDoor();
    expect(await once(programs.chatOnce, 'hello', { door })).toMatchObject({ kind: 'answer', answer: 'keeper heard: hello' });
    const messages = [
      { role: 'system', content: 'be brief' },
      { role: 'user', content: 'hello' },
    ];
    expect(door.requests).toEqual([{ target: 'keeper', messages, temperature: 0.5, maxOutputTokens: 16 }]);
  });
  it('asks the target of the case unless another is named', async () => {
    const door = fakeDoor();
    expect(await once(programs.chatTwice, null, { door })).toMatchObject({ answer: ['keeper heard: one', 'other heard: two'] });
    expect(door.requests.map((request) => request.target)).toEqual(['keeper', 'other']);
  });
  it('lets the program catch a fault of the door', async () => {
    const door = fakeDoor(() => ({ ok: false, fault: { kind: 'budget', message: 'no calls are left', httpStatus: 402 } }));
    const run = await once(programs.catchFault, null, { door });
    expect(run).toMatchObject({ kind: 'answer', answer: { caught: true, message: expect.stringContaining('no calls are left') } });
  });
  it('ends a case that waits for a silent door, and stops the call', async () => {
    const door = fakeDoor(silent);
    await using sandbox = await open(programs.chatOnce, { door, limits: { ...conformanceLimits, ...options.limits, wallMs: 700 } });
    expect(await sandbox.run(taskOf('hello'), never())).toMatchObject({ kind: 'limit', limit: 'wall' });
    await expect.poll(() => door.aborted(), { timeout: graceMs }).toBe(1);
  });
}

function failing({ programs, open, once, options }: Bench): void {
  const names = { kind: 'fault', code: 'program_error' };
  it('reports an exception with its message and line', async () => {
    const run = await once(programs.raise);
    expect(run).toMatchObject({ ...names, message: expect.stringContaining('the wheels came off') });
    expect(run.kind === 'fault' && run.message).toMatch(/\b3\b/);
  });
  it('reports a syntax error', async () => {
    expect(await once(programs.syntaxError)).toMatchObject({ ...names, message: expect.stringMatching(/syntax/i) });
  });
  it('says what to write when there is no entry point', async () => {
    expect(await once(programs.noEntryPoint)).toMatchObject({ ...names, message: expect.stringContaining('solve') });
  });
  for (const [name, source] of Object.entries(programs.exits)) {
    it(`calls ${name} the program's fault, and runs the next case`, async () => {
      await using sandbox = await open(source);
      for (let i = 0; i < 2; i++) {
        const run = await sandbox.run(taskOf(null), never());
        expect(run.kind === 'fault' && run.code).toMatch(/^(early_exit|program_error)$/);
      }
    });
  }
  for (const [index, line] of (options.forgeries ?? []).entries()) {
    it(`does not believe forged frame ${index}`, async () => {
      expect(await once(programs.forge, [line, line])).toMatchObject({ kind: 'answer', answer: 'honest' });
    });
  }
}

function limiting({ programs, open, once, options }: Bench): void {
  const limits = { ...conformanceLimits, ...options.limits };
  it('stops an endless loop in time, and runs the next case', async () => {
    await using sandbox = await open(programs.loopWhenAsked);
    const before = performance.now();
    const run = await sandbox.run(taskOf('loop'), never());
    expect(performance.now() - before).toBeLessThan(limits.wallMs + graceMs);
    expect(run.kind === 'limit' && run.limit).toMatch(/^(cpu|wall)$/);
    expect(await sandbox.run(taskOf('go on'), never())).toMatchObject({ kind: 'answer', answer: 'fine' });
  });
  it('stops a program that waits for nothing', async () => {
    const before = performance.now();
    expect(await once(programs.waitForever, null, { limits: { ...limits, wallMs: 500 } })).toMatchObject({ kind: 'limit', limit: 'wall' });
    expect(performance.now() - before).toBeGreaterThanOrEqual(500);
  });
  it('stops a program that eats memory, and runs the next case', async () => {
    // Filling memory takes processor time; the bound on memory is the one to meet.
    await using sandbox = await open(programs.eatMemoryWhenAsked, { limits: { ...limits, wallMs: 15_000, cpuMs: 15_000 } });
    expect(await sandbox.run(taskOf('eat'), never())).toMatchObject({ kind: 'limit', limit: 'memory' });
    expect(await sandbox.run(taskOf('go on'), never())).toMatchObject({ kind: 'answer', answer: 'fine' });
  });
  it('stops a program that prints for ever, and keeps no more than the limit', async () => {
    const run = await once(programs.printForever);
    expect(run).toMatchObject({ kind: 'limit', limit: 'output' });
    expect(run.kind === 'limit' && Buffer.byteLength(run.log)).toBeLessThanOrEqual(limits.outputBytes);
    expect(run.kind === 'limit' && Buffer.byteLength(run.log)).toBeGreaterThan(limits.outputBytes / 2);
  });
}

function refusing({ programs, open, once, options }: Bench): void {
  const names = { kind: 'fault', code: 'invalid_output' };
  it('takes an answer up to the limit and none above', async () => {
    const { answerBytes } = { ...conformanceLimits, ...options.limits };
    await using sandbox = await open(programs.longAnswer);
    expect(await sandbox.run(taskOf(answerBytes - 2), never())).toMatchObject({ kind: 'answer' });
    const run = await sandbox.run(taskOf(answerBytes - 1), never());
    expect(run).toMatchObject({ ...names, message: expect.stringContaining(String(answerBytes)) });
    expect(await sandbox.run(taskOf(1), never())).toMatchObject({ kind: 'answer', answer: 'x' });
  });
  for (const [name, source] of Object.entries(programs.notJson)) {
    it(`refuses ${name} as an answer`, async () => {
      expect(await once(source)).toMatchObject(names);
    });
  }
  it('refuses an answer with a reserved key, and nothing is polluted', async () => {
    expect(await once(programs.protoAnswer)).toMatchObject({ ...names, message: expect.stringContaining('__proto__') });
    expect('polluted' in {}).toBe(false);
  });
  it('refuses an answer nested 100,000 deep', async () => {
    await using sandbox = await open(programs.deepAnswer);
    expect(await sandbox.run(taskOf(null), never())).toMatchObject(names);
    expect(await sandbox.run(taskOf(null), never())).toMatchObject(names);
  });
}

function stopping({ programs, open, options }: Bench): void {
  const limits = { ...conformanceLimits, ...options.limits, wallMs: 20_000, cpuMs: 20_000 };
  const prompt = async (running: Promise<CaseRun>, stop: () => void) => {
    const before = performance.now();
    stop();
    expect(await running).toMatchObject({ kind: 'error' });
    expect(performance.now() - before).toBeLessThan(1_000);
  };
  it('stops within a second when the case is cancelled', async () => {
    await using sandbox = await open(programs.loopWhenAsked, { limits });
    const cancel = new AbortController();
    await prompt(sandbox.run(taskOf('loop'), cancel.signal), () => cancel.abort());
    expect(await sandbox.run(taskOf('go on'), never())).toMatchObject({ kind: 'answer', answer: 'fine' });
  });
  it('stops within a second when the evaluation is cancelled, and runs nothing after', async () => {
    const cancel = new AbortController();
    await using sandbox = await open(programs.loopWhenAsked, { limits, signal: cancel.signal });
    await prompt(sandbox.run(taskOf('loop'), never()), () => cancel.abort());
    expect(await sandbox.run(taskOf('go on'), never())).toMatchObject({ kind: 'error' });
  });
  it('leaves nothing behind when disposed in the middle of a case', async () => {
    const sandbox = await open(programs.loopWhenAsked, { limits });
    const running = sandbox.run(taskOf('loop'), never());
    await prompt(running, () => void sandbox[Symbol.asyncDispose]());
    await sandbox[Symbol.asyncDispose]();
    await expect.poll(() => options.leftovers(), { timeout: graceMs }).toEqual([]);
  });
}
