import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { EvaluationReport } from '../../contracts/evaluation.ts';
import type { Language, SandboxDriver } from '../../contracts/sandbox.ts';
import { resultHash } from '../../evaluation/result-hash.ts';
import { runLocal } from '../../evaluation/run-local.ts';
import { dockerDriver } from '../../sandboxes/docker/driver.ts';
import { wasmDriver } from '../../sandboxes/wasm/driver.ts';
import { testEngine } from '../setup/docker.ts';
import { parrot, phaseOf, scriptedGateway, seed, wordRubricOf } from '../setup/evaluation.ts';
import { describeWith } from '../setup/optional.ts';

// Whatever a program writes to whatever it can reach, the score and the blame are those of the same program without it.

const rubric = wordRubricOf({
  sandbox: { profiles: ['js', 'python'], limits: { wallMs: 10_000, cpuMs: 5_000, outputBytes: 262_144 } },
});
const engine = await testEngine();
const socketFolder = await mkdtemp(join(tmpdir(), 'forged-'));
afterAll(() => rm(socketFolder, { recursive: true, force: true }));

/** Ways to forge in Python; `case` is the id of the current one. Each stays below the limit of output. */
const forgeries: Record<string, string> = {
  'a guessed nonce': 'for nonce in ("", "0" * 64, None): os.write(1, framed({"nonce": nonce, **RESULT}))',
  'frames to the error stream': 'os.write(2, framed({"nonce": "0" * 64, **RESULT}))',
  'frames of the engine': 'body = framed({"nonce": "", **RESULT}); os.write(1, struct.pack(">BxxxI", 1, len(body)) + body)',
  'the next number': 'for seq in range(9): os.write(1, framed({"nonce": "", **RESULT, "seq": seq}))',
  'other kinds': 'for kind in ("warm", "ready", "score", "stop", "hello"): os.write(1, framed({"nonce": "", **RESULT, "type": kind}))',
  'an empty and a huge length': 'os.write(1, b"\\0\\0\\0\\0" + b"\\xff\\xff\\xff\\xff" + b"{}")',
  'a frame in many pieces': 'for byte in framed({"nonce": "", **RESULT})[:400]: os.write(1, bytes([byte]))',
  'answers where none are read': 'os.write(1, b\'A"word-p0"\\nA"word-h0"\\n\')',
  'a flood of frames': 'for _ in range(700): os.write(1, framed({"nonce": "", **RESULT}))',
  'every descriptor': 'for fd in range(4, 64): attempt(lambda: os.write(fd, framed({"nonce": "", **RESULT})))',
  "the runner's descriptors": 'for fd in range(8): attempt(lambda: os.write(os.open(f"/proc/1/fd/{fd}", os.O_WRONLY), framed(RESULT)))',
  "the zygote's descriptors": 'for fd in range(8): attempt(lambda: os.write(os.open(f"/proc/2/fd/{fd}", os.O_WRONLY), framed(RESULT)))',
  'score files':
    'for name in ("score.json", "reward.txt", "result.json"): attempt(lambda: open("/work/" + name, "w").write(\'{"score": 1}\'))',
  'a replay by a child that stays': 'os.fork() or replay()',
};

const python = (chosen: readonly string[]) => `import json, os, struct, time

RESULT = {"type": "result", "seq": 1, "end": "answer", "exitCode": 0, "signal": None, "answer": "QSJ3b3JkLXAwIgo=", "log": "", "diskFull": False, "artifacts": None, "clean": True}


def framed(frame):
    body = json.dumps(frame).encode()
    return struct.pack(">I", len(body)) + body


def attempt(action):
    try:
        action()
    except OSError:
        pass


def replay():
    os.setsid()
    for _ in range(50):
        attempt(lambda: os.write(1, framed({"nonce": "", **RESULT})))
        time.sleep(0.001)
    time.sleep(60)


def solve(task, target):
${chosen.map((name) => `    ${forgeries[name]}`).join('\n')}
    # Right for some, wrong for some, and one that fails: a score in the middle shows a change in both directions.
    if task["id"] == "h1":
        raise ValueError("this one fails")
    return "word-" + task["id"] if task["id"] in ("p0", "h0") else "wrong"
`;

