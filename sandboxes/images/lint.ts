import type { ImagePolicy } from '../docker/options.ts';
import type { ContainerDefaults, ImageConfig, Manifest } from './oci.ts';

/**
 * What of an image may decide about its container. Engines merge an image's volumes, labels and variables into the
 * container whatever its create call says; those cannot be overridden and are refused where they do harm. What the
 * create call does override (user, folder, health check) is taken as said and noted.
 */
export type LintResult =
  | { ok: true; command: string[]; environment: Record<string, string>; notes: string[] }
  /** Every problem with what to do about it. */
  | { ok: false; problems: string[] };

/** Pure. `manifest` is absent when an image that the engine already holds is looked at again. */
export function lintImage(image: ImageConfig, manifest: Manifest | null, policy: ImagePolicy, architecture: string): LintResult {
  const defaults: Partial<ContainerDefaults> = image.config ?? {};
  const problems = [
    ...platformProblems(image, architecture),
    ...sizeProblems(image, manifest, policy),
    ...folderProblems(defaults),
    ...mergedProblems(defaults),
    ...variableProblems(defaults.Env ?? []),
    ...commandProblems(defaults),
  ];
  if (problems.length > 0) return { ok: false, problems };
  const { environment, left } = rebuild(defaults.Env ?? []);
  const command = [...(defaults.Entrypoint ?? []), ...(defaults.Cmd ?? [])];
  return { ok: true, command, environment, notes: notesOf(defaults, left) };
}

function platformProblems({ os, architecture }: ImageConfig, wanted: string): string[] {
  if (os === 'linux' && architecture === wanted) return [];
  return [`the image is for ${shown(`${os}/${architecture}`)} and this platform runs linux/${wanted}: build it for that`];
}

function sizeProblems(image: ImageConfig, manifest: Manifest | null, { maxLayers, maxBytes }: ImagePolicy): string[] {
  const layers = image.rootfs.diff_ids.length;
  const problems: string[] = [];
  if (layers === 0) problems.push('the image has no layers: add the program to it');
  if (layers > maxLayers) problems.push(`the image has ${layers} layers, at most ${maxLayers} are accepted: join them`);
  if (manifest === null) return problems;
  if (manifest.layers.length !== layers) {
    problems.push(`the manifest names ${manifest.layers.length} layers and the configuration ${layers}: push the image again`);
  }
  const bytes = manifest.layers.reduce((sum, { size }) => sum + size, 0);
  if (bytes > maxBytes)
    problems.push(`the layers have ${bytes} bytes compressed, at most ${maxBytes} are accepted: make the image smaller`);
  return problems;
}

/** A working folder below /proc led runc out of the container (CVE-2024-21626); we set our own, and still take none of these. */
function folderProblems({ WorkingDir, Volumes, User }: Partial<ContainerDefaults>): string[] {
  const problems: string[] = [];
  const folder = WorkingDir ?? '';
  if (folder !== '' && (!/^(\/[^/\0]+)*\/?$/.test(folder) || /(^|\/)\.\.?(\/|$)/.test(folder) || /^\/(proc|sys|dev)(\/|$)/.test(folder))) {
    problems.push(`WORKDIR ${shown(folder)} is refused: name a plain folder outside /proc, /sys and /dev`);
  }
  // The engine would make each of them a writable folder of the host, without a size limit, in every container.
  const volumes = Object.keys(Volumes ?? {});
  if (volumes.length > 0) problems.push(`VOLUME ${shown(volumes.join(' '))} is refused: remove it; /work is the writable folder`);
  if ((User ?? '').length > 256) problems.push('USER is too long: remove it, programs run as a user that each container has for itself');
  return problems;
}

/** Programs on a host act on labels of containers; ours are told apart by them. */
const reservedLabels = /^(collective|com\.docker|io\.containerd|io\.kubernetes|traefik|com\.centurylinklabs)([./-]|$)/i;

function mergedProblems({ Labels, ExposedPorts }: Partial<ContainerDefaults>): string[] {
  const problems: string[] = [];
  const labels = Object.entries(Labels ?? {});
  const reserved = labels.map(([name]) => name).filter((name) => reservedLabels.test(name));
  if (reserved.length > 0) problems.push(`LABEL ${shown(reserved.join(' '))} is reserved: remove it`);
  const length = labels.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (labels.length > 128 || length > 32_768) problems.push('there are more than 128 labels or 32768 characters in them: remove some');
  const ports = Object.keys(ExposedPorts ?? {});
  // The engine refuses to make a container of an image with a malformed one, which would look like our fault.
  const malformed = ports.filter((port) => !/^\d{1,5}(\/(tcp|udp|sctp))?$/.test(port) || Number.parseInt(port, 10) > 65_535);
  if (malformed.length > 0 || ports.length > 64)
    problems.push(`EXPOSE ${shown(malformed.join(' '))} is refused: remove it, there is no network`);
  return problems;
}

