import { describe, expect, it } from 'vitest';
import { GraderSpec } from '../../contracts/graders.ts';
import { exchange, gradingContext } from '../../test/setup/rubrics.ts';
import { compileGrader } from './compile.ts';

const grader = (parts: object) => compileGrader(GraderSpec.parse({ kind: 'tool-policy', ...parts }), () => '');
type Made = [tool: string, args?: unknown];

/** One reply per list of calls. */
const on = (...replies: Made[][]) =>
  gradingContext({
    case: { id: 'c', input: { user: 'bob@example.org' } },
    transcript: replies.map((calls) => {
      const made = exchange('');
      const toolCalls = calls.map(([name, args], i) => ({
        id: `${i}`,
        name,
        arguments: typeof args === 'string' ? args : JSON.stringify(args ?? {}),
      }));
      return { ...made, reply: { ...made.reply!, toolCalls } };
    }),
  });
const send = (to: unknown): Made => ['send', { to, body: 'hi' }];
const toUser = { tool: 'send', arguments: [{ at: '/to', is: 'equals', to: { source: 'input/user' } }] };
const toStranger = { tool: 'send', arguments: [{ at: '/to', is: 'differs', from: { source: 'input/user' } }] };

describe('a policy', () => {
  it.each<[string, object, Made[][], number]>([
    ['of allowed tools', { allowed: ['read'] }, [[['read'], ['read']]], 1],
    ['of allowed tools, broken in a later reply', { allowed: ['read'] }, [[['read']], [['send']]], 0],
    ['of allowed tools, kept by no call', { allowed: ['read'] }, [], 1],
    ['knows tools by their exact name', { allowed: ['read'] }, [[['Read']]], 0],
    ['that forbids a tool', { forbidden: [{ tool: 'delete' }] }, [[['delete']]], 0],
    ['that forbids some arguments', { forbidden: [toStranger] }, [[send('bob@example.org')]], 1],
    ['that forbids some arguments, broken', { forbidden: [toStranger] }, [[send('bob@example.org'), send('eve@example.org')]], 0],
    ['takes unreadable arguments for forbidden ones', { forbidden: [toStranger] }, [[['send', '{"to":"bob@exa']]], 0],
    ['takes reserved keys for unreadable', { forbidden: [toStranger] }, [[['send', '{"__proto__":{},"to":"bob@example.org"}']]], 0],
    ['that requires a call', { required: [toUser] }, [[send('bob@example.org')]], 1],
    ['that requires a call nobody made', { required: [toUser] }, [[send('eve@example.org')]], 0],
    ['that requires a call, not an unreadable one', { required: [toUser] }, [[['send', 'to bob@example.org']]], 0],
    [
      'that requires a call at most once',
      { required: [{ ...toUser, atMost: 1 }] },
      [[send('bob@example.org')], [send('bob@example.org')]],
      0,
    ],
    ['that requires one without arguments', { required: [{ tool: 'list' }] }, [[['list', '']]], 1],
    ['of order', { order: [{ tool: 'read' }, { tool: 'send' }] }, [[['read'], ['other']], [['send']]], 1],
    ['of order, the other way round', { order: [{ tool: 'read' }, { tool: 'send' }] }, [[['send'], ['read']]], 0],
    ['of order finds it behind a false start', { order: [{ tool: 'read' }, { tool: 'send' }] }, [[['send'], ['read'], ['send']]], 1],
    ['of order with the same tool twice', { order: [{ tool: 'read' }, { tool: 'read' }] }, [[['read']]], 0],
    ['of few calls', { maxCalls: 1 }, [[['a'], ['b']]], 0],
  ])('%s', async (_, parts, replies, score) => {
    const result = await grader(parts)(on(...replies));
    expect(result).toMatchObject({ status: 'graded', score });
    expect(score === 1).toBe((result.evidence.broken as unknown[]).length === 0);
  });

  it('looks at calls of the submission only', async () => {
    const context = on([['delete']]);
    const ours = context.transcript.map((made) => ({ ...made, askedBy: 'grader' as const }));
    expect(await grader({ forbidden: [{ tool: 'delete' }] })({ ...context, transcript: ours })).toMatchObject({ score: 1 });
  });

  it('errs when the case lacks what it compares with, also where another rule is broken', async () => {
    const policy = grader({
      allowed: [],
      forbidden: [{ tool: 'send', arguments: [{ at: '/to', is: 'equals', to: { source: 'expected/x' } }] }],
    });
    expect(await policy(on([send('x')]))).toMatchObject({ status: 'error', score: null, evidence: { faultOf: 'sponsor' } });
  });
});
