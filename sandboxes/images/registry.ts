import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { ambiguousField, ImageConfig, indexTypes, Manifest, manifestTypes } from './oci.ts';
import type { ReferenceParts } from './reference.ts';

/**
 * A client of the registry interface (version 2) that can do three things: read a manifest by digest, read a blob by
 * digest, ask how large a blob is. Whoever calls it has checked that the operator allows the registry. Every byte is
 * counted against a cap and hashed before anything is parsed. Redirects are refused: a registry behind one would send
 * this machine to an address that no operator has allowed.
 */
export interface RegistryOptions {
  parts: ReferenceParts;
  signal: AbortSignal;
  /** For one small answer; 15 seconds when absent. */
  timeoutMs?: number;
}

/** `fault`: a registry that fails is ours, an image that is not there or not an image is the participant's. */
export type Failure = { ok: false; fault: 'participant' | 'platform'; message: string };
export type FetchedImage = { ok: true; manifest: Manifest; config: ImageConfig } | Failure;

/** A manifest of 128 layers has about 40 kB. */
const maxDocumentBytes = 1_048_576;

/** Reads what a registry says about an image: its manifest and its configuration, both checked against their digests. */
export async function fetchImage(options: RegistryOptions): Promise<FetchedImage> {
  const manifest = await fetchManifest(options);
  if (!manifest.ok) return manifest;
  const config = await fetchDocument(options, `blobs/${manifest.value.config.digest}`, manifest.value.config.digest, ImageConfig);
  return config.ok ? { ok: true, manifest: manifest.value, config: config.value } : config;
}

async function fetchManifest(options: RegistryOptions): Promise<{ ok: true; value: Manifest } | Failure> {
  const { digest } = options.parts;
  const document = await fetchDocument(options, `manifests/${digest}`, digest, Manifest, [...manifestTypes, ...indexTypes]);
  if (!document.ok) return document;
  const { value, type } = document;
  // The engine believes the header, a reader of the file its `mediaType`: a document that is two things is neither.
  if (value.mediaType !== undefined && value.mediaType !== type) {
    return participant(`the manifest says that it is ${value.mediaType}, the registry that it is ${type}: push the image again`);
  }
  return { ok: true, value };
}

async function fetchDocument<T>(
  options: RegistryOptions,
  path: string,
  digest: string,
  schema: z.ZodType<T>,
  accept: readonly string[] = [],
): Promise<{ ok: true; value: T; type: string } | Failure> {
  const timeoutMs = options.timeoutMs ?? 15_000;
  const within = { ...options, signal: AbortSignal.any([options.signal, AbortSignal.timeout(timeoutMs)]) };
  try {
    const answer = await request(within, 'GET', path, accept);
    if (!answer.ok) return answer;
    const bytes = await readBounded(answer.response, maxDocumentBytes);
    if (bytes === null) return participant(`${path.split('/')[0]} of more than ${maxDocumentBytes} bytes are not read`);
    if (`sha256:${createHash('sha256').update(bytes).digest('hex')}` !== digest) {
      return platform(`the registry ${options.parts.registry} sent other bytes for ${digest} than its name says`);
    }
    const type = answer.response.headers.get('content-type')?.split(';')[0]?.trim() ?? '';
    const read = readDocument(bytes, schema);
    return read.ok ? { ok: true, value: read.value, type } : participant(read.message);
  } catch (error) {
    return unreachable(options, error);
  }
}

function readDocument<T>(bytes: Buffer, schema: z.ZodType<T>): { ok: true; value: T } | { ok: false; message: string } {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return { ok: false, message: 'the digest names something that is not JSON: name the digest of the image’s manifest' };
  }
  const { mediaType, manifests } = (json ?? {}) as { mediaType?: unknown; manifests?: unknown };
  if (manifests !== undefined || indexTypes.includes(String(mediaType))) {
    return { ok: false, message: `the digest names a list of images: name the manifest of the one for linux/${machineArchitecture()}` };
  }
  const ambiguous = ambiguousField(json);
  if (ambiguous !== null) return { ok: false, message: `the field "${ambiguous}" is written in a way that engines read differently` };
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, value: parsed.data };
  const problems = parsed.error.issues.slice(0, 3).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  return { ok: false, message: `the image’s description is not what this platform accepts: ${problems.join('; ')}` };
}

/** How large a blob is that the registry holds, in bytes. */
export async function blobSize(options: RegistryOptions, digest: string): Promise<{ ok: true; bytes: number } | Failure> {
  const timed = { ...options, signal: AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs ?? 15_000)]) };
  try {
    const answer = await request(timed, 'HEAD', `blobs/${digest}`);
    if (!answer.ok) return answer;
    const length = answer.response.headers.get('content-length');
    if (length === null || !/^\d{1,15}$/.test(length)) return platform(`the registry does not say how large ${digest} is`);
    return { ok: true, bytes: Number(length) };
  } catch (error) {
    return unreachable(options, error);
  }
}

/** The bytes of a blob as they come, unchecked: the reader counts and hashes them. */
export async function openBlob(options: RegistryOptions, digest: string): Promise<{ ok: true; body: AsyncIterable<Uint8Array> } | Failure> {
  try {
    const answer = await request(options, 'GET', `blobs/${digest}`);
    if (!answer.ok) return answer;
    return answer.response.body === null ? platform('the registry sent nothing') : { ok: true, body: answer.response.body };
  } catch (error) {
    return unreachable(options, error);
  }
}

async function request(
  { parts, signal }: RegistryOptions,
  method: 'GET' | 'HEAD',
  path: string,
  accept: readonly string[] = [],
): Promise<{ ok: true; response: Response } | Failure> {
  const response = await fetch(`${parts.origin}/v2/${parts.repository}/${path}`, {
    method,
    redirect: 'manual',
    headers: { accept: accept.length === 0 ? '*/*' : accept.join(', '), 'accept-encoding': 'identity' },
    signal,
  });
  if (response.status === 200) return { ok: true, response };
  await response.body?.cancel();
  return refusal(parts, path, response.status);
}

function refusal({ registry, repository }: ReferenceParts, path: string, status: number): Failure {
  if (status >= 300 && status < 400) {
    return platform(`the registry ${registry} answers with a redirect (HTTP ${status}), which is not followed: serve blobs directly`);
  }
  if (status === 404) {
    return participant(
      `the registry ${registry} has no ${path} in ${repository}: push the image, then name the digest that the push printed`,
    );
  }
  if (status === 401 || status === 403) {
    return participant(`the registry ${registry} wants a login for ${repository}: make the image readable without one`);
  }
  return platform(`the registry ${registry} answered HTTP ${status}`);
}

async function readBounded(response: Response, maxBytes: number): Promise<Buffer | null> {
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const part of response.body ?? []) {
    total += part.byteLength;
    if (total > maxBytes) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

export function unreachable({ parts, signal }: RegistryOptions, error: unknown): Failure {
  const { name, message, cause } = error as { name?: string; message?: string; cause?: { code?: string; message?: string } };
  const late = name === 'TimeoutError' || (signal.reason as Error | undefined)?.name === 'TimeoutError';
  if (signal.aborted && !late) return platform('the evaluation was ended while its image was fetched');
  const why = late ? 'it did not answer in time' : (cause?.code ?? cause?.message ?? message ?? String(error));
  return platform(`the registry ${parts.registry} cannot be reached: ${why}`);
}

export const machineArchitecture = (): string => (process.arch === 'x64' ? 'amd64' : process.arch);
export const participant = (message: string): Failure => ({ ok: false, fault: 'participant', message });
export const platform = (message: string): Failure => ({ ok: false, fault: 'platform', message });
