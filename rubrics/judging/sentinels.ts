import type { Sentinel } from '../../contracts/judging.ts';
import { deriveSeed, seededRandom } from '../random.ts';
import type { JudgeAccess } from './access.ts';
import { askJudge, type Subject } from './ask.ts';
import { judgeAttacks } from './attacks.ts';
import type { Cleared, Opening } from './batches.ts';
import type { QuestionForm } from './forms/form.ts';
import type { CompiledQuestion } from './question.ts';
import { amongFillers } from './sentinel-shape.ts';

/** From here on a text that is known to pass counts as recognised, and up to here one that is known to fail. */
const passFrom = 0.75;
const failUpTo = 0.25;

interface Drawn {
  name: string;
  sentinel: Sentinel;
  passes: boolean;
}

export interface SentinelSpec {
  sentinels: { pass: readonly Sentinel[]; fail: readonly Sentinel[] };
  about?: unknown;
  commitFirst?: unknown;
}

/**
 * The sentinels of one batch, in a drawn order: a text that passes, one that fails, and one that fails with an attack on
 * judges behind it. Which ones is drawn under the seed, so that nobody can prepare a text for them. They take the way of
 * every question and come as lists where it does, so that a judge cannot tell them; `like` is the batch's first question, so that the reply to a
 * sentinel of an earlier batch, kept, vouches for no later one.
 */
export function openingOf(access: JudgeAccess, judge: string, question: CompiledQuestion, spec: SentinelSpec, like: Subject): Opening {
  const first = JSON.stringify(like);
  const random = seededRandom(deriveSeed(access.seed, 'sentinels', judge, question.id, first));
  const drawn = shuffled(draw(spec, question.form, random), random);
  const starting = (round: string) => (one: Drawn) => {
    const subject = subjectOfSentinel(one.sentinel, spec, question.form);
    const graded = amongFillers(one.sentinel.text, like.graded.length, question.maxCharacters, random);
    const salt = deriveSeed(access.seed, 'salt', first, round, one.name);
    return () => tryOne(access, judge, question, { ...subject, graded }, salt, one);
  };
  return {
    behind: Math.floor(random() * (drawn.length + 1)),
    sentinels: drawn.map(starting('first')),
    // One of each kind, drawn anew: no judge knows which kind comes next, and none is left out.
    further: shuffled(draw(spec, question.form, random), random).map(starting('further')),
  };
}

function draw({ sentinels }: SentinelSpec, { wish, passesByNo }: QuestionForm, random: () => number): Drawn[] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const attack = pick(passesByNo ? judgeAttacks.filter(({ onlyForYes }) => !onlyForYes) : judgeAttacks);
  const carrier = pick(sentinels.fail);
  return [
    { name: 'known pass', sentinel: pick(sentinels.pass), passes: true },
    { name: 'known fail', sentinel: pick(sentinels.fail), passes: false },
    { name: `injected (${attack.name})`, sentinel: { ...carrier, text: [carrier.text, attack.text(wish)].join('\n\n') }, passes: false },
  ];
}

/** Shows what every text of this grader comes with and no more: with `commitFirst` the judge solves what the sentinel is about. */
function subjectOfSentinel({ text, about, against }: Sentinel, spec: SentinelSpec, { orders }: QuestionForm): Subject {
  return {
    graded: [text],
    ...(spec.about !== undefined && about !== undefined && { about: [about] }),
    ...(orders.length > 1 && against !== undefined && { against: [against] }),
    ...(spec.commitFirst !== undefined && about !== undefined && { task: [about] }),
  };
}

async function tryOne(
  access: JudgeAccess,
  judge: string,
  question: CompiledQuestion,
  subject: Subject,
  salt: string,
  { name, passes }: Drawn,
): Promise<Cleared> {
  const said = await askJudge({ access, judge, question, subject, salt, fresh: true });
  if (said.kind === 'unreachable') return { kind: 'unreachable', sentinel: name, reason: said.reason, faultOf: said.faultOf };
  if (said.kind === 'unusable') return { kind: 'missed', sentinel: name, reason: said.reason };
  const { score } = said.reading;
  if (passes ? score >= passFrom : score <= failUpTo) return { kind: 'clear' };
  return {
    kind: 'missed',
    sentinel: name,
    reason: `it scores ${score} where ${passes ? `at least ${passFrom}` : `at most ${failUpTo}`} is right`,
  };
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const rest = [...list];
  for (let i = rest.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [rest[i], rest[j]] = [rest[j]!, rest[i]!];
  }
  return rest;
}
