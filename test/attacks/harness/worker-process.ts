/**
 * A worker that opens a sandbox, starts a case that never ends, says `running` and waits to be killed. Takes a driver's
 * settings (JSON, `null` for the wasm driver), a profile and the source of a program as arguments.
 */
import { Limits, Profile } from '../../../contracts/sandbox.ts';
import { dockerDriver } from '../../../sandboxes/docker/driver.ts';
import type { DockerDriverOptions } from '../../../sandboxes/docker/options.ts';
import { wasmDriver } from '../../../sandboxes/wasm/driver.ts';
import { openDoor } from './door.ts';

const [given = 'null', profileName, source = ''] = process.argv.slice(2);
const options = JSON.parse(given) as DockerDriverOptions | null;
const profile = Profile.parse(profileName);
const gateway = await openDoor('abandoned');
const driver = options === null ? wasmDriver() : dockerDriver(options);
const opened = await driver.open({
  ...{ id: 'abandoned', profile, program: { language: profile === 'python' ? ('python' as const) : ('javascript' as const), source } },
  ...{ limits: Limits.parse({ wallMs: 60_000, cpuMs: 60_000 }), door: gateway.door, signal: new AbortController().signal },
});
if (!opened.ok) throw new Error(opened.message);
void gateway.armed.then(() => process.stdout.write('running\n'));
await opened.sandbox.run({ id: 'case', input: null, target: 'keeper' }, new AbortController().signal);
