import type { Language, Profile } from '../contracts/sandbox.ts';

/**
 * The programs of the conformance suite, once per language. Both languages follow one contract: the entry point is
 * `solve(task, target)`, `task` holds `id`, `input` and `target`, and `target.chat(messages, options)` gives the
 * reply's text or raises. In JavaScript both are asynchronous; in Python both are plain functions and `task` is a dict.
 */
export interface Programs {
  echoInput: string;
  describeTask: string;
  countRuns: string;
  printBoth: string;
  chatOnce: string;
  chatTwice: string;
  catchFault: string;
  raise: string;
  syntaxError: string;
  noEntryPoint: string;
  loopWhenAsked: string;
  waitForever: string;
  eatMemoryWhenAsked: string;
  printForever: string;
  longAnswer: string;
  protoAnswer: string;
  deepAnswer: string;
  forge: string;
  /** One program per value that JSON cannot hold. */
  notJson: Record<string, string>;
  /** Ways to end the process; empty where the profile has none. */
  exits: Record<string, string>;
}

const javascript: Omit<Programs, 'exits'> = {
  echoInput: `export default async function solve(task) { return task.input; }`,
  describeTask: `export async function solve(task) {
    return { id: task.id, input: task.input, target: task.target, keys: Object.keys(task).sort() };
  }`,
  countRuns: `let own = 0;
  export default async function solve() {
    own += 1;
    globalThis.shared = (globalThis.shared ?? 0) + 1;
    Object.prototype.polluted = (Object.prototype.polluted ?? 0) + 1;
    const counts = [own, globalThis.shared, Object.prototype.polluted];
    return counts;
  }`,
  printBoth: `export default async function solve() {
    console.log('to the log', 1, { a: [true] });
    console.error('to the error log');
    return 'done';
  }`,
  chatOnce: `export default async function solve(task, target) {
    return await target.chat([{ role: 'system', content: 'be brief' }, { role: 'user', content: task.input }],
      { temperature: 0.5, maxOutputTokens: 16 });
  }`,
  chatTwice: `export default async function solve(task, target) {
    const first = await target.chat([{ role: 'user', content: 'one' }]);
    const second = await target.chat([{ role: 'user', content: 'two' }], { target: 'other' });
    return [first, second];
  }`,
  catchFault: `export default async function solve(task, target) {
    try { await target.chat([{ role: 'user', content: 'hello' }]); return 'no fault'; }
    catch (error) { return { caught: error instanceof Error, message: error.message }; }
  }`,
  raise: `export default async function solve() {

    throw new Error('the wheels came off');
  }`,
  syntaxError: `export default async function solve() { return ]; }`,
  noEntryPoint: `export const answer = 42;`,
  loopWhenAsked: `export default async function solve(task) { while (task.input === 'loop') {} return 'fine'; }`,
  waitForever: `export default async function solve() { await new Promise(() => {}); }`,
  eatMemoryWhenAsked: `export default async function solve(task) {
    const kept = [];
    while (task.input === 'eat') kept.push(new Uint8Array(1048576).fill(1));
    return 'fine';
  }`,
  printForever: `export default async function solve() { for (;;) console.log('x'.repeat(1000)); }`,
  longAnswer: `export default async function solve(task) { return 'x'.repeat(task.input); }`,
  protoAnswer: `export default async function solve() { return JSON.parse('{"__proto__":{"polluted":true}}'); }`,
  deepAnswer: `export default async function solve() { let a = []; for (let i = 0; i < 100000; i++) a = [a]; return a; }`,
  forge: `export default async function solve(task) { for (const line of task.input) console.log(line); return 'honest'; }`,
  notJson: {
    undefined: `export default async function solve() {}`,
    NaN: `export default async function solve() { return NaN; }`,
    'a nested infinity': `export default async function solve() { return { a: [Infinity] }; }`,
    'a big integer': `export default async function solve() { return 1n; }`,
    'a function': `export default async function solve() { return () => 1; }`,
    'a cycle': `export default async function solve() { const a = []; a.push(a); return a; }`,
  },
};

