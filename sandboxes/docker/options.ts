import type { RiskTier } from '../../contracts/risk-tier.ts';
import type { Limits, Runtime } from '../../contracts/sandbox.ts';

/** The most an operator lets any rubric have on this machine, whatever the rubric asks for. */
export type LimitMaxima = Omit<Limits, 'artifacts'>;

/** Which images of participants this machine runs. */
export interface ImagePolicy {
  /** Registries images may come from, `host[:port]`; none by default: a host that a stranger names is never contacted. */
  registries: readonly string[];
  /** All layers together, compressed. */
  maxBytes: number;
  maxLayers: number;
}

export interface RuntimeChoice {
  /** What containers are started with unless the tier or the rubric says otherwise. */
  usual: Runtime;
  byTier: Partial<Record<RiskTier, Runtime>>;
}

export interface DockerDriverOptions {
  /** `unix:///path` or `tcp://host:port`; the engine's usual socket when absent. */
  dockerHost?: string;
  /** Folder for gateway sockets; must have the same path on the engine's host. */
  socketFolder: string;
  /** Engine's image ids (`sha256:…`) by profile, from `loadImageIds`. */
  images: { node?: string; python?: string };
  /** Folder with the runner for images of participants; must have the same path on the engine's host. */
  runnerFolder?: string;
  /** Folder for the record of pulled images of participants. */
  recordFolder?: string;
  workerId: string;
  /** How long one call to the engine may take; 30 seconds when absent. */
  engineTimeoutMs?: number;
  runtimes?: RuntimeChoice;
  maxima?: Partial<LimitMaxima>;
  imagePolicy?: ImagePolicy;
  /** Memory that idle containers may hold so that the next evaluation need not wait for one; 0 keeps none. */
  poolBytes?: number;
  /** Told what went wrong where nobody waits: refilling the pool, clearing what dead workers left. */
  onProblem?(message: string): void;
}
