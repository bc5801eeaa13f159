import type { Runtime } from '../../contracts/sandbox.ts';

const mebibyte = 1_048_576;

export interface RuntimeProfile {
  /** Kernel tasks the runtime itself needs inside the container's process limit. */
  extraTasks: number;
  /** Memory the runtime itself needs inside the container's memory limit. */
  extraMemoryBytes: number;
}

export const runtimeProfiles: Record<Runtime, RuntimeProfile> = {
  runc: { extraTasks: 0, extraMemoryBytes: 0 },
  crun: { extraTasks: 0, extraMemoryBytes: 0 },
  runsc: { extraTasks: 512, extraMemoryBytes: 64 * mebibyte },
};
