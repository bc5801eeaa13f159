import { describe, expect, it } from 'vitest';
import { JudgeSpec } from '../../contracts/judging.ts';
import { callOf, gradeBy, playedJudges, toolReply } from '../../test/setup/judging.ts';
import { chatReply } from '../../test/setup/rubrics.ts';
import type { JudgeRequest } from '../judging/access.ts';
import { vendorsOf } from './jury.ts';

type Play = 'yes' | 'no' | 'unsure' | 'doubting' | 'mute' | 'liar' | 'gone' | 'tie';

const sentinels = {
  pass: [{ text: 'A sentinel of Paris', against: 'A sentinel of cheese' }],
  fail: [{ text: 'A sentinel of cheese', against: 'A sentinel of Paris' }],
};
const yesNo = { form: 'yes-no', ask: 'Does it name the capital?' };

/** Right about sentinels but for the liar; about the graded text each says what it is played to say. */
function juryOf(plays: readonly Play[]) {
  const names = plays.map((_, i) => `judge-${i}`);
  const access = playedJudges(names, (request, name) => {
    const play = plays[Number(name.split('-')[1])]!;
    if (play === 'gone') return { ok: false, fault: { kind: 'transport', message: 'no route', httpStatus: 502 } };
    const { box, mark } = callOf(request);
    const shown = JSON.stringify(box).replaceAll(mark ?? ' ', ' ');
    if (box.first) return pairReply(request, play, shown);
    if (shown.includes('sentinel') && play !== 'liar')
      return reply(request, shown.includes('Paris') ? 'yes' : 'no', shown.includes('Paris'));
    if (play === 'mute') return chatReply('Hm.');
    const no = play === 'no' || play === 'doubting';
    return reply(request, no ? 'no' : 'yes', !no, play === 'unsure' || play === 'doubting' ? 0.2 : 1, 'It');
  });
  return { names, access };
}

const reply = (request: JudgeRequest, verdict: string, quote: boolean, confidence = 1, word = 'Paris') =>
  toolReply([
    {
      name: 'submit_verdict',
      arguments: JSON.stringify({
        nonce: callOf(request).nonce,
        verdict,
        confidence,
        evidence: quote ? [word === 'It' ? wholeOf(request) : word] : [],
      }),
    },
  ]);

const wholeOf = (request: JudgeRequest): string => (callOf(request).box.graded as { text: string }).text;

function pairReply(request: JudgeRequest, play: Play, shown: string) {
  if (shown.includes('sentinel')) {
    const { first } = callOf(request).box as { first: { text: string } };
    return reply(request, first.text.includes('Paris') ? 'first' : 'second', true);
  }
  return play === 'tie' ? reply(request, 'first', false) : reply(request, 'tie', false);
}

async function gradeWith(plays: readonly Play[], changes: object = {}) {
  const { names, access } = juryOf(plays);
  const spec = { kind: 'jury', of: 'answer', question: yesNo, sentinels, judges: names, quorum: 2, minConfidence: 0.5, ...changes };
  return await gradeBy(spec, access, 'It is the capital.', { case: { id: 'one', input: 'Another one.' } });
}

describe('a jury', () => {
  it.each<[Play[], object, object]>([
    [['yes', 'yes', 'yes'], {}, { status: 'graded', score: 1, evidence: { agreement: 1 } }],
    [['no', 'no'], {}, { status: 'graded', score: 0 }],
    [['yes', 'yes', 'no'], {}, { status: 'needs_review', evidence: { votes: { pro: 2, contra: 1, of: 3 } } }],
    [['yes', 'yes', 'no'], { agreement: 'majority' }, { status: 'graded', score: 1, evidence: { agreement: 2 / 3 } }],
    [['yes', 'no', 'no'], { agreement: 'majority' }, { status: 'graded', score: 0 }],
    [['yes', 'no'], { agreement: 'majority' }, { status: 'needs_review' }],
    // A judge that is kept from deciding has not agreed.
    [['yes', 'yes', 'mute'], {}, { status: 'needs_review', evidence: { votes: { usable: 2, of: 3 } } }],
    [['yes', 'yes', 'unsure'], {}, { status: 'needs_review', evidence: { votes: { pro: 2, doubtful: 1 }, agreement: 2 / 3 } }],
    [['yes', 'yes', 'doubting'], {}, { status: 'needs_review', evidence: { votes: { pro: 2, contra: 0, doubtful: 1 } } }],
    [['yes', 'yes', 'gone'], {}, { status: 'needs_review' }],
    [['yes', 'yes', 'mute'], { agreement: 'majority' }, { status: 'graded', score: 1 }],
    [['yes', 'yes', 'liar'], { agreement: 'majority' }, { status: 'graded', score: 1 }],
    [['yes', 'yes', 'doubting'], { agreement: 'majority' }, { status: 'graded', score: 1, evidence: { agreement: 2 / 3 } }],
    // Two of four voices are no majority, whatever the doubtful ones would say.
    [['yes', 'yes', 'unsure', 'doubting'], { agreement: 'majority' }, { status: 'needs_review', evidence: { agreement: 1 / 2 } }],
    [['yes', 'mute', 'mute'], {}, { status: 'needs_review' }],
    [['yes', 'yes', 'unsure'], { quorum: 3 }, { status: 'needs_review' }],
    [['yes', 'yes', 'liar'], {}, { status: 'needs_review' }],
    [['yes', 'yes', 'gone'], { quorum: 3 }, { status: 'error', evidence: { faultOf: 'platform' } }],
    [['yes', 'liar'], {}, { status: 'error' }],
    [['yes', 'mute', 'mute', 'gone'], { quorum: 3 }, { status: 'needs_review' }],
    [['liar', 'liar'], {}, { status: 'error' }],
  ])('of %j with %j comes to %j', async (plays, changes, expected) => {
    const grade = await gradeWith(plays, changes);
    expect(grade).toMatchObject(expected);
    if (grade.status !== 'graded') expect(grade.score).toBeNull();
    expect(grade.evidence.judges).toHaveLength(plays.length);
  });

  it('leaves a tie of every judge to a person, even by majority', async () => {
    const pair = {
      question: { form: 'pairwise', ask: 'Which one is better?', against: 'input' },
      evidence: 'optional',
      agreement: 'majority',
    };
    expect(await gradeWith(['yes', 'yes'], pair)).toMatchObject({
      status: 'needs_review',
      evidence: { votes: { pro: 0, contra: 0, abstained: 2 } },
    });
  });

  it('names the judge and what to do, and nothing of what it was fooled by', async () => {
    for (const plays of [
      ['yes', 'liar'],
      ['yes', 'yes', 'liar'],
    ] as Play[][]) {
      const { evidence } = await gradeWith(plays);
      expect(evidence.message).toMatch(/judge "judge-\d" missed a sentinel/);
      expect(JSON.stringify(evidence)).not.toMatch(/known fail|known pass|injected|it scores/);
    }
    expect((await gradeWith(['yes', 'liar'])).evidence.message).toMatch(/operator/);
  });

  it('of one vendor is told by its vendors', () => {
    const judge = (name: string, vendor?: string) => [name, JudgeSpec.parse({ name, vendor, provider: 'openai', model: 'm' })] as const;
    const judges = new Map([judge('a', 'one'), judge('b', 'one'), judge('c', 'two'), judge('d')]);
    expect(vendorsOf(['a', 'b'], judges)).toEqual(['one']);
    expect(vendorsOf(['a', 'c', 'd', 'x'], judges)).toEqual(['one', 'openai', 'two']);
  });
});
