import type { ChatRequest, ChatResult } from '../../contracts/chat.ts';
import type { JudgeSpec } from '../../contracts/judging.ts';
import type { Batches } from './batches.ts';

/** What a judge is asked; the target is the judge and the temperature always 0. */
export type JudgeRequest = Omit<ChatRequest, 'target' | 'temperature'>;

/** How the graders of one case reach the rubric's judges. */
export interface JudgeAccess {
  /** The rubric's judges by name. */
  readonly judges: ReadonlyMap<string, JudgeSpec>;
  /** Secret until the evaluation is done; nonces and fences are derived from it and from the text they guard. */
  readonly seed: string;
  /** The batches of the whole evaluation, with their sentinels: one object for all its cases. */
  readonly batches: Batches;
  /**
   * One metered call, ended after the judge's `timeoutMs` as a transport fault. Never rejects for what a judge or provider
   * does. `fresh`: no kept reply answers it, and its own is not kept: a sentinel's reply says how the judge is now.
   */
  ask(judge: string, request: JudgeRequest, how: { fresh: boolean }): Promise<ChatResult>;
}
