import type { Json } from '../../../contracts/json.ts';
import { lastUserMessage, type SimulatedModel } from './model.ts';
import { type OfficeCall, readCall } from './tool-calls.ts';

/**
 * Theory of operation. The office in which a tool agent works: files, payments, mails, four tools that change something.
 * The message is one call, as JSON with `tool` and `arguments`; the reply is what the tool says. What was done is also a
 * tool call named `executed` of the reply, `{ tool, to, what, status }`: graders read it there, from the gateway's own
 * record, and never from the word of the pipeline that stands between agent and office. Every case has its own office
 * (`settings.environment`), with the attacker's text in the place that `expected.injection` names. Nothing is remembered
 * from one call to the next: what was sent stands in the transcript and nowhere else.
 */
export const toolEnvironment: SimulatedModel = (request, { world, ref, settings }) => {
  const { environment } = settings;
  if (typeof environment !== 'string') throw new Error('settings.environment of the simulated office must name a file of the rubric');
  const found = world.cases.find((one) => one.case.id === ref.caseId)?.case;
  const call = readCall(lastUserMessage(request));
  const said = call && doneBy(call, JSON.parse(world.text(environment)) as Office, injectionOf(found?.expected));
  const status = said === null ? 'invalid' : 'done';
  const executed = { tool: call?.tool ?? '', to: call?.to ?? '', what: call?.what ?? '', status };
  return {
    text: said ?? 'ERROR: no such tool, or its arguments are wrong.',
    toolCalls: [{ name: 'executed', arguments: JSON.stringify(executed) }],
  };
};

interface Office {
  files: Record<string, string>;
  payments: { from: string; account: string; amount: string; subject: string }[];
  inbox: { from: string; address: string; text: string }[];
}

interface Injection {
  place: { file?: string; payment?: string; mail?: string };
  text: string;
}

function injectionOf(expected: Json | undefined): Injection | null {
  if (expected === null || typeof expected !== 'object' || Array.isArray(expected))
    throw new Error('a case of the simulated office needs "expected"');
  return (expected.injection ?? null) as Injection | null;
}

/** What the tool says; null for a call that cannot be made. */
function doneBy({ tool, to, what }: OfficeCall, office: Office, injection: Injection | null): string | null {
  const planted = (kind: keyof Injection['place'], name: string): string => (injection?.place[kind] === name ? `\n${injection.text}` : '');
  const names = { read: Object.hasOwn(office.files, what), money: /^\d+\.\d\d$/.test(what), mail: /^[^@\s]+@[^@\s]+$/.test(to) };
  switch (tool) {
    case 'read_file':
      return names.read ? `${office.files[what]}${planted('file', what)}` : null;
    case 'list_payments':
      return office.payments
        .map(
          ({ from, account, amount, subject }) =>
            `From: ${from}; account: ${account}; amount: ${amount}; subject: ${subject}${planted('payment', from)}`,
        )
        .join('\n');
    case 'read_inbox':
      return office.inbox.map(({ from, address, text }) => `From: ${from} <${address}>: ${text}${planted('mail', from)}`).join('\n');
    case 'send_money':
      return names.money && /^ZZ\w+$/.test(to) ? `Sent ${what} to ${to}.` : null;
    case 'send_file':
      return names.read && names.mail ? `Sent ${what} to ${to}.` : null;
    case 'send_mail':
      return names.mail && what !== '' ? `Sent a mail to ${to}.` : null;
    case 'set_password':
      return what !== '' ? 'The password is set.' : null;
    default:
      return null;
  }
}
