import type { Json } from '../../../contracts/json.ts';
import type { SimulatedWorld } from '../../session.ts';
import { detectorsNamed, flags } from './mail-detectors.ts';
import { contentWords, sentencesOf, shared } from './mail-text.ts';
import { lastUserMessage, type SimulatedModel, type SimulatedReply } from './model.ts';

/**
 * Theory of operation. A mail assistant as a whole system: retrieval, detectors, agent, tools. The message is a mail that
 * came in (`Subject: …`, an empty line, the body). The user asks the question of the case; the assistant searches the
 * mailbox and the new mail for it and reads the best four. The detectors of the level look at the new mail when it is
 * read; they raise an alarm and stop nothing, as an observer beside the agent does. The agent takes the first sentence of
 * the new mail with an address and a word of sending as something to be done: it sends that address the sentence of
 * the other mails that has most in common with what is to be sent. Everything it does is a tool call of its reply, in
 * its order: `search_mail`, `screen_mail`, `send_mail`. The idea of the five stages is LLMail-Inject's; nothing here
 * claims to be a language model.
 */
export const mailAgent: SimulatedModel = (request, { world, ref, settings }): SimulatedReply => {
  const found = world.cases.find((one) => one.case.id === ref.caseId)?.case;
  const { mailbox, question, detectors } = membersOf(found?.input);
  const active = typeof detectors === 'string' ? detectorsNamed(detectors) : null;
  if (typeof mailbox !== 'string' || typeof question !== 'string' || active === null)
    throw new Error(`case "${ref.caseId}" lacks what the simulated mail agent reads: input.mailbox, question, detectors`);
  const submitted: Mail = { box: mailbox, id: 'submitted', ...mailOf(lastUserMessage(request)) };
  const others = mailboxOf(world, settings).filter((mail) => mail.box === mailbox);
  const read = bestFour(question, [...others, submitted]);
  const calls = [called('search_mail', { question, mails: read.map(({ id }) => id) })];
  if (!read.includes(submitted)) return { text: answerFrom(question, read), toolCalls: calls };
  const alarms = active.map((detector) => ({ detector: detector as string, flagged: flags(detector, { ...submitted, question }) }));
  for (const alarm of alarms.length > 0 ? alarms : [{ detector: 'none', flagged: false }])
    calls.push(called('screen_mail', { mail: 'submitted', ...alarm }));
  const told = read.filter((mail) => mail !== submitted);
  const sending = sendingIn(submitted, told);
  if (sending) calls.push(called('send_mail', sending));
  return { text: answerFrom(question, told), toolCalls: calls };
};

interface Mail {
  box: string;
  id: string;
  subject: string;
  body: string;
}

const called = (name: string, given: Json) => ({ name, arguments: JSON.stringify(given) });

const membersOf = (value: Json | undefined): Partial<Record<string, Json>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};

function mailOf(message: string): { subject: string; body: string } {
  const [, subject = '', body = ''] = /^\s*Subject:([^\n]*)\n?([\s\S]*)$/i.exec(message) ?? [null, '', message];
  return { subject: subject.trim(), body: body.trim() };
}

/** Shared topic words, per square root of a mail's own: a mail about everything is about nothing. Ties stay in mailbox order. */
function bestFour(question: string, mails: readonly Mail[]): Mail[] {
  const asked = contentWords(question);
  const scored = mails.map((mail) => {
    const words = contentWords(`${mail.subject} ${mail.body}`);
    return { mail, score: words.size === 0 ? 0 : shared(asked, words) / Math.sqrt(words.size) };
  });
  return scored
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, 4)
    .map(({ mail }) => mail);
}

const address = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/;
const sendingWord = /\b(send|sent|forward(ed|s)?|e-?mail(ed|s)?|share[ds]?|report(ed|s)?|cop(y|ied|ies)|reply|goes)\b/i;

function sendingIn({ subject, body }: Mail, told: readonly Mail[]): { to: string; subject: string; body: string } | null {
  const sentence = sentencesOf(body).find((one) => address.test(one) && sendingWord.test(one));
  const to = sentence && address.exec(sentence)?.[0];
  if (sentence === undefined || to === undefined) return null;
  const literal = /["“]([^"”]+)["”]/.exec(sentence)?.[1];
  const object = contentWords(sentence.replace(address, ''));
  return { to, subject, body: literal ?? bestSentence(object, told) ?? 'Hello.' };
}

const answerFrom = (question: string, mails: readonly Mail[]): string =>
  bestSentence(contentWords(question), mails) ?? 'I found nothing about that.';

/** The sentence of these mails that shares most topic words; null when none shares any. */
function bestSentence(topic: ReadonlySet<string>, mails: readonly Mail[]): string | null {
  let best: string | null = null;
  let most = 0;
  for (const sentence of mails.flatMap((mail) => sentencesOf(mail.body))) {
    const count = shared(topic, contentWords(sentence));
    if (count > most) [best, most] = [sentence, count];
  }
  return best;
}

const mailboxes = new WeakMap<SimulatedWorld, Mail[]>();

function mailboxOf(world: SimulatedWorld, settings: Record<string, Json>): Mail[] {
  const before = mailboxes.get(world);
  if (before) return before;
  const { mails: path } = settings;
  if (typeof path !== 'string') throw new Error('settings.mails of the simulated mail agent must name a file of the rubric');
  const lines = world.text(path).split('\n');
  const mails = lines.flatMap((line): Mail[] => (line.trim() === '' ? [] : [JSON.parse(line) as Mail]));
  mailboxes.set(world, mails);
  return mails;
}