/**
 * The engine gives the image's variables to our runner too, before any program of the image runs. These decide what the
 * loader and the C library take into a process, or what the engine mounts into the container.
 */
const harmful = /^(LD_|GLIBC_|MALLOC_|GCONV_PATH|LOCPATH|NLSPATH|HOSTALIASES|RESOLV_|RES_OPTIONS|LOCALDOMAIN|NVIDIA_|COLLECTIVE_)/i;

function variableProblems(variables: readonly string[]): string[] {
  const problems: string[] = [];
  const names = variables.map((variable) => variable.split('=', 1)[0] ?? '');
  const refused = names.filter((name) => harmful.test(name));
  if (refused.length > 0) problems.push(`ENV ${shown(refused.join(' '))} is refused: remove it, or set it in a start script of the image`);
  const malformed = variables.filter((variable) => !/^[A-Za-z_][A-Za-z0-9_.-]*=[^\0]*$/s.test(variable));
  if (malformed.length > 0) problems.push(`ENV ${shown(malformed.join(' '))} is not a variable with a value: remove it`);
  if (new Set(names).size !== names.length) problems.push('a variable of ENV is set twice, which engines read differently: set it once');
  if (variables.length > 256 || variables.join('').length > 65_536) {
    problems.push('there are more than 256 variables or 65536 characters in them: remove some');
  }
  return problems;
}

function commandProblems({ Entrypoint, Cmd }: Partial<ContainerDefaults>): string[] {
  const command = [...(Entrypoint ?? []), ...(Cmd ?? [])];
  if (command.length === 0 || command[0] === '') return ['the image has no ENTRYPOINT or CMD: name the program that answers cases'];
  if (command.length > 64 || command.some((part) => part.length > 4_096 || part.includes('\0'))) {
    return ['ENTRYPOINT and CMD together may have 64 parts of 4096 characters: put the rest in a start script of the image'];
  }
  return [];
}

/**
 * Variables a program keeps. PATH because commands of an image are found by it; language and toolchain folders because
 * official images do not work without them. Everything else a start script of the image can set for itself.
 */
const kept = /^(PATH|LANG|LANGUAGE|LC_[A-Z]+|TZ|JAVA_HOME|GOPATH|GOROOT|CARGO_HOME|RUSTUP_HOME|VIRTUAL_ENV|NODE_ENV)$/;
/** Absolute folders only: an empty or relative part means the program's own writable folder. */
const plainPath = /^\/[^:\0]*(:\/[^:\0]*)*$/;

function rebuild(variables: readonly string[]): { environment: Record<string, string>; left: string[] } {
  const environment: Record<string, string> = {};
  const left: string[] = [];
  for (const variable of variables) {
    const at = variable.indexOf('=');
    const [name, value] = [variable.slice(0, at), variable.slice(at + 1)];
    if (!kept.test(name) || value.length > 4_096 || (name === 'PATH' && !plainPath.test(value))) left.push(name);
    else environment[name] = value;
  }
  return { environment, left };
}

function notesOf(defaults: Partial<ContainerDefaults>, left: readonly string[]): string[] {
  const { User, WorkingDir, Healthcheck, OnBuild, StopSignal, Shell, ExposedPorts } = defaults;
  const notes: string[] = [];
  if (User) notes.push(`USER ${shown(User)} is ignored: programs run as a user that each container has for itself`);
  if (WorkingDir && WorkingDir !== '/') notes.push(`WORKDIR ${shown(WorkingDir)} is ignored: programs start in /work`);
  if (Healthcheck) notes.push('HEALTHCHECK is ignored: nothing is run but the program');
  if (OnBuild?.length) notes.push('ONBUILD is ignored: nothing is built from this image');
  if (StopSignal) notes.push('STOPSIGNAL is ignored: programs are killed');
  if (Shell?.length) notes.push('SHELL is ignored: nothing is built from this image');
  if (ExposedPorts && Object.keys(ExposedPorts).length > 0) notes.push('EXPOSE is ignored: there is no network');
  if (left.length > 0) notes.push(`ENV ${shown(left.join(' '))} is not passed on: set it in a start script of the image`);
  return notes;
}

/** A stranger's words in a message of ours: printable and short. */
const shown = (text: string): string => JSON.stringify(text.replace(/[^\x20-\x7e]/g, '?').slice(0, 120));
