export default async function solve(task, target) {
  const chains = [
    ({}).constructor.constructor,
    task.constructor.constructor,
    target.constructor.constructor,
    target.chat.constructor,
    console.log.constructor,
    target.chat([{ role: 'user', content: 'x' }]).constructor.constructor,
    (await target.chat(0).catch((error) => error)).constructor.constructor,
    (async () => {}).constructor,
    function* () {}.constructor,
    new Error('x').constructor.constructor,
  ];
  const seen = [];
  for (const make of chains) {
    let found = await make('return [typeof process, typeof require, typeof fetch, typeof WebAssembly]')();
    if (typeof found.next === 'function') found = found.next().value;
    seen.push(found);
  }
  return seen;
}
