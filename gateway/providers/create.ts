import type { Config } from '../../contracts/config.ts';
import { officialUrls, type Provider, ProviderFault, type Providers } from './provider.ts';
import { replayProvider } from './replay.ts';
import { simulatedProvider } from './simulated.ts';
import { simulatedModels } from './simulated/registry.ts';

/** Where providers are and with which keys, from the variables of the process that calls models. */
export const providersOf = (config: Partial<Pick<Config, ProviderVariable>>): Providers =>
  createProviders({
    openaiApiKey: config.OPENAI_API_KEY,
    openaiBaseUrl: config.OPENAI_BASE_URL,
    anthropicApiKey: config.ANTHROPIC_API_KEY,
    anthropicBaseUrl: config.ANTHROPIC_BASE_URL,
  });
type ProviderVariable = 'OPENAI_API_KEY' | 'OPENAI_BASE_URL' | 'ANTHROPIC_API_KEY' | 'ANTHROPIC_BASE_URL';

export interface ProvidersConfig {
  openaiApiKey?: string | undefined;
  openaiBaseUrl?: string | undefined;
  anthropicApiKey?: string | undefined;
  anthropicBaseUrl?: string | undefined;
}

/** All providers; one that has neither a key nor a base URL refuses its targets and names the variable to set. */
export function createProviders(config: ProvidersConfig): Providers {
  const { openaiApiKey, openaiBaseUrl, anthropicApiKey, anthropicBaseUrl } = config;
  return Object.freeze({
    simulated: simulatedProvider(simulatedModels),
    replay: replayProvider(),
    openai:
      openaiApiKey || openaiBaseUrl
        ? atFirstUse(openaiBaseUrl ?? officialUrls.openai, async () =>
            (await import('./openai.ts')).openaiProvider({ apiKey: openaiApiKey, baseUrl: openaiBaseUrl }),
          )
        : notConfigured('OPENAI_API_KEY'),
    anthropic:
      anthropicApiKey || anthropicBaseUrl
        ? atFirstUse(anthropicBaseUrl ?? officialUrls.anthropic, async () =>
            (await import('./anthropic.ts')).anthropicProvider({ apiKey: anthropicApiKey, baseUrl: anthropicBaseUrl }),
          )
        : notConfigured('ANTHROPIC_API_KEY'),
  });
}

/** The two SDKs are 50 MB of resident memory and 0.1 s of start: a worker that only grades answers never loads them. */
function atFirstUse(address: string, load: () => Promise<Provider>): Provider {
  let loading: Promise<Provider> | null = null;
  return {
    address,
    // Both SDKs take every target: what a model does not accept, the provider says.
    check: () => null,
    stream: async function* (request, target, context, signal) {
      loading ??= load();
      yield* (await loading).stream(request, target, context, signal);
    },
  };
}

function notConfigured(variable: string): Provider {
  const message = `set ${variable} in the worker's environment to use it`;
  return {
    check: () => message,
    stream: () => {
      throw new ProviderFault('transport', message, { httpStatus: 502 });
    },
  };
}
