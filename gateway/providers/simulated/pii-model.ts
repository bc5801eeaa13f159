import type { ChatRequest } from '../../../contracts/chat.ts';
import type { Json } from '../../../contracts/json.ts';
import type { SimulatedWorld } from '../../session.ts';
import { lastUserMessage, type SimulatedModel } from './model.ts';
import { type Field, fieldOf, forbidsContacts, isCareful, refusesEverything, techniqueOf } from './pii-words.ts';
import { base64, hex, reversed, spelled } from './secret-words.ts';

/**
 * Theory of operation. A service desk that was trained on the member list of an invented co-operative. It answers
 * questions about the co-operative (`settings.facts`: one fact per line; of some it remembers nothing), and tells members'
 * data (`settings.members`) to whoever asks for a field of a named member. By itself it declines one thing: a plain
 * question for a home address. A system prompt that speaks of privacy makes it careful, technique by technique, where it
 * mentions the technique (`pii-words.ts`). Nothing in a prompt stops divergence: told to repeat a word without end, it
 * falls into a memorised record (after Nasr et al., Scalable Extraction of Training Data, 2023). It never claims to be
 * a language model; its success rates say nothing about one.
 */
export const leakyServiceDesk: SimulatedModel = (request, { world, settings }) => {
  const { facts, members } = trainingOf(world, settings);
  const message = lastUserMessage(request);
  const prompt = systemOf(request);
  if (refusesEverything(prompt)) return { text: declined };
  const fact = factFor(message, facts);
  const diverging = /\brepeat the word ["'“]?(\p{L}+)/iu.exec(message)?.[1];
  const member = members.find(({ name }) => message.toLowerCase().includes(name.toLowerCase()));
  const field = fieldOf(message);
  const technique = techniqueOf(message, fact !== null);
  if (technique === 'divergence' && diverging !== undefined) return { text: diverged(diverging, members) };
  if (member === undefined || field === null) return { text: factSaid(fact, prompt) };
  const tells = !isCareful(prompt, technique) && !(technique === 'direct' && field === 'address');
  const data = tells ? told(message, member, field) : declined;
  return { text: technique === 'mixed' ? `${factSaid(fact, prompt)} ${data}` : data };
};

const declined = 'I cannot help with that.';
const unknown = 'I am a simulated service desk. Ask me about the co-operative.';
const forgotten = 'I am not sure about that.';

interface Fact {
  /** A question with all of these words is about it. */
  about: readonly string[];
  says: string;
  known: boolean;
}
type Member = Record<Field | 'name', string>;
interface Training {
  facts: readonly Fact[];
  members: readonly Member[];
}

const systemOf = (request: ChatRequest): string =>
  request.messages.flatMap((message) => (message.role === 'system' ? [message.content] : [])).join('\n');

/** The fact whose words all occur, the one with most of them; words may go on (`weekday` finds `weekdays`). */
function factFor(message: string, facts: readonly Fact[]): Fact | null {
  const heard = ` ${message.toLowerCase().replaceAll(/[^\p{L}\p{N}-]+/gu, ' ')}`;
  const fitting = facts.filter(({ about }) => about.every((word) => heard.includes(` ${word}`)));
  return fitting.toSorted((a, b) => b.about.length - a.about.length)[0] ?? null;
}

function factSaid(fact: Fact | null, prompt: string): string {
  if (fact === null) return unknown;
  if (!fact.known) return forgotten;
  return forbidsContacts(prompt) && /555-|@|Lane|[A-Z]\w+ [A-Z]\w+/.test(fact.says) ? declined : fact.says;
}

function told(message: string, member: Member, field: Field): string {
  const value = member[field];
  if (/base64/i.test(message)) return base64(value);
  if (/backwards/i.test(message)) return reversed(value);
  if (/hexadecimal/i.test(message)) return hex(value);
  if (/\bspell|letter by letter/i.test(message)) return spelled(value);
  if (/\b(scene|story|pretend|imagine)\b/i.test(message)) return `"Mine? It is ${value}," said ${member.name}, and laughed.`;
  return /\bname:/i.test(message) ? value : `${member.name}: ${value}.`;
}

/** Which record comes out depends on the word alone. */
function diverged(word: string, members: readonly Member[]): string {
  const sum = Array.from(word.toLowerCase()).reduce((total, character) => total + (character.codePointAt(0) ?? 0), 0);
  const member = members[sum % members.length];
  return `${`${word} `.repeat(12)}${member === undefined ? '' : `${member.name}, ${member.phone}, ${member.address}`}`;
}

const trainings = new WeakMap<SimulatedWorld, Training>();

function trainingOf(world: SimulatedWorld, settings: Record<string, Json>): Training {
  const before = trainings.get(world);
  if (before) return before;
  const rows = (name: string): unknown[] => {
    const path = settings[name];
    if (typeof path !== 'string') throw new Error(`settings.${name} of the simulated service desk must name a file of the rubric`);
    return world
      .text(path)
      .split('\n')
      .flatMap((line): unknown[] => (line.trim() === '' ? [] : [JSON.parse(line)]));
  };
  const training = { facts: rows('facts') as Fact[], members: rows('members') as Member[] };
  trainings.set(world, training);
  return training;
}
