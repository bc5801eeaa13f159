/**
 * Versions of what starts containers, and the holes they are known to have. A distribution may have mended a hole
 * without a new number; what cannot be seen is not assumed.
 */

/** Major, minor, patch and number of the release candidate; a release comes after its candidates. */
export type Version = readonly [number, number, number, number];

const released = Number.POSITIVE_INFINITY;

/** The first version in a text, null when there is none. */
export function parseVersion(text: string): Version | null {
  const found = /(\d+)\.(\d+)(?:\.(\d+))?(?:[-~+.]?rc\.?(\d+))?/.exec(text);
  if (found === null) return null;
  return [Number(found[1]), Number(found[2]), Number(found[3] ?? 0), found[4] === undefined ? released : Number(found[4])];
}

export function atLeast(version: Version, least: Version): boolean {
  for (const [index, part] of version.entries()) {
    const other = least[index] ?? 0;
    if (part !== other) return part > other;
  }
  return true;
}

/** True when the version has the fix, given the first fixed version of each release line, oldest line first. */
export function isFixed(version: Version, fixedIn: readonly Version[]): boolean {
  const sameLine = fixedIn.find(([major, minor]) => major === version[0] && minor === version[1]);
  const newest = fixedIn.at(-1);
  return newest !== undefined && atLeast(version, sameLine ?? newest);
}

export interface Hole {
  cves: readonly string[];
  /** What somebody can do with it. */
  what: string;
  /** First version of each release line without it, oldest line first. */
  fixedIn: readonly Version[];
  /** Only an image that somebody made for it can use it; our own images cannot. */
  byImageOnly: boolean;
}

const v = (text: string): Version => parseVersion(text) ?? [0, 0, 0, 0];

export const runcHoles: readonly Hole[] = [
  {
    cves: ['CVE-2024-21626'],
    what: 'a leaked folder of the host is a way out of the container',
    fixedIn: [v('1.1.12'), v('1.2.0')],
    byImageOnly: true,
  },
  {
    cves: ['CVE-2025-31133', 'CVE-2025-52565', 'CVE-2025-52881'],
    what: 'links swapped while a container starts let it write to /proc of the host',
    fixedIn: [v('1.2.8'), v('1.3.3'), v('1.4.0')],
    byImageOnly: false,
  },
  {
    cves: ['CVE-2026-41579'],
    what: 'an image whose /dev is a link changes files of the host',
    fixedIn: [v('1.3.6'), v('1.4.3'), v('1.5.0-rc.3')],
    byImageOnly: true,
  },
];

export const crunHoles: readonly Hole[] = [
  {
    cves: ['CVE-2025-31133', 'CVE-2025-52565', 'CVE-2025-52881'],
    what: 'links swapped while a container starts let it write to /proc of the host',
    fixedIn: [v('1.25.0')],
    byImageOnly: false,
  },
];

export const engineHoles: readonly Hole[] = [
  {
    // We make no archive call, but whoever else uses this engine may, and an engine this old gets no fix for the next hole.
    cves: ['CVE-2026-41567', 'CVE-2026-41568', 'CVE-2026-42306'],
    what: 'copying files into or out of a container lets it run a program and write files on the host',
    fixedIn: [v('29.5.1')],
    byImageOnly: false,
  },
  {
    cves: ['CVE-2026-17106'],
    what: 'unpacking an image can write outside the folder it is unpacked to',
    fixedIn: [v('29.7.0')],
    byImageOnly: true,
  },
];

/** The holes of a version; one that cannot be read has them all. */
export function holesOf(version: string | null, holes: readonly Hole[]): Hole[] {
  const parsed = version === null ? null : parseVersion(version);
  return holes.filter((hole) => parsed === null || !isFixed(parsed, hole.fixedIn));
}

/** The version from which on no hole is known, line by line. */
export const mended = (holes: readonly Hole[]): string =>
  (holes.at(-1)?.fixedIn ?? []).map(([major, minor, patch]) => `${major}.${minor}.${patch}`).join(', ');
