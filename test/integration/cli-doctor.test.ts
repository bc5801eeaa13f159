import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Finding } from '../../contracts/doctor.ts';
import { runCli } from '../setup/cli.ts';

const home = await mkdtemp(join(tmpdir(), 'collective-doctor-'));
afterAll(() => rm(home, { recursive: true, force: true }));
const noEngine = { COLLECTIVE_HOME: home, DOCKER_HOST: 'unix:///nonexistent/engine.sock' };

describe('collective doctor', () => {
  it('says what is missing, why it matters and what to do, and exits with 1', async () => {
    const { code, stdout } = await runCli(['doctor'], noEngine);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ok +wasm {2}QuickJS/);
    expect(stdout).toMatch(
      /^CRITICAL +engine {2}no Docker engine answers at .*\n +why: .+\n +stops: everything .+\n +fix: Install a Docker engine/m,
    );
    expect(stdout).toContain('Python and Node programs wait');
    expect(stdout).toContain('Bounty work does not run here: engine.');
  });

  it('prints one JSON document for programs', async () => {
    const { code, stdout } = await runCli(['doctor', '--json'], noEngine);
    expect(code).toBe(1);
    const { docker, ...rest } = JSON.parse(stdout);
    expect(rest).toMatchObject({ ok: false, bountyWork: false, acceptedRisks: [], wasm: { available: true } });
    expect(Finding.array().parse(docker)).toMatchObject([{ check: 'engine', ok: false, severity: 'critical', blocks: 'all' }]);
  });

  it('refuses accepted risks in production before it looks at anything', async () => {
    const environment = { ...noEngine, COLLECTIVE_MODE: 'production', ACCEPTED_SANDBOX_RISKS: 'engine-version' };
    const { code, stderr } = await runCli(['doctor'], environment);
    expect(code).toBe(78);
    expect(stderr).toMatch(/ACCEPTED_SANDBOX_RISKS: is refused with COLLECTIVE_MODE=production/);
  });
});
