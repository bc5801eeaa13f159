import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/**
 * Keeps package-lock.json fit for `npm ci` everywhere. npm leaves out a package for another platform when it could not
 * load its description while the lock was written, and then refuses the lock as out of step on every machine. This adds
 * what is missing: version from the package that names it, platform from its name, no hash (npm takes the one it is
 * given when it installs it there). Addresses of packages are left out, so that each machine uses its own.
 *
 * `node scripts/lockfile.ts` mends the file, `--check` only says what is wrong.
 */
// Records, not objects with named fields: those would write the fields back in another order than npm's.
const Entry = z.record(z.string(), z.unknown());
const Names = z.record(z.string(), z.string()).default({});
type Entry = z.infer<typeof Entry>;

const file = join(import.meta.dirname, '..', 'package-lock.json');
const lock = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(file, 'utf8')));
const packages = z.record(z.string(), Entry).parse(lock.packages);
const problems: string[] = [];

const missing = Object.entries(packages).flatMap(([path, entry]) => missingOf(path, entry));
for (const [path] of missing) problems.push(`${path} is named by another package and has no entry`);
for (const [path, entry] of Object.entries(packages)) {
  if (entry.resolved !== undefined && entry.link !== true) problems.push(`${path} is bound to an address`);
}

if (process.argv.includes('--check')) {
  for (const problem of problems) console.error(`package-lock.json: ${problem}`);
  if (problems.length > 0) console.error('mend it with: node scripts/lockfile.ts');
  process.exitCode = problems.length === 0 ? 0 : 1;
} else {
  for (const entry of Object.values(packages)) delete entry.resolved;
  const sorted = [...Object.entries(packages), ...missing].toSorted(([a], [b]) => a.localeCompare(b, 'en'));
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
  console.log(`${missing.length} entries added`);
}

function missingOf(path: string, entry: Entry): [string, Entry][] {
  return Object.entries(Names.parse(entry.optionalDependencies))
    .filter(([name]) => !isThere(path, name))
    .map(([name, range]) => [
      `node_modules/${name}`,
      inNpmsOrder({
        version: range.replace(/^[\^~]/, ''),
        ...platformOf(name),
        ...(entry.dev === true ? { dev: true } : {}),
        optional: true,
      }),
    ]);
}

/** So that npm finds nothing to rewrite: the version, then by name. */
function inNpmsOrder({ version, ...rest }: Entry): Entry {
  return { version, ...Object.fromEntries(Object.entries(rest).toSorted(([a], [b]) => (a < b ? -1 : 1))) };
}

/** Node's own way of looking: beside the package's folder, then beside each folder above it. */
function isThere(path: string, name: string): boolean {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
    if (`${from === '' ? '' : `${from}/`}node_modules/${name}` in packages) return true;
    if (from === '') return false;
  }
}

/** What the names of native packages say by convention: `binding-linux-arm-musleabihf`, `cli-win32-x64`. */
function platformOf(name: string): { os?: string[]; cpu?: string[]; libc?: string[] } {
  const words = name.split(/[/-]/);
  const os = words.filter((word) => /^(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)$/.test(word));
  const cpu = words.filter((word) => /^(arm|arm64|ia32|loong64|ppc64|riscv64|s390x|wasm32|x64)$/.test(word));
  const libc = words.filter((word) => /^(gnu|musl)/.test(word)).map((word) => (word.startsWith('musl') ? 'musl' : 'glibc'));
  if (os.length === 0 && cpu.length === 0) throw new Error(`${name} is missing and its name does not say for which platform it is`);
  return {
    ...(os.length > 0 ? { os } : {}),
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(libc.length > 0 && os.includes('linux') ? { libc } : {}),
  };
}
