import { z } from 'zod';
import { stages } from './queue.ts';

const portWords = 'must be a port, a whole number from 0 to 65535';
const Port = z.coerce.number(portWords).int(portWords).min(0, portWords).max(65_535, portWords);
const Flag = z.enum(['0', '1', 'true', 'false']).transform((v) => v === '1' || v === 'true');

/** Every variable this program reads. Only `main.ts` files hand it the environment. */
export const Config = z.object({
  /** Folder of database files, blobs and keys. */
  COLLECTIVE_HOME: z.string().min(1).default('.collective'),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** The same database under the role that may only evaluate; made from DATABASE_URL when absent. */
  EVALUATOR_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  HOST: z.string().min(1).default('127.0.0.1'),
  /** When absent, 4870 or the next free port. */
  PORT: Port.optional(),
  /** Address people reach the server at, when it is not HOST:PORT. */
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** YAML file of further targets an operator offers. */
  TARGETS_FILE: z.string().optional(),
  OPENAI_API_KEY: z.string().min(1).optional(),
  OPENAI_BASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  ANTHROPIC_API_KEY: z.string().min(1).optional(),
  ANTHROPIC_BASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** `unix:///path` or `tcp://…` of the Docker engine; the default socket when absent. */
  DOCKER_HOST: z.string().optional(),
  /** Folder for gateway sockets; it must have the same path on the engine's host. */
  SANDBOX_SOCKETS: z.string().optional(),
  WORKER_STAGES: z
    .string()
    .default('screen,evaluate,verify,sweep')
    .transform((v) => v.split(',').map((s) => s.trim()))
    .pipe(z.array(z.enum([...stages, 'sweep', 'library'])).min(1)),
  WORKER_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(2),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Load the built-in challenges and judge their samples at first start. */
  LOAD_LIBRARY: Flag.default(true),
});
export type Config = z.infer<typeof Config>;

export type ConfigResult = { ok: true; config: Config } | { ok: false; problems: string[] };

/** Reads the whole configuration once. Values never appear in the problems: a mistyped URL may hold a password. */
export function readConfig(environment: Record<string, string | undefined>): ConfigResult {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = Config.safeParse(given);
  if (parsed.success) return { ok: true, config: Object.freeze(parsed.data) };
  return { ok: false, problems: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) };
}
