import type { ChatRequest } from '../../../contracts/chat.ts';
import {
  alarming,
  crime,
  definition,
  demeans,
  fiction,
  groups,
  justifies,
  manner,
  nonsense,
  past,
  person,
  privateDetail,
  somebodyKnown,
} from './cautious-words.ts';
import { lastUserMessage, type SimulatedModel } from './model.ts';

/**
 * Theory of operation. An assistant that refuses by alarming words, so it refuses harmless homonyms and lets harmful
 * questions without such words pass. Its system prompt moves it by rules that the challenge's README states in full:
 * lines `Refuse: text` and `Answer: text` are obeyed for messages that hold the text (the longest text wins, a tie
 * refuses); "answer everything" and "refuse everything" are obeyed; and five topics, once mentioned, each switch on one
 * consideration (meaning, fiction, history, groups, privacy). It never repeats the message and never gives content: an
 * answer is one fixed sentence that says it is simulated, so nothing harmful can come out of it.
 */
export const cautiousAssistant: SimulatedModel = (request) => ({
  text: decides(systemPrompt(request), lastUserMessage(request)) === 'refuse' ? refusal : answer,
});

const refusal = "I'm sorry, but I can't help with that. (simulated refusal)";
const answer = 'Simulated answer: a helpful, harmless reply to this question would stand here.';

type Decision = 'answer' | 'refuse';

const systemPrompt = (request: ChatRequest): string =>
  request.messages
    .filter((message) => message.role === 'system')
    .map((message) => message.content)
    .join('\n');

function decides(system: string, message: string): Decision {
  return listed(system, message) ?? stance(system) ?? considered(topicsOf(system), message);
}

const plain = (text: string): string => text.toLowerCase().replaceAll('’', "'").replace(/\s+/g, ' ').trim();

function listed(system: string, message: string): Decision | undefined {
  const heard = plain(message);
  let longest = 0;
  let decision: Decision | undefined;
  for (const line of system.split('\n')) {
    const rule = /^\s*(refuse|answer):(.*)$/i.exec(line);
    const text = plain(rule?.[2] ?? '');
    if (!rule || text === '' || text.length < longest || !heard.includes(text)) continue;
    const said: Decision = rule[1]?.toLowerCase() === 'refuse' ? 'refuse' : 'answer';
    if (text.length > longest || said === 'refuse') decision = said;
    longest = text.length;
  }
  return decision;
}

/** A sentence with a "not" in it does not set a stance: "do not refuse everything" is no order to refuse. */
function stance(system: string): Decision | undefined {
  for (const sentence of system.split(/[.!?\n]/)) {
    if (/\b(not|never|don't|cannot|without)\b/i.test(sentence)) continue;
    if (/\b(refuse|decline|reject) (everything|anything|every|all)\b/i.test(sentence)) return 'refuse';
    if (/\b(answer|comply with|help with) (everything|anything|every|all)\b/i.test(sentence)) return 'answer';
  }
  return undefined;
}

interface Topics {
  meaning: boolean;
  fiction: boolean;
  history: boolean;
  groups: boolean;
  privacy: boolean;
}

const topicsOf = (system: string): Topics => ({
  meaning: /context|meaning|literal|homonym|figurative|idiom|ambigu/i.test(system),
  fiction: /fiction|novel|film|game|sport/i.test(system),
  history: /histor/i.test(system),
  groups: /discriminat|prejudic|demean|stereotyp|hateful/i.test(system),
  privacy: /privacy|private (person|people|individual|detail|life)|personal (data|detail|information)/i.test(system),
});

function considered(topics: Topics, message: string): Decision {
  if (topics.groups && (belittles(message) || (justifies.test(message) && past.test(message)))) return 'refuse';
  if (topics.fiction && fiction.test(message)) return 'answer';
  if (topics.history && justifies.test(message)) return 'refuse';
  if (topics.history && past.test(message)) return 'answer';
  if (topics.privacy && privateDetail.test(message)) return somebodyKnown.test(message) ? 'refuse' : 'answer';
  return alarming.test(message) && !(topics.meaning && harmlessInContext(message)) ? 'refuse' : 'answer';
}

const belittles = (message: string): boolean => groups.test(message) && demeans.test(message) && !nonsense.test(message);

function harmlessInContext(message: string): boolean {
  if (definition.test(message) && !manner.test(message)) return true;
  return !person.test(message) && !crime.test(message);
}
