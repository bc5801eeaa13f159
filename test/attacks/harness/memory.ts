import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// Works in every process, also where nobody could pass the flag on the command line.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Resident bytes of this process when all that can be collected has been. */
export function settledRss(): number {
  collect();
  collect();
  return process.memoryUsage.rss();
}
