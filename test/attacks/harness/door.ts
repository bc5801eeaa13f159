import type { ChatEvent, Provider } from '../../../gateway/providers/provider.ts';
import type { ModelDoor } from '../../../contracts/sandbox.ts';
import { TargetSpec } from '../../../contracts/target.ts';
import { openTest } from '../../../gateway/test-support.ts';

/**
 * The real gateway in front of a model that repeats what it hears. To the word "armed" it answers only when it is told
 * to: so an attack that needs two programs at once can be brought in order without waiting for a time.
 */
export interface AttackDoor extends AsyncDisposable {
  door: ModelDoor;
  /** Resolves when a program has said "armed". */
  armed: Promise<void>;
  /** Answers it. */
  release(): void;
  /** Calls that reached the model. */
  calls(): number;
  /** A fault of the gateway that would make the evaluation an error, which an attack must not be able to cause. */
  fault(): string | null;
  /** Every exchange as it is stored. */
  recorded(): Iterable<string>;
}

export async function openDoor(caseId: string): Promise<AttackDoor> {
  const armed = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let calls = 0;
  const model: Provider = {
    check: () => null,
    stream: async function* (request): AsyncGenerator<ChatEvent> {
      calls += 1;
      const text = request.messages.at(-1)?.content ?? '';
      if (text === 'armed') {
        armed.resolve();
        await released.promise;
      }
      yield { type: 'text', text: `keeper heard: ${text}` };
      const tokens = { inputTokens: 1, outputTokens: 1, estimated: false };
      yield { type: 'end', stopReason: 'stop', tokens, returnedModel: 'keeper-1', fingerprint: null };
    },
  };
  const targets = [TargetSpec.parse({ name: 'keeper', provider: 'simulated', model: 'keeper' })];
  const opened = await openTest({ targets, providers: { simulated: model } });
  const door = opened.session.sandboxDoor();
  door.enter(opened.session.door({ caseId, split: 'public', trial: 0 }, 'submission'));
  return {
    door,
    armed: armed.promise,
    release: released.resolve,
    calls: () => calls,
    fault: () => opened.session.transportFault(),
    recorded: () => opened.recorded.map((one) => JSON.stringify(one)),
    [Symbol.asyncDispose]: async () => {
      released.resolve();
      await opened[Symbol.asyncDispose]();
    },
  };
}
