import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../contracts/config.ts';
import { engineAt, engineProblem, within } from '../sandboxes/docker/engine.ts';
import { buildImages, type ImageRecord, readRecords } from '../sandboxes/images/build.ts';
import { type ImageName, imageNames } from '../sandboxes/images/recipe.ts';
import { verifyImages } from '../sandboxes/images/verify.ts';
import { exitCodes, InputError } from './exit-codes.ts';
import { abortOnSignal } from './interrupt.ts';

const answerWithinMs = 5_000;

/** `collective images build|list|verify`: the images of the profiles `node` and `python`, and the runner for images of participants. */
export function describeImages(images: Command, config: Config): void {
  images
    .command('build')
    .description('build the images that are missing or whose recipe has changed (needs Debian or Ubuntu and a Docker engine)')
    .argument('[name...]', `${imageNames.join(', ')}; all when absent`)
    .option('--refresh', 'build again although nothing has changed, to pick up security updates of the packages')
    .option('--json', 'print one JSON document instead of text')
    .action(async (names: string[], options: { refresh?: boolean; json?: boolean }) => build(names, options, config));
  images
    .command('list')
    .description('list the images that were built here')
    .option('--json', 'print one JSON document instead of text')
    .action(async (options: { json?: boolean }) => list(options.json === true, config));
  images
    .command('verify')
    .description('compare the images in the engine and the runner on disk with what was recorded when they were built')
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', '\nExit code: 0 all are there and unchanged, 1 one is missing or changed or the engine does not answer.')
    .action(async (options: { json?: boolean }) => verify(options.json === true, config));
}

const fileOf = (config: Config): string => join(resolve(config.COLLECTIVE_HOME), 'images.json');

async function build(names: string[], options: { refresh?: boolean; json?: boolean }, config: Config): Promise<void> {
  const unknown = names.find((name) => !isImageName(name));
  if (unknown !== undefined) throw new InputError(`there is no image "${unknown}"; there are ${imageNames.join(', ')}`);
  const docker = await engineOf(config);
  await mkdir(resolve(config.COLLECTIVE_HOME), { recursive: true, mode: 0o711 });
  using interrupt = abortOnSignal();
  const result = await buildImages(docker, {
    file: fileOf(config),
    ...(names.length === 0 ? {} : { names: names.filter(isImageName) }),
    refresh: options.refresh === true,
    signal: interrupt.signal,
    onProgress: (message) => process.stderr.write(`${message}\n`),
  });
  if (!result.ok) throw new InputError(result.problem, exitCodes.error);
  if (options.json === true) print({ built: result.built, images: result.images });
  else {
    process.stdout.write(
      result.built.length === 0
        ? 'nothing to build\n'
        : `built ${result.built.join(', ')}; a server or worker that runs has to be started again to use them\n`,
    );
    for (const [name, image] of Object.entries(result.images)) process.stdout.write(lineOf(name, image));
  }
}

async function list(json: boolean, config: Config): Promise<void> {
  const images = await readRecords(fileOf(config));
  if (json) print({ images });
  else if (Object.keys(images).length === 0) process.stdout.write('no images were built here; `npx collective images build` does it\n');
  else for (const [name, image] of Object.entries(images)) process.stdout.write(lineOf(name, image));
}

async function verify(json: boolean, config: Config): Promise<void> {
  const images = await verifyImages(await engineOf(config), fileOf(config));
  const ok = images.every(({ state }) => state === 'there');
  if (json) print({ ok, images });
  else
    for (const { name, where, state } of images)
      process.stdout.write(`${name.padEnd(8)}${state.padEnd(13)}${where ?? ''}`.trimEnd().concat('\n'));
  if (!json && !ok) process.stdout.write(advice(images.some(({ state }) => state === 'changed')));
  process.exitCode = ok ? exitCodes.judged : exitCodes.error;
}

const advice = (changed: boolean): string =>
  changed
    ? 'something differs from what was built here: find out who changed it, then `npx collective images build --refresh`\n'
    : '`npx collective images build` makes what is missing\n';

async function engineOf(config: Config) {
  const engine = engineAt(config.DOCKER_HOST);
  if (!engine.ok) throw new InputError(engine.problem);
  try {
    await within(answerWithinMs, 'answer', engine.docker.ping());
  } catch (error) {
    throw new InputError(
      `no Docker engine answers at ${engine.host}: ${engineProblem(error)}\n` +
        'install one and start it (Debian: `apt-get install docker.io`), or name one that runs with DOCKER_HOST',
      exitCodes.error,
    );
  }
  return engine.docker;
}

const isImageName = (name: string): name is ImageName => imageNames.some((known) => known === name);
const lineOf = (name: string, image: ImageRecord): string =>
  `${name.padEnd(8)}${image.imageId}  built ${image.builtAt}, ${image.packages.length} packages\n` +
  (image.runner === undefined ? '' : `runner  ${image.runner.sha256}  ${image.runner.files} files, for images of participants\n`);
const print = (value: object): void => void process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
