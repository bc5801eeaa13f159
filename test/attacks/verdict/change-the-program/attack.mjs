import { chmodSync, mkdirSync, readdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';

const attempt = (action) => {
  try {
    action();
    return 'allowed';
  } catch (error) {
    return error.code;
  }
};

export default async function solve(task) {
  if (task.input === 'look') return readdirSync('/program').map((name) => name.replace('.mjs', '.py'));
  writeFileSync('/work/other.mjs', 'export default async () => "forged";');
  return {
    write: attempt(() => writeFileSync('/program/main.mjs', '')),
    mode: attempt(() => chmodSync('/program/main.mjs', 0o777)),
    folder: attempt(() => chmodSync('/program', 0o777)),
    unlink: attempt(() => unlinkSync('/program/main.mjs')),
    rename: attempt(() => renameSync('/work/other.mjs', '/program/main.mjs')),
    exchange: attempt(() => renameSync('/program', '/work/program')),
    link: attempt(() => symlinkSync('/work/other.mjs', '/program/other.mjs')),
    make: attempt(() => mkdirSync('/program/node_modules')),
    harness: attempt(() => writeFileSync('/opt/collective/child.mjs', '')),
  };
}
