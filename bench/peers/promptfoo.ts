import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** The version that is measured against; installed into a folder outside the repository, without its install scripts. */
export const promptfooVersion = '0.122.2';

export interface PeerRun {
  wallMs: number;
  cpuMs: number;
  residentMb: number;
}

/** Installs the peer into `folder` where it is not there yet, and returns its entry file. */
export async function installPromptfoo(folder: string): Promise<string> {
  const entry = join(folder, 'node_modules', 'promptfoo', 'dist', 'src', 'entrypoint.js');
  const manifest = join(folder, 'node_modules', 'promptfoo', 'package.json');
  const installed = await readFile(manifest, 'utf8').then(
    (text) => z.object({ version: z.string() }).parse(JSON.parse(text)).version,
    () => null,
  );
  if (installed === promptfooVersion) return entry;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: { promptfoo: promptfooVersion } }));
  const child = spawn('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`npm could not install promptfoo ${promptfooVersion} into ${folder}`);
  return entry;
}

/** The same task for the peer: one call per case, three string assertions, and for `judged` one question to a judge. */
export async function writePromptfooConfig(folder: string, options: { cases: number; judged: boolean; baseUrl: string }): Promise<string> {
  await mkdir(folder, { recursive: true });
  const provider = { id: 'openai:chat:mock', config: { apiBaseUrl: options.baseUrl, apiKey: 'none' } };
  const tests = Array.from({ length: options.cases }, (_, n) => ({
    vars: { n: String(n) },
    assert: [
      { type: 'contains', value: `word${n}` },
      { type: 'regex', value: `question ${n}\\b` },
      { type: 'not-icontains', value: 'i cannot' },
      ...(options.judged ? [{ type: 'llm-rubric', value: `The answer names the word of question ${n}.`, provider }] : []),
    ],
  }));
  const file = join(folder, 'promptfooconfig.json');
  await writeFile(file, JSON.stringify({ description: 'bench', providers: [provider], prompts: ['Please answer question {{n}}.'], tests }));
  return file;
}

/** One whole run of the peer's command, its start included. Throws when a case did not pass: nothing would have been compared. */
export async function runPromptfoo(entry: string, config: string, folder: string, concurrency: number): Promise<PeerRun> {
  const usageFile = join(folder, 'usage.json');
  const output = join(folder, 'result.json');
  const args = ['eval', '-c', config, '--no-cache', '--no-progress-bar', '--no-table', '-j', String(concurrency), '-o', output];
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['--import', join(import.meta.dirname, 'report-usage.mjs'), entry, ...args], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...{ PATH: process.env.PATH, HOME: folder, BENCH_USAGE_FILE: usageFile, PROMPTFOO_CONFIG_DIR: join(folder, 'config') },
      ...{
        PROMPTFOO_DISABLE_TELEMETRY: '1',
        NODE_NO_WARNINGS: '1',
        PROMPTFOO_DISABLE_UPDATE: '1',
        PROMPTFOO_DISABLE_REMOTE_GENERATION: 'true',
      },
    },
  });
  await once(child, 'exit');
  const wallMs = performance.now() - startedAt;
  const used = z.object({ cpuMs: z.number(), residentMb: z.number() }).parse(JSON.parse(await readFile(usageFile, 'utf8')));
  const Result = z.object({ results: z.object({ stats: z.object({ successes: z.number(), failures: z.number(), errors: z.number() }) }) });
  const { stats } = Result.parse(JSON.parse(await readFile(output, 'utf8'))).results;
  if (stats.failures + stats.errors > 0) throw new Error(`promptfoo: ${stats.failures} failures and ${stats.errors} errors`);
  return { wallMs, ...used };
}
