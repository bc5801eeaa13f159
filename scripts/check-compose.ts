import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { Config } from '../contracts/config.ts';

/**
 * Checks docker-compose.yml where no compose command is installed: the parts of the compose specification it uses, and
 * what no general parser knows: that our own variables, entry files, volumes and dependencies exist.
 */
const Condition = z.enum(['service_started', 'service_healthy', 'service_completed_successfully']);
const Service = z
  .strictObject({
    image: z.string().optional(),
    build: z.string().optional(),
    restart: z.enum(['no', 'unless-stopped', 'always', 'on-failure']).optional(),
    command: z.array(z.string()).optional(),
    environment: z.record(z.string(), z.string()).optional(),
    ports: z.array(z.string().regex(/^127\.0\.0\.1:\d+:\d+$/, 'a port published on loopback only')).optional(),
    volumes: z.array(z.string().regex(/^[^:]+:\/[^:]+(:ro)?$/)).optional(),
    depends_on: z.record(z.string(), z.strictObject({ condition: Condition })).optional(),
    healthcheck: z.strictObject({ test: z.array(z.string()), interval: z.string(), retries: z.number() }).optional(),
  })
  .refine((service) => (service.image === undefined) !== (service.build === undefined), 'a service has either an image or a build');
const Compose = z.object({ name: z.string(), services: z.record(z.string(), Service), volumes: z.record(z.string(), z.null()) });

const root = join(import.meta.dirname, '..');
const text = readFileSync(process.argv[2] ?? join(root, 'docker-compose.yml'), 'utf8');
const problems: string[] = [];
const parsed = Compose.safeParse(parse(text, { merge: true }));
if (!parsed.success) problems.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
else for (const [name, service] of Object.entries(parsed.data.services)) problems.push(...problemsOf(name, service, parsed.data));
for (const [, body] of text.matchAll(/\$\{([^}]*)\}/g)) {
  if (!/^[A-Z][A-Z0-9_]*(:-[^}]*|:\?.+)$/.test(body ?? ''))
    problems.push(`\${${body}} has neither a default nor a message for when it is missing`);
}
for (const problem of problems) console.error(`docker-compose.yml: ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;

function problemsOf(name: string, service: z.infer<typeof Service>, compose: z.infer<typeof Compose>): string[] {
  const found: string[] = [];
  for (const other of Object.keys(service.depends_on ?? {}))
    if (!(other in compose.services)) found.push(`${name} depends on "${other}", which is no service`);
  for (const volume of service.volumes ?? []) {
    const source = volume.split(':')[0] ?? '';
    if (!source.startsWith('/') && !(source in compose.volumes)) found.push(`${name} mounts "${source}", which is no volume`);
  }
  if (service.build === undefined) return found;
  const entry = service.command?.[1];
  if (entry === undefined || !existsSync(join(root, entry))) found.push(`${name} runs "${entry}", which is no file`);
  const known = new Set<string>(Object.keys(Config.shape));
  for (const variable of Object.keys(service.environment ?? {}))
    if (!known.has(variable)) found.push(`${name} sets ${variable}, which nothing reads`);
  const sockets = service.environment?.SANDBOX_SOCKETS;
  if (sockets !== undefined && !service.volumes?.includes(`${sockets}:${sockets}`))
    found.push(`${name}: ${sockets} must have the same path on the host`);
  return found;
}
