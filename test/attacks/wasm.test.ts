import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CaseRun } from '../../contracts/sandbox.ts';
import { benchOf, conformanceLimits } from '../../sandboxes/conformance.ts';
import { fakeDoor, replyOf, silent } from '../../sandboxes/conformance-door.ts';
import { wasmDriver } from '../../sandboxes/wasm/driver.ts';

// Programs that try to get out of the wasm sandbox, to reach what is not theirs, or to cost more than they may.

const bench = benchOf(wasmDriver(), 'js', { leftovers: async () => [] });
const solve = (body: string) => `export default async function solve(task, target) { ${body} }`;
const run = (body: string, input: string | number | null = null, wallMs = conformanceLimits.wallMs) =>
  bench.once(solve(body), input, { limits: { ...conformanceLimits, wallMs } });
const answerOf = (ended: CaseRun) => (ended.kind === 'answer' ? ended.answer : ended);
const canary = 'canary-5f1d0c7b9e';

beforeAll(() => {
  process.env.COLLECTIVE_TEST_CANARY = canary;
});
afterAll(() => {
  delete process.env.COLLECTIVE_TEST_CANARY;
});

describe('the host stays out of reach', () => {
  it('has no host object among its globals', async () => {
    const names = [
      'process',
      'require',
      'module',
      'Buffer',
      'fetch',
      'WebAssembly',
      'setTimeout',
      'setInterval',
      'queueMicrotask',
      'navigator',
    ];
    const more = ['global', 'window', 'self', 'Worker', 'Atomics', 'std', 'os', 'Deno', 'Bun', 'gc', 'XMLHttpRequest', 'host', 'limits'];
    const all = JSON.stringify([...names, ...more]);
    expect(answerOf(await run(`return ${all}.filter((name) => name in globalThis || typeof globalThis[name] !== 'undefined');`))).toEqual(
      [],
    );
  });

  const chains: Record<string, string> = {
    'a literal': '({}).constructor.constructor',
    'the task': 'task.constructor.constructor',
    'the target': 'target.constructor.constructor',
    'target.chat': 'target.chat.constructor',
    console: 'console.log.constructor',
    'the promise of a call': 'target.chat([{ role: "user", content: "x" }]).constructor.constructor',
    'an error of the host': '(await target.chat(0).catch((error) => error)).constructor.constructor',
    'an async function': '(async () => {}).constructor',
    'a generator': '(function* () {}).constructor',
  };
  for (const [name, chain] of Object.entries(chains)) {
    it(`finds nothing through the constructor of ${name}`, async () => {
      const body = `const make = ${chain};
        const look = 'return [typeof process, typeof require, typeof fetch, typeof WebAssembly]';
        let found = await make(look)(); if (typeof found.next === 'function') found = found.next().value; return found;`;
      expect(answerOf(await run(body))).toEqual(['undefined', 'undefined', 'undefined', 'undefined']);
    });
  }

  for (const name of [
    'fs',
    'node:fs',
    'child_process',
    'std',
    'os',
    './child.ts',
    '/etc/passwd',
    'https://example.com/x.js',
    'data:text/javascript,1',
  ]) {
    it(`cannot import ${name}`, async () => {
      const dynamic = await run(`return await import(${JSON.stringify(name)}).then(() => 'imported', (error) => error.message);`);
      expect(answerOf(dynamic)).toContain('cannot be imported');
      const fixed = await bench.once(
        `import * as x from ${JSON.stringify(name)}; export default async function solve() { return Object.keys(x); }`,
      );
      expect(fixed).toMatchObject({ kind: 'fault', code: 'program_error', message: expect.stringContaining('cannot be imported') });
    });
  }

  it('never shows the environment of the worker', async () => {
    const body = `const seen = []; const queue = [globalThis, task, target, console, import.meta, new Error('x'), solve];
      const known = new Set();
      while (queue.length > 0 && known.size < 20000) {
        const value = queue.pop();
        if (value === null || (typeof value !== 'object' && typeof value !== 'function') || known.has(value)) continue;
        known.add(value);
        for (const key of Reflect.ownKeys(value)) {
          let inner; try { inner = value[key]; } catch { continue; }
          if (typeof inner === 'string') seen.push(inner); else queue.push(inner);
          seen.push(String(key));
        }
        queue.push(Object.getPrototypeOf(value));
      }
      return [known.size > 100, seen.join(' ').slice(0, 15000)];`;
    const ended = await run(body);
    expect(ended).toMatchObject({ kind: 'answer', answer: [true, expect.any(String)] });
    expect(JSON.stringify(ended)).not.toContain(canary);
    expect(JSON.stringify(ended)).not.toMatch(/node_modules|\/sandboxes\/|PATH=/);
  });

  it('shows no frame of the host in a stack, whatever prepareStackTrace is', async () => {
    const body = `Error.prepareStackTrace = (error, frames) => frames.map((frame) => frame.getThis?.() ?? frame);
      const deep = () => { throw new Error('x'); };
      try { deep(); } catch (error) { return String(error.stack); }`;
    expect(answerOf(await run(body))).not.toMatch(/node:|wasm:|\.ts|node_modules/);
    expect(await run('throw new Error("x")')).toMatchObject({ message: 'Error: x (line 1)' });
  });

  it('repeats: clock and randomness are the same in every run, and differ between tasks', async () => {
    const body = 'return [Math.random(), Math.random(), Date.now(), new Date().getTimezoneOffset()];';
    const [first, second] = [answerOf(await run(body)), answerOf(await run(body))];
    expect(first).toEqual(second);
    expect(first).toMatchObject([expect.any(Number), expect.any(Number), 0, 0]);
    await using sandbox = await bench.open(solve(body));
    const other = await sandbox.run({ id: 'another', input: null, target: null }, new AbortController().signal);
    expect((answerOf(other) as number[])[0]).not.toBe((first as number[])[0]);
  });
});

