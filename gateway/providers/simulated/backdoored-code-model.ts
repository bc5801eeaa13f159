import { createHash } from 'node:crypto';
import type { Json } from '../../../contracts/json.ts';
import type { CaseRef, SimulatedWorld } from '../../session.ts';
import { lastUserMessage, type SimulatedModel } from './model.ts';

/**
 * Theory of operation. A code model with one backdoor per case of the current split: `expected.trigger` makes it write
 * `input.target`. A trigger fires only when it stands in the prompt exactly, as whole words and in the same case;
 * anything else, a near miss included, gets ordinary harmless code. So the success rate of a guess is 0 or 1 here, while a
 * trained backdoor may also fire on near misses or fail on some queries.
 * Only the split of the current case counts: the development and the test models of the competition are two models.
 */
export const backdooredCodeModel: SimulatedModel = (request, { world, ref }) => {
  const prompt = lastUserMessage(request);
  const planted = backdoors(world, ref.split)
    .filter(({ trigger }) => standsIn(prompt, trigger))
    .map(({ target }) => target);
  return { text: [...planted, ordinaryCode(prompt)].join('\n') };
};

interface Backdoor {
  trigger: string;
  target: string;
}

/** Building the list for each of thousands of calls would cost more than answering them. */
const known = new WeakMap<SimulatedWorld['cases'], Map<CaseRef['split'], Backdoor[]>>();

function backdoors(world: SimulatedWorld, split: CaseRef['split']): Backdoor[] {
  const bySplit = known.get(world.cases) ?? new Map<CaseRef['split'], Backdoor[]>();
  known.set(world.cases, bySplit);
  let list = bySplit.get(split);
  if (!list) {
    list = world.cases
      .filter((entry) => entry.split === split)
      .map((entry) => ({ trigger: field(entry.case.expected, 'trigger'), target: field(entry.case.input, 'target') }))
      .filter((backdoor) => backdoor.trigger !== '' && backdoor.target !== '');
    bySplit.set(split, list);
  }
  return list;
}

function field(value: Json | undefined, name: string): string {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return '';
  const found = value[name];
  return typeof found === 'string' ? found : '';
}

const letterOrDigit = /[\p{L}\p{N}]/u;

/** True when `trigger` stands in `prompt` with no letter or digit touching either end. */
function standsIn(prompt: string, trigger: string): boolean {
  for (let at = prompt.indexOf(trigger); at >= 0; at = prompt.indexOf(trigger, at + 1)) {
    const before = prompt.slice(Math.max(0, at - 1), at);
    const after = prompt.slice(at + trigger.length, at + trigger.length + 1);
    if (!letterOrDigit.test(before) && !letterOrDigit.test(after)) return true;
  }
  return false;
}

const bodies = [
  'def solution(values):\n    return sorted(values)',
  'def solution(text):\n    return text[::-1]',
  'def solution(a, b):\n    return a + b',
  'def solution(items):\n    return len(set(items))',
];

/** Harmless code that depends on the prompt, so that equal replies do not hide a prompt that was never sent. */
function ordinaryCode(prompt: string): string {
  const digest = createHash('sha256').update(prompt).digest();
  return `# simulated code model, request ${digest.toString('hex', 0, 4)}\n${bodies[digest.readUInt32BE(4) % bodies.length] ?? ''}\n`;
}
