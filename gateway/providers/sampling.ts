import type { TargetSpec } from '../../contracts/target.ts';
import type { ProviderRequest } from './provider.ts';

export interface Sampling {
  temperature?: number | undefined;
  topP?: number | undefined;
  seed?: number | undefined;
}

/**
 * What is asked of the model's sampling: the request's own wishes, else the target's temperature. A target with the
 * setting `sampling: default` is asked for nothing, because some reasoning models refuse every request that names a
 * temperature.
 */
export function samplingOf(request: ProviderRequest, target: TargetSpec): Sampling {
  if (target.settings.sampling === 'default') return {};
  return { temperature: request.temperature ?? target.temperature, topP: request.topP, seed: request.seed };
}
