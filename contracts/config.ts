import { z } from 'zod';
import { acceptableRisks } from './doctor.ts';
import { stages } from './queue.ts';
import { RiskTier } from './risk-tier.ts';
import { Limits, Runtime } from './sandbox.ts';

const portWords = 'must be a port, a whole number from 0 to 65535';
const Port = z.coerce.number(portWords).int(portWords).min(0, portWords).max(65_535, portWords);
const Flag = z.enum(['0', '1', 'true', 'false']).transform((v) => v === '1' || v === 'true');

const listed = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** `a=x,b=y` as an object whose names are among `names`; values go through their name's schema. */
function assignments<T>(names: readonly string[], schemaOf: (name: string) => z.ZodType<T>) {
  const say = (context: z.core.$RefinementCtx, message: string) => {
    context.issues.push({ code: 'custom', message, input: undefined });
  };
  return z.string().transform((text, context): Partial<Record<string, T>> => {
    const found: Partial<Record<string, T>> = {};
    for (const [index, part] of listed(text).entries()) {
      const [name = '', value, ...more] = part.split('=').map((one) => one.trim());
      const place = `part ${index + 1}`;
      if (!names.includes(name) || value === undefined || more.length > 0)
        say(context, `${place} must be NAME=VALUE, where NAME is one of ${names.join(', ')}`);
      else if (Object.hasOwn(found, name)) say(context, `${place} sets ${name} a second time`);
      else {
        const parsed = schemaOf(name).safeParse(value);
        if (parsed.success) found[name] = parsed.data;
        else say(context, `the value of ${name}: ${parsed.error.issues[0]?.message ?? 'is not accepted'}`);
      }
    }
    return found;
  });
}

const { artifacts: _artifacts, ...limitShape } = Limits.shape;
type LimitName = keyof typeof limitShape;
const limitNames = Object.keys(limitShape) as LimitName[];
/** Within what a rubric may ask for: a maximum below the least would refuse every rubric. */
const limitOf = (name: string): z.ZodType<number> => z.coerce.number().pipe(limitShape[name as LimitName].unwrap());

const registry = /^[a-z0-9.-]+(:\d{1,5})?$/;

/** Every variable this program reads. Only `main.ts` files hand it the environment. */
export const Config = z
  .object({
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
    /**
     * `production`: this installation's results may touch money. Refuses settings that are for tests and development only,
     * at present ACCEPTED_SANDBOX_RISKS.
     */
    COLLECTIVE_MODE: z.enum(['development', 'production']).default('development'),
    /** What containers are started with: `runc`, `crun` or `runsc` (gVisor); it must be registered with the engine. */
    SANDBOX_RUNTIME: Runtime.default('runc'),
    /** Other runtimes for some risk tiers, as `high=runsc,critical=runsc`. */
    SANDBOX_RUNTIMES_BY_TIER: assignments<Runtime>(RiskTier.options, () => Runtime)
      .transform((found): Partial<Record<RiskTier, Runtime>> => found)
      .default({}),
    /**
     * The most any rubric gets on this machine, as `memoryBytes=536870912,wallMs=60000`, with the names of a rubric's
     * limits. Rubrics that ask for more run with this; a case that then meets such a limit is our fault.
     */
    SANDBOX_MAXIMA: assignments<number>(limitNames, limitOf)
      .transform((found): Partial<Record<LimitName, number>> => found)
      .default({}),
    /** Memory in bytes that idle containers may hold so that the next evaluation need not wait; 0 keeps none. 256 MiB for a worker, 0 for a command. */
    SANDBOX_POOL_BYTES: z.coerce.number().int().min(0).optional(),
    /** Registries that images of participants may come from, as `host[:port],…`; none when empty: such images are not run. */
    IMAGE_REGISTRIES: z
      .string()
      .default('')
      .transform(listed)
      .pipe(z.array(z.string().regex(registry, 'must be host names with an optional port, separated by commas'))),
    /** All layers of a participant's image together, compressed, in bytes. */
    IMAGE_MAX_BYTES: z.coerce.number().int().min(1).default(1_073_741_824),
    /** Checks of `collective doctor` that may fail and bounty work still runs here. Recorded with every evaluation. */
    ACCEPTED_SANDBOX_RISKS: z
      .string()
      .default('')
      .transform(listed)
      .pipe(z.array(z.enum(acceptableRisks, `must be among ${acceptableRisks.join(', ')}: no other failed check can be accepted`))),
    LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
    /** Load the built-in challenges and judge their samples at first start. */
    LOAD_LIBRARY: Flag.default(true),
  })
  .superRefine((config, context) => {
    if (config.COLLECTIVE_MODE !== 'production' || config.ACCEPTED_SANDBOX_RISKS.length === 0) return;
    const message =
      'is refused with COLLECTIVE_MODE=production: where results touch money, a machine with known holes may not run them. Mend what `collective doctor` shows, or unset it.';
    context.addIssue({ code: 'custom', path: ['ACCEPTED_SANDBOX_RISKS'], message });
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
