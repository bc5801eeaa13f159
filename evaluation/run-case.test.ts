import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CaseRun, SandboxDriver } from '../contracts/sandbox.ts';
import { wasmDriver } from '../sandboxes/wasm/driver.ts';
import { depsFor, planFor, programOf, rightAnswers, rightPrompts, scriptedGateway, wordRubricOf } from '../test/setup/evaluation.ts';
import { evaluate } from './evaluate.ts';

const open = wordRubricOf({ phases: [{ name: 'open', title: 'Open', splits: ['public'] }], cases: { public: 'cases/public.jsonl' } });
const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

async function judge(submission: Parameters<typeof planFor>[1], sandboxes: SandboxDriver[] = [wasmDriver()], rubric = open) {
  const plan = planFor(rubric, submission);
  const deps = depsFor(plan, { sandboxes });
  const output = await evaluate(plan, deps);
  return { ...output, sink: deps.sink };
}

describe('the result of a case', () => {
  it('carries hashes of exactly the texts that are stored, and none where there is nothing', async () => {
    const { results, sink } = await judge(
      programOf("console.log('grüße \\u{1F600}', task.id); await target.chat([{ role: 'user', content: 'hi' }]); return 'x';"),
    );
    expect(results).toHaveLength(3);
    for (const { result, texts } of sink.kept) {
      expect(texts.log).toContain('grüße 😀');
      expect(result.logHash).toBe(sha256(texts.log ?? ''));
      expect(result.transcriptHash).toBe(sha256(texts.transcript ?? ''));
      expect(JSON.parse(texts.transcript ?? '')).toMatchObject([{ index: 0, askedBy: 'submission', reply: { content: 'hi' } }]);
      expect(result.usage).toEqual({ calls: 1, inputTokens: 3, outputTokens: 2, costMicros: '0' });
    }
    const quiet = await judge(rightAnswers(open));
    expect(
      quiet.sink.kept.every(({ result, texts }) => result.logHash === null && result.transcriptHash === null && texts.log === null),
    ).toBe(true);
  });

  it('counts what was charged, not what was asked: a refused call is in the transcript and costs nothing', async () => {
    const body = `
      for (const name of ['nowhere', undefined]) {
        try { await target.chat([{ role: 'user', content: 'hi' }], name === undefined ? {} : { target: name }); } catch {}
      }
      return 'x';`;
    const { sink } = await judge(programOf(body));
    for (const { result, texts } of sink.kept) {
      expect(JSON.parse(texts.transcript ?? '')).toMatchObject([{ fault: { kind: 'policy' } }, { reply: { content: 'hi' } }]);
      expect(result.usage.calls).toBe(1);
    }
  });

  it('of a program ends as what the worker saw, in clear words, with score 0', async () => {
    const body = `
      if (task.id === 'p0') { for (;;) console.log('x'.repeat(1000)); }
      if (task.id === 'p1') { throw new Error('the wheels came off'); }
      return { not: 'a string' };`;
    const { results, verdict } = await judge(programOf(body));
    expect(results[0]).toMatchObject({
      end: 'limit',
      limit: 'output',
      score: 0,
      grades: [],
      message: expect.stringContaining('printed more than 4096 bytes'),
    });
    expect(results[1]).toMatchObject({ end: 'fault', score: 0, message: expect.stringContaining('the wheels came off') });
    expect(results[2]).toMatchObject({ end: 'fault', score: 0, message: expect.stringMatching(/^invalid_output: .*schema/) });
    expect(verdict).toMatchObject({ outcome: 'fail', score: 0 });
  });

  it('of a program that never ends is a limit; when every case is one, so is the outcome', async () => {
    const short = wordRubricOf({
      phases: [{ name: 'open', title: 'Open', splits: ['public'] }],
      cases: { public: 'cases/public.jsonl' },
      sandbox: { profiles: ['js'], limits: { wallMs: 200, cpuMs: 5_000 } },
    });
    const { results, verdict } = await judge(programOf('await new Promise(() => {});'), undefined, short);
    expect(results.map(({ end, limit }) => `${end} ${limit}`)).toEqual(['limit wall', 'limit wall', 'limit wall']);
    expect(results[0]?.message).toContain('did not finish within 200 ms');
    expect(verdict.outcome).toBe('limit');
  });

  it('keeps a very long message short', async () => {
    const long: CaseRun = { kind: 'fault', code: 'program_error', message: 'x'.repeat(10_000), log: '', wallMs: 1 };
    const driver: SandboxDriver = {
      name: 'wasm',
      profiles: ['js'],
      probe: async () => ({ available: true, profiles: ['js'], gvisor: false, detail: '' }),
      open: async () => ({
        ok: true,
        sandbox: {
          run: async () => long,
          environment: { driver: 'wasm', runtime: null, imageId: null, profileSha256: null },
          [Symbol.asyncDispose]: async () => {},
        },
      }),
    };
    const { results } = await judge(programOf(''), [driver]);
    expect(results[0]?.message).toHaveLength(2000);
  });

  it('counts the calls of graders beside those of the submission', async () => {
    const asking = wordRubricOf({
      phases: [{ name: 'open', title: 'Open', splits: ['public'] }],
      cases: { public: 'cases/public.jsonl' },
      submission: [{ kind: 'prompts' }],
      criteria: [{ name: 'said', title: 'Said', grader: { kind: 'includes', of: 'last-reply', to: 'expected/word' } }],
    });
    const plan = planFor(asking, rightPrompts(asking), { submission: { kind: 'prompts', prompts: { p0: 'say word-p0', p1: 'no' } } });
    const deps = depsFor(plan, { gateway: scriptedGateway((request) => `you said ${request.messages[0]?.content}`) });
    const { results } = await evaluate(plan, deps);
    expect(results.map(({ end, score, usage }) => [end, score, usage.calls])).toEqual([
      ['answered', 1, 1],
      ['answered', 0, 1],
      ['missing', 0, 0],
    ]);
  });
});
