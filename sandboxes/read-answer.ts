import { type Json, parseBoundedJson } from '../contracts/json.ts';
import { maxSubmissionValues } from '../contracts/submission-file.ts';

/** Deepest nesting of an answer; graders walk answers recursively. */
const maxDepth = 64;
/** As many as a whole submission may hold: 4 MB of `1,1,1,…` cost two seconds of the worker before a schema refused them. */
const maxValues = maxSubmissionValues;

/**
 * Reads the JSON text a program gave as its answer, the same way for every driver, so that one answer has one fate.
 * `message` tells the participant what is wrong with it.
 */
export function readAnswer(text: string | Uint8Array, answerBytes: number): { ok: true; answer: Json } | { ok: false; message: string } {
  const parsed = parseBoundedJson(typeof text === 'string' ? Buffer.from(text) : text, { maxBytes: answerBytes, maxDepth, maxValues });
  return parsed.ok ? { ok: true, answer: parsed.value } : { ok: false, message: `the answer ${parsed.problem}` };
}
