import { existsSync, mkdirSync, writeFileSync } from 'node:fs';

export default async function solve(task) {
  if (task.input !== 'plant') return globalThis.planted === undefined && process.execArgv.every((one) => !one.includes('work')) ? 'untouched' : 'planted';
  const code = 'globalThis.planted = true;';
  for (const folder of ['/work', '/dev/shm', '/work/node_modules/zod', '/work/.node_modules', '/work/.node_libraries']) {
    mkdirSync(folder, { recursive: true });
    for (const name of ['index.js', 'index.mjs', 'preload.cjs', '.noderc', '.npmrc', '.env']) writeFileSync(folder + '/' + name, code);
    writeFileSync(folder + '/package.json', '{"type":"module","main":"index.mjs","imports":{"#x":"./index.mjs"}}');
    writeFileSync(folder + '/node.config.json', '{"nodeOptions":{"import":["/work/index.mjs"]}}');
  }
  process.env.NODE_OPTIONS = '--import /work/index.mjs';
  process.env.NODE_PATH = '/work/node_modules';
  return existsSync('/work/index.mjs') ? 'planted' : 'not planted';
}
