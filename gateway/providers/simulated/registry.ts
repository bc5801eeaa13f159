import { backdooredCodeModel } from './backdoored-code-model.ts';
import { cautiousAssistant } from './cautious-assistant.ts';
import { houseRuleAssistant } from './house-rule-assistant.ts';
import { honestJudge } from './judge-honest.ts';
import { alwaysPassJudge, brokenJsonJudge, injectableJudge, refusingJudge, slowJudge } from './judges.ts';
import type { WaitingModel } from './model.ts';
import { mailAgent } from './mail-agent.ts';
import { leakyServiceDesk } from './pii-model.ts';
import { regurgitator } from './regurgitator.ts';
import { secretKeeper } from './secret-keeper.ts';
import { toolAgent } from './tool-agent.ts';
import { toolEnvironment } from './tool-environment.ts';
import { webAgent } from './web-agent.ts';

/** Every simulated model by the name a rubric uses. Look up with `Object.hasOwn`: the name comes from a rubric. */
export const simulatedModels: Readonly<Record<string, WaitingModel>> = {
  'backdoored-code-model': backdooredCodeModel,
  'cautious-assistant': cautiousAssistant,
  'house-rule-assistant': houseRuleAssistant,
  'leaky-service-desk': leakyServiceDesk,
  'mail-agent': mailAgent,
  regurgitator,
  'secret-keeper': secretKeeper,
  'tool-agent': toolAgent,
  'tool-environment': toolEnvironment,
  'web-agent': webAgent,
  'simulated-judge-always-pass': alwaysPassJudge,
  'simulated-judge-broken-json': brokenJsonJudge,
  'simulated-judge-honest': honestJudge,
  'simulated-judge-injectable': injectableJudge,
  'simulated-judge-refusing': refusingJudge,
  'simulated-judge-slow': slowJudge,
};
