import { type Json, parseBoundedJson } from '../contracts/json.ts';

/** Deepest nesting of an answer; graders walk answers recursively. */
const maxDepth = 64;

/**
 * Reads the JSON text a program gave as its answer, the same way for every driver, so that one answer has one fate.
 * `message` tells the participant what is wrong with it.
 */
export function readAnswer(text: string, answerBytes: number): { ok: true; answer: Json } | { ok: false; message: string } {
  const parsed = parseBoundedJson(Buffer.from(text), { maxBytes: answerBytes, maxDepth });
  return parsed.ok ? { ok: true, answer: parsed.value } : { ok: false, message: `the answer ${parsed.problem}` };
}
