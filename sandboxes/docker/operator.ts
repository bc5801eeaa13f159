import { join } from 'node:path';
import type { Config } from '../../contracts/config.ts';
import { loadImageIds, loadRunnerFolder } from '../images/build.ts';
import type { DockerDriverOptions } from './options.ts';

/** An image needs a handful of layers; each one costs the engine a mount. */
const maxLayers = 64;

export interface Place {
  /** COLLECTIVE_HOME, or what was made of it. */
  home: string;
  workerId: string;
  /** Where SANDBOX_SOCKETS does not say it. */
  socketFolder: string;
  /** Where SANDBOX_POOL_BYTES does not say it. */
  poolBytes: number;
}

/** What the operator's configuration means for the docker driver. */
export async function operatorOptions(config: Config, { home, workerId, socketFolder, poolBytes }: Place): Promise<DockerDriverOptions> {
  const images = join(home, 'images.json');
  const runnerFolder = await loadRunnerFolder(images);
  return {
    ...(config.DOCKER_HOST === undefined ? {} : { dockerHost: config.DOCKER_HOST }),
    socketFolder: config.SANDBOX_SOCKETS ?? socketFolder,
    images: await loadImageIds(images),
    ...(runnerFolder === undefined ? {} : { runnerFolder }),
    recordFolder: join(home, 'participant-images'),
    workerId,
    runtimes: { usual: config.SANDBOX_RUNTIME, byTier: config.SANDBOX_RUNTIMES_BY_TIER },
    maxima: config.SANDBOX_MAXIMA,
    imagePolicy: { registries: config.IMAGE_REGISTRIES, maxBytes: config.IMAGE_MAX_BYTES, maxLayers },
    poolBytes: config.SANDBOX_POOL_BYTES ?? poolBytes,
  };
}
