import { crc32, deflateRawSync, gzipSync } from 'node:zlib';

/** Writers of zip and tar that say whatever a test wants, also what no honest packer would. */

interface ZipEntry {
  name: string;
  data?: Uint8Array | string;
  /** Written instead of the truth. */
  claims?: Partial<{ size: number; packedSize: number; crc: number; offset: number; localName: string; localSize: number }>;
  store?: boolean;
  /** Bits of the general purpose flags: 1 is "encrypted", 8 "sizes follow". */
  flags?: number;
  method?: number;
  /** Unix mode with its kind, as in 0o120777 for a link. */
  mode?: number;
  /** Put between this entry and the next. */
  gap?: Uint8Array;
}

interface ZipOptions {
  before?: Uint8Array;
  after?: Uint8Array;
  comment?: string;
  claimedCount?: number;
}

const bytesOf = (data: Uint8Array | string): Buffer => Buffer.from(data);

export function zipOf(entries: readonly ZipEntry[], options: ZipOptions = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  const put = (part: Buffer) => {
    parts.push(part);
    at += part.length;
  };
  if (options.before) put(bytesOf(options.before));
  for (const entry of entries) {
    const made = entryOf(entry, at);
    put(made.local);
    directory.push(made.central);
    if (entry.gap) put(bytesOf(entry.gap));
  }
  const start = at;
  for (const part of directory) put(part);
  const comment = Buffer.from(options.comment ?? '');
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE((options.claimedCount ?? entries.length) & 0xffff, 8);
  end.writeUInt16LE((options.claimedCount ?? entries.length) & 0xffff, 10);
  end.writeUInt32LE(at - start, 12);
  end.writeUInt32LE(start, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, end, comment, bytesOf(options.after ?? '')]);
}

function entryOf(entry: ZipEntry, at: number): { local: Buffer; central: Buffer } {
  const { claims = {}, flags = 0, mode = 0 } = entry;
  const content = bytesOf(entry.data ?? '');
  const packed = entry.store ? content : deflateRawSync(content);
  const crc = claims.crc ?? crc32(content);
  const [packedSize, size] = [claims.packedSize ?? packed.length, claims.size ?? content.length];
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(flags, 2);
  common.writeUInt16LE(entry.method ?? (entry.store ? 0 : 8), 4);
  common.writeUInt32LE(crc, 10);
  common.writeUInt32LE(packedSize, 14);
  common.writeUInt32LE(size, 18);
  const name = Buffer.from(entry.name);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.from(common);
  const later = (flags & 8) !== 0;
  if (later) local.fill(0, 10, 22);
  if (claims.localSize !== undefined) local.writeUInt32LE(claims.localSize, 18);
  const localName = Buffer.from(claims.localName ?? entry.name);
  local.writeUInt16LE(localName.length, 22);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(((mode << 16) >>> 0) + (entry.name.endsWith('/') ? 16 : 0), 6);
  rest.writeUInt32LE(claims.offset ?? at, 10);
  const descriptor = later ? Buffer.concat([Buffer.from('PK\x07\x08', 'latin1'), common.subarray(10, 22)]) : Buffer.alloc(0);
  return {
    local: Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), local, localName, packed, descriptor]),
    // Made by a Unix: then the mode counts.
    central: Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, rest, name]),
  };
}

interface TarEntry {
  name: string;
  data?: Uint8Array | string;
  /** `0` file, `1` hard link, `2` link, `3` character device, `5` folder, `6` pipe, `x` further fields, `S` sparse. */
  kind?: string;
  target?: string;
  claimedSize?: number;
}

export function tarOf(entries: readonly TarEntry[], { after = Buffer.alloc(0) }: { after?: Uint8Array } = {}): Buffer {
  const parts = entries.flatMap((entry) => {
    const content = bytesOf(entry.data ?? '');
    return [tarHeader(entry, entry.claimedSize ?? content.length), content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024), bytesOf(after)]);
}

export const gzipOf = (bytes: Uint8Array): Buffer => gzipSync(bytes);

function tarHeader({ name, kind = '0', target = '' }: TarEntry, size: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write(kind, 156);
  header.write(target, 157, 100);
  header.write('ustar\x0000', 257, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** One record of a `x` entry's data: its length counts itself. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const guess = rest.length + String(rest.length).length;
  return `${rest.length + String(guess).length}${rest}`;
}
