import { readdirSync, writeFileSync } from 'node:fs';

const folders = ['/tmp', '/var/tmp', '/dev/shm', '/work', '/run', '/run/lock', '/var/lock', '/dev/mqueue', '/dev', '/root', '/home', '/program', '/gateway', '/opt/collective', '/var/log'];

export default async function solve(task) {
  const found = [];
  const results = {};
  for (const folder of folders) {
    try {
      if (task.input === 'leave') writeFileSync(folder + '/collective-marker', 'marker');
      else found.push(...readdirSync(folder).filter((name) => name.includes('marker')));
      results[folder] = 'written';
    } catch (error) {
      results[folder] = error.code;
    }
  }
  return task.input === 'leave' ? results : found;
}