const python: Omit<Programs, 'exits'> = {
  echoInput: 'def solve(task, target):\n    return task["input"]\n',
  describeTask:
    'def solve(task, target):\n    return {"id": task["id"], "input": task["input"], "target": task["target"], "keys": sorted(task)}\n',
  countRuns: `import builtins
own = 0
def solve(task, target):
    global own
    own += 1
    builtins.shared = getattr(builtins, "shared", 0) + 1
    import json
    json.polluted = getattr(json, "polluted", 0) + 1
    return [own, builtins.shared, json.polluted]
`,
  printBoth: `import sys
def solve(task, target):
    print("to the log", 1, {"a": [True]})
    print("to the error log", file=sys.stderr)
    return "done"
`,
  chatOnce: `def solve(task, target):
    return target.chat([{"role": "system", "content": "be brief"}, {"role": "user", "content": task["input"]}],
                       {"temperature": 0.5, "maxOutputTokens": 16})
`,
  chatTwice: `def solve(task, target):
    first = target.chat([{"role": "user", "content": "one"}])
    second = target.chat([{"role": "user", "content": "two"}], {"target": "other"})
    return [first, second]
`,
  catchFault: `def solve(task, target):
    try:
        target.chat([{"role": "user", "content": "hello"}])
        return "no fault"
    except Exception as error:
        return {"caught": True, "message": str(error)}
`,
  raise: 'def solve(task, target):\n\n    raise ValueError("the wheels came off")\n',
  syntaxError: 'def solve(task, target):\n    return ]\n',
  noEntryPoint: 'answer = 42\n',
  loopWhenAsked: 'def solve(task, target):\n    while task["input"] == "loop":\n        pass\n    return "fine"\n',
  waitForever: 'import time\ndef solve(task, target):\n    time.sleep(3600)\n',
  eatMemoryWhenAsked: `def solve(task, target):
    kept = []
    while task["input"] == "eat":
        kept.append(bytearray(b"x" * 1048576))
    return "fine"
`,
  printForever: 'def solve(task, target):\n    while True:\n        print("x" * 1000)\n',
  longAnswer: 'def solve(task, target):\n    return "x" * task["input"]\n',
  protoAnswer: 'def solve(task, target):\n    return {"__proto__": {"polluted": True}}\n',
  deepAnswer: 'def solve(task, target):\n    a = []\n    for i in range(100000):\n        a = [a]\n    return a\n',
  forge: 'def solve(task, target):\n    for line in task["input"]:\n        print(line, flush=True)\n    return "honest"\n',
  notJson: {
    'not a number': 'def solve(task, target):\n    return float("nan")\n',
    'a nested infinity': 'def solve(task, target):\n    return {"a": [float("inf")]}\n',
    'a set': 'def solve(task, target):\n    return {1, 2}\n',
    'a function': 'def solve(task, target):\n    return solve\n',
    'a cycle': 'def solve(task, target):\n    a = []\n    a.append(a)\n    return a\n',
  },
};

const exits: Record<Profile, Record<string, string>> = {
  js: {},
  image: {},
  node: {
    'process.exit(0)': `export default async function solve() { process.exit(0); }`,
    'SIGKILL to itself': `export default async function solve() { process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}); }`,
  },
  python: {
    'sys.exit(0)': 'import sys\ndef solve(task, target):\n    sys.exit(0)\n',
    'os._exit(0)': 'import os\ndef solve(task, target):\n    os._exit(0)\n',
    'SIGKILL to itself': 'import os\ndef solve(task, target):\n    os.kill(os.getpid(), 9)\n',
  },
};

export const languageOf = (profile: Profile): Language => (profile === 'python' ? 'python' : 'javascript');

export const programsFor = (profile: Profile): Programs => ({
  ...(languageOf(profile) === 'python' ? python : javascript),
  exits: exits[profile],
});
