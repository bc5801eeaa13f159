import { z } from 'zod';
import type { ChatRequest, ChatResult } from './chat.ts';
import type { Json } from './json.ts';
import type { RiskTier } from './risk-tier.ts';
import type { LimitKind } from './status.ts';

/**
 * What a program may rely on: `js` is a module with the helper API only, `node` and `python` are whole runtimes, `image`
 * is whatever the participant's own container image holds.
 */
export const Profile = z.enum(['js', 'node', 'python', 'image']);
export type Profile = z.infer<typeof Profile>;

export const Language = z.enum(['javascript', 'python']);
export type Language = z.infer<typeof Language>;

/** What starts a container: `runsc` is gVisor, a kernel of its own between program and host. */
export const Runtime = z.enum(['runc', 'crun', 'runsc']);
export type Runtime = z.infer<typeof Runtime>;

/** `independent`: fresh process and scratch space per case. `shared`: one process answers case after case, state and files stay. */
export const CaseIsolation = z.enum(['independent', 'shared']);
export type CaseIsolation = z.infer<typeof CaseIsolation>;

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
  /** Open files of one process. */
  openFiles: z.number().int().min(32).max(4_096).default(256),
  /** Printed bytes read per second, after a first burst of as many; a program that prints faster has to wait. */
  outputBytesPerSecond: z.number().int().min(1024).max(16_777_216).default(1_048_576),
  /** What is kept of the folder `artifacts` in the scratch space when a case has ended; no files: nothing is kept. */
  artifacts: z
    .strictObject({
      files: z.number().int().min(0).max(64).default(0),
      /** All files together. */
      bytes: z.number().int().min(0).max(4_194_304).default(1_048_576),
      /** Folders above a file, `artifacts` itself not counted. */
      depth: z.number().int().min(0).max(8).default(2),
    })
    .prefault({}),
});
export type Limits = z.infer<typeof Limits>;

/** What submitted code receives for one case. Expected answers never come near it. */
export interface Task {
  id: string;
  input: Json;
  /** Name of the target this case is about; the model name to send. */
  target: string | null;
}

/** One file that a case left in its folder `artifacts`: a participant's bytes under a participant's name. */
export interface Artifact {
  /** Relative, forward slashes, printable characters; safe to show and to store, never to open. */
  path: string;
  bytes: Uint8Array;
}

/** One file of a program that has several. */
export interface ProgramFile {
  /** Relative to the program's folder; letters, digits, `._-` and forward slashes. */
  path: string;
  bytes: Uint8Array;
}

/** An image by digest, `host[:port]/repository@sha256:…`. */
export const ImageReference = z
  .string()
  .max(300)
  .regex(
    /^[a-z0-9.-]+(:\d{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+@sha256:[0-9a-f]{64}$/,
    'an image by digest: registry.example/repository@sha256:…; tags are not accepted, because they can move',
  );

export type SandboxProgram =
  /** `source` is the entry file, main.py or main.mjs; `files` lie beside it. */
  { language: Language; source: string; files?: readonly ProgramFile[] } | { image: string };

/** What the worker itself observed about one case; a participant's frame never decides `limit` or `error`. */
export type CaseRun =
  | { kind: 'answer'; answer: Json; log: string; wallMs: number; artifacts?: readonly Artifact[] }
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
  program: SandboxProgram;
  limits: Limits;
  /** `independent` when absent. */
  cases?: CaseIsolation;
  /** Demanded by the rubric; the operator's choice for this risk tier when absent. */
  runtime?: Runtime | undefined;
  /** Decides the runtime where the operator has chosen one per tier. */
  riskTier?: RiskTier;
  door: ModelDoor;
  signal: AbortSignal;
}

export type Availability =
  | {
      available: true;
      profiles: Profile[];
      /** May a rubric demand gVisor here. */
      gvisor: boolean;
      detail: string;
    }
  | { available: false; profiles: Profile[]; reason: string; install: string };

/** Where a sandbox's programs ran, for the record of the evaluation. */
export interface SandboxEnvironment {
  driver: 'wasm' | 'docker';
  /** Null where no container is involved. */
  runtime: Runtime | null;
  /** Engine's image id. */
  imageId: string | null;
  /** SHA-256 of what a container may do: create body and system call filter. */
  profileSha256: string | null;
}

/**
 * Opening can fail because of the submission (`fault: 'participant'`: an archive that does not unpack, an image that is
 * refused) or because of this machine, which is the default.
 */
export type Opened = { ok: true; sandbox: Sandbox } | { ok: false; message: string; fault?: 'participant' | 'platform' };

/**
 * One driver, one conformance suite (`sandboxes/conformance.ts`). Cases of one sandbox run one after another; each
 * case starts from fresh program state unless the rubric says that cases share it.
 */
export interface SandboxDriver {
  readonly name: 'wasm' | 'docker';
  readonly profiles: readonly Profile[];
  probe(): Promise<Availability>;
  open(options: SandboxOptions): Promise<Opened>;
}

export interface Sandbox extends AsyncDisposable {
  readonly environment: SandboxEnvironment;
  run(task: Task, signal: AbortSignal): Promise<CaseRun>;
}