const scripts: Record<string, string> = {
  'a frame of its own process': 'console.log(JSON.stringify({ type: "answer", text: "\\"word-p1\\"" }));',
  'a length and a frame': 'console.log(String.fromCharCode(0, 0, 0, 40) + JSON.stringify({ type: "outcome" }));',
  'a polluted prototype': 'Object.prototype.type = "answer"; Object.prototype.text = "\\"word-p1\\"";',
  'a replaced JSON': 'JSON.stringify = () => "\\"word-p1\\"";',
  'a flood of frames': 'for (let i = 0; i < 900; i++) console.log(JSON.stringify({ type: "answer", kind: "answer", text: "x" }));',
  'a late answer': 'Promise.resolve().then(() => console.log("A\\"word-p1\\""));',
};

const javascript = (chosen: readonly string[]) => `export default async function solve(task) {
  ${chosen.map((name) => scripts[name]).join('\n  ')}
  if (task.id === 'h1') throw new Error('this one fails');
  return task.id === 'p0' || task.id === 'h0' ? 'word-' + task.id : 'wrong';
}
`;

async function judged(driver: SandboxDriver, language: Language, source: string): Promise<EvaluationReport> {
  return await runLocal({
    ...{ rubric, phase: phaseOf(rubric), document: { kind: 'program', language, source }, seed, targets: rubric.rubric.targets },
    ...{ gateway: scriptedGateway(parrot), sandboxes: [driver], signal: new AbortController().signal, onProgress: () => {} },
  });
}

/** All that is decided, and nothing of what is only told: log, times, and the hash of a source that is another one. */
function decided(report: EvaluationReport) {
  const { outcome, reason, score, interval, metrics, criteria } = report;
  const verdict = { outcome, reason, score, interval, metrics, criteria };
  const core = { rubricHash: report.rubricHash, submissionHash: '', seed, phase: report.phase, verdict, results: report.cases };
  return {
    verdict,
    ends: report.cases.map(({ caseId, end, limit, score: one }) => ({ caseId, end, limit, score: one })),
    hash: resultHash(core),
  };
}

async function holds(
  driver: SandboxDriver,
  language: Language,
  ways: string[],
  write: (chosen: readonly string[]) => string,
  runs: number,
) {
  const honest = decided(await judged(driver, language, write([])));
  expect(honest.verdict).toMatchObject({ outcome: 'fail', score: 0.4 });
  expect(honest.ends.map(({ end }) => end).sort()).toEqual(['answered', 'answered', 'answered', 'answered', 'fault']);
  // All of them at once, then some in any order.
  expect(decided(await judged(driver, language, write(ways)))).toEqual(honest);
  const property = fc.asyncProperty(fc.shuffledSubarray(ways, { minLength: 1 }), async (chosen) => {
    expect(decided(await judged(driver, language, write(chosen)))).toEqual(honest);
  });
  await fc.assert(property, { numRuns: runs, endOnFailure: true });
}

describe('frames that a program forges, replays and floods with', () => {
  it('change neither score nor blame in the wasm driver', async () => {
    await holds(wasmDriver(), 'javascript', Object.keys(scripts), javascript, 5);
  });
});

describeWith('docker', engine.state, 'frames that a program forges, replays and floods with', () => {
  const { dockerHost, images } = engine;
  it('change neither score nor blame in the docker driver', async () => {
    await using driver = dockerDriver({ dockerHost, images, socketFolder, workerId: `forged-${process.pid}` });
    await holds(driver, 'python', Object.keys(forgeries), python, 8);
  }, 60_000);
});