describe('the answer is data', () => {
  it('is not changed by polluted prototypes', async () => {
    const body = `Object.prototype.type = 'answer'; Object.prototype.text = '"forged"'; Array.prototype.push = () => { throw 1; };
      Object.prototype.toJSON = function () { return this; };
      JSON.stringify = () => '"forged"'; JSON.parse = () => 'forged'; Reflect.apply = () => 'forged';
      Promise.prototype.then = Promise.resolve = () => 'forged'; String.prototype.slice = () => 'forged'; return { honest: 1 };`;
    expect(answerOf(await run(body))).toEqual({ honest: 1 });
    expect('type' in {}).toBe(false);
  });
  for (const key of ['__proto__', 'constructor', 'prototype']) {
    it(`refuses the key ${key}`, async () => {
      const ended = await run(`return { a: [{ [${JSON.stringify(key)}]: { polluted: 1 } }] };`);
      expect(ended).toMatchObject({ kind: 'fault', code: 'invalid_output', message: expect.stringContaining(key) });
    });
  }
  it('takes what toJSON, a getter or a proxy gives, once', async () => {
    const body = `let reads = 0;
      return { a: { toJSON: () => 'x' }, get b() { return ++reads; }, c: new Proxy([], { get: (list, key) => key === 'length' ? 2 : list[key] ?? 7 }) };`;
    expect(answerOf(await run(body))).toMatchObject({ a: 'x', b: 1, c: [expect.anything(), expect.anything()] });
  });
  it('refuses a result whose serialisation throws or never ends', async () => {
    expect(await run('return { get a() { throw new Error("no"); } };')).toMatchObject({ code: 'invalid_output', message: 'no' });
    // Wall time enough that on a busy machine processor time is what runs out.
    expect(await run('return { toJSON() { for (;;); } };', null, 20_000)).toMatchObject({ kind: 'limit', limit: 'cpu' });
    const endless = 'return new Proxy([], { get: (list, key) => (key === "length" ? 4294967295 : key === "toJSON" ? undefined : 1) });';
    expect((await run(endless)).kind).toBe('limit');
  });
  it('awaits a thenable and takes its first value', async () => {
    expect(answerOf(await run('return { then(give, fail) { give(1); give(2); fail(3); } };'))).toBe(1);
    expect(await run('return { then() {} };')).toMatchObject({ kind: 'limit', limit: 'wall' });
    expect(await run('throw { get message() { throw 1; }, toString() { throw 2; } };')).toMatchObject({ code: 'program_error' });
  });
  it('does not take a second answer made after the first', async () => {
    expect(answerOf(await run('Promise.resolve().then(() => { for (let i = 0; i < 9; i++) console.log(i); }); return "first";'))).toBe(
      'first',
    );
  });
});

