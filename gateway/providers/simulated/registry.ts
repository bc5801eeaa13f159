import { backdooredCodeModel } from './backdoored-code-model.ts';
import { cautiousAssistant } from './cautious-assistant.ts';
import type { SimulatedModel } from './model.ts';
import { secretKeeper } from './secret-keeper.ts';

/** Every simulated model by the name a rubric uses. Look up with `Object.hasOwn`: the name comes from a rubric. */
export const simulatedModels: Readonly<Record<string, SimulatedModel>> = {
  'backdoored-code-model': backdooredCodeModel,
  'cautious-assistant': cautiousAssistant,
  'secret-keeper': secretKeeper,
};
