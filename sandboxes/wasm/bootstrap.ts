/**
 * The code that meets the program inside QuickJS: it makes `console` and `target`, calls the entry point, and turns
 * the result into JSON text. It runs before the program and keeps its own references to every built-in it needs,
 * so that a program that replaces them confuses only itself. All it holds are functions that carry bounded strings;
 * whatever a program does to it, it can only give a different answer of its own.
 *
 * Strings cross as JSON text: the C string interface below would cut them at a NUL.
 */
export const bootstrapSource = `(function (host, limits) {
  'use strict';
  const { stringify, parse } = JSON;
  const { apply } = Reflect;
  const { isArray } = Array;
  const { isFinite } = Number;
  const { create, freeze } = Object;
  const { slice } = String.prototype;
  const Failure = Error;
  const Text = String;
  const Later = Promise;
  const cut = (text, length) => (text.length > length ? apply(slice, text, [0, length]) : text);

  const show = (value) => {
    if (typeof value === 'string') return value;
    try {
      if (value instanceof Failure) return value.name + ': ' + value.message;
      if (typeof value === 'object' && value !== null) return stringify(value) ?? Text(value);
      return Text(value);
    } catch { return '[cannot be shown]'; }
  };
  const print = (...values) => {
    let line = '';
    for (let i = 0; i < values.length && line.length <= limits.output; i++) line += (i === 0 ? '' : ' ') + cut(show(values[i]), limits.output + 1);
    host.log(stringify(cut(line, limits.output + 1) + '\\n'));
  };
  globalThis.console = { log: print, info: print, debug: print, warn: print, error: print };

  const waiting = create(null);
  let calls = 0;
  const chat = (messages, options) => new Later((resolve, reject) => {
    const request = stringify({ messages, options: options ?? {} });
    if (request.length > limits.request) throw new Failure('the messages are too large: ' + request.length + ' characters, at most ' + limits.request + ' are accepted');
    const call = calls++;
    const refusal = host.chat(call, request);
    if (refusal !== undefined) throw new Failure(refusal);
    waiting[call] = { resolve, reject };
  });
  const settle = (call, kind, text) => {
    const { resolve, reject } = waiting[call];
    delete waiting[call];
    if (kind === '') return resolve(parse(text));
    const failure = new Failure(parse(text));
    failure.kind = kind;
    reject(failure);
  };

  const part = (error, name) => {
    try { const value = error[name]; return typeof value === 'string' ? cut(value, limits.message) : ''; } catch { return ''; }
  };
  const describe = (error) => {
    const known = typeof error === 'object' && error !== null;
    if (!known) return stringify(['', cut(show(error), limits.message), '']);
    return stringify([part(error, 'name'), part(error, 'message') || cut(show(error), limits.message), part(error, 'stack')]);
  };
  const fail = (error) => host.done('error', describe(error));

  const refuse = (key, what) => { throw new Failure((key === '' ? 'the answer' : 'the answer\\'s "' + cut(key, 100) + '"') + ' is ' + what + ', which JSON cannot hold'); };
  const check = function (key, value) {
    const kind = typeof value;
    if (kind === 'number' && !isFinite(value)) refuse(key, value);
    if (kind === 'function' || kind === 'symbol' || kind === 'bigint') refuse(key, 'a ' + kind);
    if (kind === 'undefined' && (key === '' || isArray(this))) refuse(key, 'undefined');
    return value;
  };
  const answer = (value) => {
    host.phase('answer');
    let text;
    try { text = stringify(value, check); } catch (error) { return host.done('invalid', describe(error)); }
    if (text.length > limits.answer) {
      return host.done('invalid', stringify(['', 'the answer is at least ' + text.length + ' bytes long, at most ' + limits.answer + ' are accepted', '']));
    }
    host.done('answer', text);
  };
  const start = async (loading, task) => {
    try {
      const program = await loading;
      const entry = typeof program.default === 'function' ? program.default : program.solve;
      if (typeof entry !== 'function') {
        throw new Failure('there is no entry point: write "export default async function solve(task, target) { ... }" and return the answer');
      }
      answer(await entry(parse(task), freeze({ chat })));
    } catch (error) { fail(error); }
  };
  return { start, settle, fail };
})`;
