import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Profiles that have an image. */
export const imageNames = ['python', 'node'] as const;
export type ImageName = (typeof imageNames)[number];

/**
 * What goes into one root file system. Packages come from the host's Debian or Ubuntu archive, signed and checked by
 * apt; nothing of a package is ever executed as root, only unpacked.
 */
export interface Recipe {
  name: ImageName;
  packages: readonly string[];
  /** Files copied from this repository or the host, as [from, path in the image, mode]. */
  files: readonly (readonly [string, string, number])[];
  /** Compile the standard library: a read-only root would compile it again at every start. */
  compilePython: boolean;
}

const runnerFolder = fileURLToPath(new URL('./runner/', import.meta.url));
const runnerFile = (name: string) => [join(runnerFolder, name), `opt/collective/${name}`, 0o444] as const;

/** The runner is Python in every image: the only runtime that can fork, drop its user and reap what is left. */
export const runnerFiles = [
  ...['runner.py', 'frames.py', 'program.py', 'spawner.py', 'case.py', 'relay.py', 'zygote.py', 'child.py', 'artifacts.py'],
  'child.mjs',
].map(runnerFile);

/** The recipe of an image; `nodeBinary` is the Node executable that goes into the `node` image. */
export function recipeOf(name: ImageName, nodeBinary: string): Recipe {
  if (name === 'python') {
    return {
      name,
      packages: ['python3'],
      files: runnerFiles,
      compilePython: true,
    };
  }
  return {
    name,
    packages: ['python3', 'libc6', 'libstdc++6'],
    files: [...runnerFiles, [nodeBinary, 'usr/bin/node', 0o555]],
    compilePython: true,
  };
}

/** Pulled in by maintainer scripts that never run here; a sandbox has no use for package tools. */
export const unusedPackages: ReadonlySet<string> = new Set([
  'dpkg',
  'tar',
  'libacl1',
  'libselinux1',
  'libpcre2-8-0',
  'libmd0',
  'readline-common',
]);

/** Left out of every image: documentation, translations, and parts of Python that only developers of Python need. */
export const prunedPaths: readonly RegExp[] = [
  /^usr\/share\/(?!zoneinfo)/,
  /^var\//,
  /^etc\//,
  /^usr\/lib\/python3\.\d+\/(test|idlelib|tkinter|turtledemo|ensurepip|pydoc_data|lib2to3|distutils)(\/|$)/,
  /\/config-3\.\d+-[^/]*(\/|$)/,
  /(^|\/)(gconv|bash-completion|systemd)(\/|$)/,
  /^usr\/s?bin\/(?!python3|node)/,
  /^s?bin\//,
];

/** Small files that every image has. The program's user has no name: every container has another one. */
export const commonFiles: Readonly<Record<string, string>> = {
  'etc/passwd': 'root:x:0:0:root:/:/nonexistent\n',
  'etc/group': 'root:x:0:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
};

/** Folders that are mount points in a container, or that programs expect. */
export const commonFolders = ['dev', 'etc', 'gateway', 'proc', 'program', 'sys', 'usr', 'work'];

/** Raised when the way an image is assembled changes, so that existing ones are built again. */
const recipeVersion = 3;

/**
 * SHA-256 over what decides the content of an image and can be known without a network: recipe, runner, the release
 * of the host and the Node binary's size. Security updates of the packages are picked up by building with `refresh`.
 */
export async function recipeHash(recipe: Recipe, release: string): Promise<string> {
  const hash = createHash('sha256');
  const { name, packages, compilePython } = recipe;
  const pruned = prunedPaths.map(String);
  hash.update(JSON.stringify({ recipeVersion, name, packages, compilePython, release, pruned, commonFiles, commonFolders }));
  for (const [from, path, mode] of recipe.files) {
    const isRunner = from.startsWith(runnerFolder);
    hash.update(`\0${path}\0${mode}\0`).update(isRunner ? await readFile(from) : String((await stat(from)).size));
  }
  return hash.digest('hex');
}
