import { z } from 'zod';
import { ChatMessage, ChatRequest } from '../../contracts/chat.ts';
import { parseBoundedJson } from '../../contracts/json.ts';
import type { ModelDoor, Task } from '../../contracts/sandbox.ts';
import type { Child } from './child-process.ts';
import { type FromChild, maxOpenCalls, maxReplyLength, maxRequestLength, maxRequestValues } from './frames.ts';

type ChatFrame = Extract<FromChild, { type: 'chat' }>;

/**
 * Carries the chat calls of one case from the child to the door and the replies back, until `signal` ends the case.
 * A fault goes to the program as an exception that says what happened. `broken` is told when this side or the child
 * is defective, so that the case is not scored.
 */
export function callRelay(
  child: Child,
  task: Task,
  door: ModelDoor,
  signal: AbortSignal,
): (frame: ChatFrame, broken: (message: string) => void) => void {
  let open = 0;
  return (frame, broken) => {
    const refuse = (kind: string, message: string) => {
      if (!signal.aborted) child.send({ type: 'refusal', call: frame.call, kind, message });
    };
    // The child refuses the program at the same bound; a child that goes past it is not ours any more.
    if (open >= maxOpenCalls) {
      broken('the sandbox process went past the bound on open calls');
      return;
    }
    const request = requestOf(frame.request, task);
    if (!request.ok) {
      refuse('invalid', request.message);
      return;
    }
    open += 1;
    door
      .chat(request.request, signal)
      .finally(() => {
        open -= 1;
      })
      .then((result) => {
        if (!result.ok) refuse(result.fault.kind, `${result.fault.kind}: ${result.fault.message}`);
        else if (result.reply.content.length > maxReplyLength) refuse('overflow', 'overflow: the reply is too large to be handed over');
        else if (!signal.aborted) child.send({ type: 'reply', call: frame.call, text: result.reply.content });
      })
      .catch((error: unknown) => broken(`the model gateway failed: ${error instanceof Error ? error.message : 'unknown'}`));
  };
}

const Call = z.strictObject({
  messages: z.array(ChatMessage),
  options: z.strictObject({
    target: z.string().optional(),
    temperature: ChatRequest.shape.temperature,
    maxOutputTokens: ChatRequest.shape.maxOutputTokens,
  }),
});

function requestOf(text: string, task: Task): { ok: true; request: ChatRequest } | { ok: false; message: string } {
  const json = parseBoundedJson(Buffer.from(text), { maxBytes: 4 * maxRequestLength, maxDepth: 16, maxValues: maxRequestValues });
  if (!json.ok) return { ok: false, message: `the request ${json.problem}` };
  const call = Call.safeParse(json.value);
  if (!call.success) return { ok: false, message: `invalid request: ${problemsOf(call.error)}` };
  const { target = task.target, temperature, maxOutputTokens } = call.data.options;
  if (target === null)
    return { ok: false, message: 'this case has no target of its own; name one: target.chat(messages, { target: "..." })' };
  const request = ChatRequest.safeParse({
    target,
    messages: call.data.messages,
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
  });
  return request.success ? { ok: true, request: request.data } : { ok: false, message: `invalid request: ${problemsOf(request.error)}` };
}

const problemsOf = (error: z.ZodError): string =>
  error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'request'}: ${issue.message}`)
    .join('; ');
