import { z } from 'zod';
import type { ChatRequest, ChatResult } from './chat.ts';
import type { Json } from './json.ts';
import type { LimitKind } from './status.ts';

/** What a program may rely on: `js` is a module with the helper API only, `node` and `python` are whole runtimes. */
export const Profile = z.enum(['js', 'node', 'python']);
export type Profile = z.infer<typeof Profile>;

export const Language = z.enum(['javascript', 'python']);
export type Language = z.infer<typeof Language>;

export const Limits = z.strictObject({
  /** Wall clock for one case, monotonic. */
  wallMs: z.number().int().min(100).max(600_000).default(10_000),
  /** CPU time for one case, summed over its processes. */
  cpuMs: z.number().int().min(100).max(600_000).default(5_000),
  /** Memory and swap together, for the whole sandbox. */
  memoryBytes: z.number().int().min(16_777_216).max(4_294_967_296).default(268_435_456),
  processes: z.number().int().min(1).max(512).default(64),
  /** Bytes one case may print; what is over is cut and the case ends as `limit`. */
  outputBytes: z.number().int().min(1024).max(16_777_216).default(65_536),
  /** Bytes of the answer to one case. */
  answerBytes: z.number().int().min(16).max(4_194_304).default(65_536),
  /** Writable scratch space. */
  diskBytes: z.number().int().min(65_536).max(1_073_741_824).default(16_777_216),
  diskInodes: z.number().int().min(16).max(65_536).default(1_024),
});
export type Limits = z.infer<typeof Limits>;

/** What submitted code receives for one case. Expected answers never come near it. */
export interface Task {
  id: string;
  input: Json;
  /** Name of the target this case is about; the model name to send. */
  target: string | null;
}

/** What the worker itself observed about one case; a participant's frame never decides `limit` or `error`. */
export type CaseRun =
  | { kind: 'answer'; answer: Json; log: string; wallMs: number }
  | { kind: 'fault'; code: 'program_error' | 'invalid_output' | 'early_exit'; message: string; log: string; wallMs: number }
  | { kind: 'limit'; limit: LimitKind; message: string; log: string; wallMs: number }
  | { kind: 'error'; message: string };

/** The sandbox's only way out: the gateway session of this evaluation, already bound to the current case. */
export interface ModelDoor {
  chat(request: ChatRequest, signal: AbortSignal): Promise<ChatResult>;
  /** Serves the OpenAI and Anthropic wire formats on a unix socket at `path` until disposed. */
  listen(path: string): Promise<AsyncDisposable>;
}

export interface SandboxOptions {
  /** Names the evaluation and split in labels and directories; a slug of at most 80 characters. */
  id: string;
  profile: Profile;
  program: { language: Language; source: string };
  limits: Limits;
  door: ModelDoor;
  signal: AbortSignal;
}

export type Availability =
  | { available: true; profiles: Profile[]; detail: string }
  | { available: false; profiles: Profile[]; reason: string; install: string };

/**
 * One driver, one conformance suite (`sandboxes/conformance.ts`). Cases of one sandbox run one after another; each
 * case starts from fresh program state.
 */
export interface SandboxDriver {
  readonly name: 'wasm' | 'docker';
  readonly profiles: readonly Profile[];
  probe(): Promise<Availability>;
  open(options: SandboxOptions): Promise<{ ok: true; sandbox: Sandbox } | { ok: false; message: string }>;
}

export interface Sandbox extends AsyncDisposable {
  run(task: Task, signal: AbortSignal): Promise<CaseRun>;
}
