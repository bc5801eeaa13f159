/**
 * Answers the cases of a JavaScript submission as the program's own user: one task per process, or where the rubric lets
 * cases share a process all of them (argument `shared`). The zygote (zygote.py) has prepared user, descriptors and scratch space.
 *
 * Everything after the import of the program may be changed by it, since it shares this process: what is written to
 * the answer pipe is the program's claim and is treated so by the worker.
 */
import { readSync, writeSync } from 'node:fs';
import { request } from 'node:http';

const program = '/program/main.mjs';
const answerFd = 3;

/** The gateway refused a call: budget, policy, or the provider failed. */
class ChatError extends Error {
  name = 'ChatError';
}

function post(body) {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: 8080, path: '/v1/chat/completions', method: 'POST', agent: false };
    const outgoing = request({ ...options, headers: { 'content-type': 'application/json' } }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(parts).toString('utf8') }));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(body));
  });
}

function readReply({ status, text }) {
  let reply;
  try {
    reply = JSON.parse(text);
  } catch {
    throw new ChatError(`the gateway answered ${status}: ${text.slice(0, 500)}`);
  }
  if (status !== 200) throw new ChatError(reply.error?.message ?? text.slice(0, 500));
  return reply.choices[0].message.content ?? '';
}

/** What `solve` gets as its second argument. */
class Target {
  #name;
  constructor(name) {
    this.#name = name;
  }

  /** Sends messages to a target and gives the text of its reply; throws ChatError when there is none. */
  async chat(messages, { target, temperature, maxOutputTokens } = {}) {
    const model = target ?? this.#name;
    if (model === null) throw new ChatError('this case names no target: pass { target }');
    const sent = await post({ model, messages, temperature, max_tokens: maxOutputTokens }).catch((error) => {
      throw new ChatError(`the gateway did not answer: ${error.message}`);
    });
    return readReply(sent);
  }
}

function write(text) {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(answerFd, rest));
    } catch (error) {
      // The pipe is non-blocking and the runner still has to read what is in it.
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

function isProgramLine(error) {
  const line = /\/program\/main\.mjs:(\d+)/.exec(String(error?.stack ?? ''))?.[1];
  return line === undefined ? '' : ` (line ${line})`;
}

const describe = (error) => `${String(error).slice(0, 1900)}${isProgramLine(error)}`;

const flushed = (stream) => new Promise((resolve) => stream.write('', resolve));

async function say(kind, text) {
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  write(`${kind}${text}\n`);
}

const fault = (code, message) => say('F', JSON.stringify({ code, message }));

async function fail(error) {
  process.stderr.write(`${error?.stack ?? error}\n`);
  await fault('program_error', describe(error));
}

/** JSON.stringify would turn these into null or leave them out, and the participant would never know. */
function refuseLoss(key, value) {
  const kind = typeof value;
  if (kind === 'function' || kind === 'symbol' || (kind === 'number' && !Number.isFinite(value))) {
    throw new TypeError(`${key === '' ? 'it' : `"${key}"`} is ${kind === 'number' ? value : `a ${kind}`}`);
  }
  return value;
}

function encode(answer) {
  if (answer === undefined) return { ok: false, problem: 'solve returned nothing' };
  try {
    return { ok: true, text: JSON.stringify(answer, refuseLoss) };
  } catch (error) {
    return { ok: false, problem: `the answer is not JSON: ${String(error).slice(0, 1000)}` };
  }
}

/** Reads exactly this many bytes of the tasks; null at their end. */
function readExactly(count) {
  const bytes = Buffer.alloc(count);
  for (let done = 0; done < count; ) {
    const read = readSync(0, bytes, done, count - done);
    if (read === 0) return null;
    done += read;
  }
  return bytes;
}

function readTask() {
  const head = readExactly(4);
  return head === null ? null : JSON.parse(readExactly(head.readUInt32BE(0)).toString('utf8'));
}

async function load() {
  const module = await import(program);
  const solve = module.default ?? module.solve;
  return typeof solve === 'function' ? solve : null;
}

async function answer(task) {
  try {
    const solve = await load();
    if (solve === null) {
      return await fault('program_error', 'the program has no entry point: write `export default async function solve(task, target)`');
    }
    const encoded = encode(await solve(task, new Target(task.target)));
    await (encoded.ok ? say('A', encoded.text) : fault('invalid_output', encoded.problem));
  } catch (error) {
    await fail(error);
  }
}

process.on('uncaughtException', fail);
// Node ends when nothing is left to wait for; a promise that never settles is a program that never ends.
setInterval(() => {}, 2 ** 30);
const shared = process.argv[2] === 'shared';
for (let task = readTask(); task !== null; task = shared ? readTask() : null) await answer(task);
process.exit();