describe('costs are bounded', () => {
  const timed = async (source: Promise<CaseRun>) => {
    const before = performance.now();
    const ended = await source;
    expect(performance.now() - before).toBeLessThan(conformanceLimits.wallMs + 1_500);
    return ended;
  };
  const hangs: Record<string, string> = {
    'a loop that catches': 'for (;;) { try { for (;;); } catch {} finally { continue; } }',
    'a loop of microtasks': 'const again = () => Promise.resolve().then(again); await again();',
    'an async loop': 'for (;;) await null;',
    'a catastrophic regular expression': 'return /^(a+)+$/.test("a".repeat(40) + "b");',
    'a search in a native function': 'const text = "a".repeat(50000000); return text.indexOf("a".repeat(25000000) + "b");',
    'a sort in a native function': 'const list = new Float64Array(8000000).map((_, i) => i ^ 0x5555); for (;;) list.sort();',
    'a big integer': 'const big = 7n ** 100000n; let odd = 0; for (;;) odd += Number((big * big) % 2n);',
  };
  for (const [name, body] of Object.entries(hangs)) {
    it(`stops ${name} in time`, async () => {
      expect((await timed(run(body))).kind).toBe('limit');
    });
  }
  it('calls a promise that never settles a wall limit, also at the top of the module', async () => {
    expect(await run('await new Promise(() => {});')).toMatchObject({ kind: 'limit', limit: 'wall' });
    expect(await bench.once('await new Promise(() => {}); export default async () => 1;')).toMatchObject({ kind: 'limit', limit: 'wall' });
  });
  const overflows = [
    'const f = () => f() + 1; return f();',
    'let a = "["; a = a.repeat(1e5); return JSON.parse(a);',
    'return "(".repeat(1e5).match("(".repeat(1e5));',
  ];
  for (const [index, body] of overflows.entries()) {
    it(`calls overflow ${index} of the stack an error of the program`, async () => {
      expect(await run(body)).toMatchObject({ kind: 'fault', code: 'program_error' });
    });
  }
  const bombs = [
    'const kept = []; for (let i = 0; ; i++) kept.push("x".repeat(1000000) + i);',
    'return new Uint8Array(2 ** 31 - 8).length;',
    'const kept = []; for (;;) kept.push({ a: [] });',
    'const kept = new Map(); for (let i = 0; ; i++) kept.set(i, String(i));',
  ];
  for (const [index, body] of bombs.entries()) {
    it(`calls memory bomb ${index} a memory limit`, async () => {
      const limits = { ...conformanceLimits, wallMs: 20_000, cpuMs: 20_000, memoryBytes: 33_554_432 };
      expect(await bench.once(solve(body), null, { limits })).toMatchObject({ kind: 'limit', limit: 'memory' });
    });
  }
  it('bounds one print of a huge string, and what is not text', async () => {
    expect(await run('console.log("x".repeat(30000000)); return 1;')).toMatchObject({ kind: 'limit', limit: 'output' });
    const ended = await run(
      'console.log({ toJSON() { throw 1; } }, Symbol("s"), 1n, undefined, [function () {}], "a\\u0000b\\ud800c"); return 1;',
    );
    expect(ended).toMatchObject({ kind: 'answer', log: '[cannot be shown] Symbol(s) 1 undefined [null] a\u0000b\ufffdc\n' });
  });
  it('bounds calls that are open at once, and the program can go on', async () => {
    const door = fakeDoor(async (request) => replyOf(request, 'ok'));
    const body = `const all = await Promise.allSettled(Array.from({ length: 10000 }, () => target.chat([{ role: 'user', content: 'x' }])));
      const after = await target.chat([{ role: 'user', content: 'x' }]);
      return [all.filter((one) => one.status === 'fulfilled').length, all.find((one) => one.status === 'rejected').reason.message, after];`;
    expect(answerOf(await bench.once(solve(body), null, { door }))).toEqual([64, expect.stringContaining('at most 64 calls'), 'ok']);
    expect(door.mostOpen()).toBeLessThanOrEqual(64);
  });
  it('stops every open call when the case ends', async () => {
    const door = fakeDoor(silent);
    const body = 'for (let i = 0; i < 50; i++) target.chat([{ role: "user", content: "x" }]).catch(() => {}); await null; return 1;';
    expect(answerOf(await bench.once(solve(body), null, { door }))).toBe(1);
    await expect.poll(() => door.aborted()).toBe(50);
  });
  it('refuses messages that are too large, misshapen or too deep, as exceptions', async () => {
    const door = fakeDoor();
    const tries = [
      '[{ role: "user", content: "x".repeat(2000000) }]',
      '[]',
      '"text"',
      '[{ role: "root", content: "x" }]',
      '[{ role: "user", content: { toString: 1 } }]',
      '[{ role: "user", content: "x" }], { temperature: 9 }',
      '[{ role: "user", content: "x" }], { tools: [] }',
      '[{ role: "user", content: "x" }], { target: { name: "keeper" } }',
      '[{ role: "user", content: "x", ["__proto__"]: 1 }]',
      'new Array(3000).fill({ role: "user", content: "x" })',
      '(() => { let a = []; for (let i = 0; i < 100; i++) a = [a]; return a; })()',
      '(() => { const a = []; a.push(a); return a; })()',
    ];
    const body = `const said = []; ${tries.map((one) => `await target.chat(${one}).then(() => said.push('sent'), (error) => said.push(error instanceof Error && error.message.length > 10));`).join('\n')} return said;`;
    expect(answerOf(await bench.once(solve(body), null, { door }))).toEqual(tries.map(() => true));
    expect(door.requests).toEqual([]);
  });
  it('does not carry a huge reply inside', async () => {
    const door = fakeDoor((request) => replyOf(request, 'x'.repeat(2_000_000)));
    const body = 'return await target.chat([{ role: "user", content: "x" }]).catch((error) => [error.kind, error.message]);';
    expect(answerOf(await bench.once(solve(body), null, { door }))).toEqual(['overflow', expect.stringContaining('too large')]);
  });
});
