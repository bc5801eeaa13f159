"""Unpacks an archive of a participant inside a sandbox that is thrown away. sandboxes/unpack.ts sends it there.

The archive is hostile, and so may be the library that reads it: this process holds nothing but that archive, and
whoever takes it over can say no more than another participant could have sent. What it answers is checked again by the
worker. Entries are read one by one into memory; nothing is ever written to a disk, so there is no path to escape by.
"""

import base64
import binascii
import io
import stat
import tarfile
import zipfile
import zlib

MEBIBYTE = 1 << 20
LONGEST_NAME = 200
DEEPEST = 8
# Against the archive's own size, from one mebibyte on: what people write packs 3 to 20 times smaller.
MOST_RATIO = 100
LOCAL_HEADER = b"PK\x03\x04"
END_OF_DIRECTORY = b"PK\x05\x06"
ENCRYPTED = 0x2041
HAS_DESCRIPTOR = 0x0008
DESCRIPTOR_SIZES = (12, 16, 20, 24)
# zip, gzip, xz, zstd, bzip2, 7z
PACKED = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"BZh", b"7z\xbc\xaf")
LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


class Refused(Exception):
    """`code` is one of the words that unpack.ts knows; `entry` names what is at fault."""

    def __init__(self, code, entry=""):
        super().__init__(code)
        self.code = code
        self.entry = entry


class Kept:
    """The files so far, with every bound that holds over all of them."""

    def __init__(self, archive_bytes, most_bytes, most_entries):
        self.archive_bytes = archive_bytes
        self.most_bytes = most_bytes
        self.most_entries = most_entries
        self.entries = 0
        self.bytes = 0
        self.files = []
        # Name in lower case to the name as it is written and whether it is a file.
        self.names = {}

    def count(self):
        self.entries += 1
        if self.entries > self.most_entries:
            raise Refused("entries")

    def enter(self, name, is_folder):
        """Checks the name of an entry; False when it is one of those that systems add by themselves."""
        self.count()
        parts = check_name(name)
        for end in range(1, len(parts)):
            self.place("/".join(parts[:end]), False, name)
        known = self.place(name, not is_folder, name)
        if known and not is_folder:
            raise Refused("twice", name)
        return not is_folder and not any(part.startswith(".") or part in ("__MACOSX", "__pycache__") for part in parts)

    def place(self, path, is_file, name):
        """True when the path is known. Two names that differ in case are one file on many systems, and none of ours."""
        known = self.names.get(path.lower())
        if known is None:
            self.names[path.lower()] = (path, is_file)
            # Folders that no entry of their own announces count too.
            if len(self.names) > self.most_entries:
                raise Refused("entries")
            return False
        if known[0] != path:
            raise Refused("twice", name)
        if known[1] != is_file:
            raise Refused("file_as_folder", name)
        return True

    def room(self, name, size):
        """Called before anything of that size is made."""
        if size < 0 or self.bytes + size > self.most_bytes:
            raise Refused("bytes", name)
        if self.bytes + size > max(MEBIBYTE, MOST_RATIO * self.archive_bytes):
            raise Refused("ratio", name)

    def take(self, name, data, wanted):
        self.room(name, len(data))
        self.bytes += len(data)
        if data.startswith(PACKED):
            raise Refused("nested", name)
        if wanted:
            self.files.append([name, base64.b64encode(data).decode("ascii")])


def check_name(name):
    if name == "" or len(name) > LONGEST_NAME:
        raise Refused("name_length", name)
    if name.startswith("/") or "\\" in name or ":" in name:
        raise Refused("absolute", name)
    parts = name.split("/")
    if ".." in parts:
        raise Refused("parent", name)
    if len(parts) > DEEPEST:
        raise Refused("depth", name)
    for part in parts:
        if part in ("", ".") or not LETTERS.issuperset(part) or len(part) > 100:
            raise Refused("name", name)
    return parts


def read_zip(data, kept):
    directory_at, count = check_end(data, kept)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
    if len(infos) != count:
        raise Refused("layout")
    starts = [info.header_offset for info in infos] + [directory_at]
    # Without a gap and without overlap: each byte of the archive belongs to one entry only.
    if starts[0] != 0:
        raise Refused("layout")
    for info, following in zip(infos, starts[1:], strict=True):
        name = info.orig_filename
        is_folder = name.endswith("/")
        wanted = kept.enter(name.removesuffix("/"), is_folder)
        check_kind(info, is_folder)
        kept.room(name, info.file_size)
        start = local_data(data, info)
        end = start + info.compress_size
        if info.flag_bits & HAS_DESCRIPTOR:
            check_descriptor(data, end, following, info)
        elif end != following:
            raise Refused("layout", name)
        content = inflate(data[start:end], info)
        if not is_folder:
            kept.take(name, content, wanted)


def check_end(data, kept):
    """Where the directory begins, as the record at the very end says; nothing may follow that record or hide before it."""
    at = data.rfind(END_OF_DIRECTORY)
    if at < 0 or len(data) - at < 22:
        raise Refused("damaged")
    disks, count, size, offset, comment = (
        data[at + 4 : at + 8],
        int.from_bytes(data[at + 10 : at + 12], "little"),
        int.from_bytes(data[at + 12 : at + 16], "little"),
        int.from_bytes(data[at + 16 : at + 20], "little"),
        int.from_bytes(data[at + 20 : at + 22], "little"),
    )
    if at + 22 + comment != len(data) or disks != b"\0\0\0\0":
        raise Refused("layout")
    # Before the library makes an object of each.
    if count > kept.most_entries or size > kept.most_entries * 1024:
        raise Refused("entries")
    if offset + size != at:
        raise Refused("layout")
    return offset, count


def check_kind(info, is_folder):
    name = info.orig_filename
    if info.flag_bits & ENCRYPTED:
        raise Refused("encrypted", name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused("method", name)
    # What a Unix made says in its upper half what kind of thing it packed; others leave it 0.
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFDIR if is_folder else stat.S_IFREG):
        raise Refused("link" if kind == stat.S_IFLNK else "special", name)
    if is_folder and info.file_size != 0:
        raise Refused("lie", name)


def local_data(data, info):
    """Where an entry's bytes begin. Its own header must say what the directory says: readers differ in whom they believe."""
    head = data[info.header_offset : info.header_offset + 30]
    if len(head) != 30 or head[:4] != LOCAL_HEADER:
        raise Refused("layout", info.orig_filename)
    flags, method = (int.from_bytes(head[at : at + 2], "little") for at in (6, 8))
    crc, packed, size = (int.from_bytes(head[at : at + 4], "little") for at in (14, 18, 22))
    name_length, extra_length = (int.from_bytes(head[at : at + 2], "little") for at in (26, 28))
    start = info.header_offset + 30 + name_length + extra_length
    name = data[info.header_offset + 30 : info.header_offset + 30 + name_length]
    if name != info.orig_filename.encode("ascii") or flags != info.flag_bits or method != info.compress_type:
        raise Refused("lie", info.orig_filename)
    told = (info.CRC, info.compress_size, info.file_size)
    later = bool(flags & HAS_DESCRIPTOR)
    for here, there in zip((crc, packed, size), told, strict=True):
        if here != there and not (later and here == 0) and here != 0xFFFFFFFF:
            raise Refused("lie", info.orig_filename)
    return start


def check_descriptor(data, end, following, info):
    """Streaming packers write sizes after the data. Where the next entry begins tells how long that record is."""
    if following - end not in DESCRIPTOR_SIZES:
        raise Refused("layout", info.orig_filename)
    record = data[end:following].removeprefix(b"PK\x07\x08")
    if int.from_bytes(record[:4], "little") != info.CRC:
        raise Refused("lie", info.orig_filename)


def inflate(packed, info):
    name = info.orig_filename
    content = packed
    if info.compress_type == zipfile.ZIP_DEFLATED:
        engine = zlib.decompressobj(-15)
        try:
            # One byte more than was told shows that there is more.
            content = engine.decompress(packed, info.file_size + 1)
        except zlib.error as error:
            raise Refused("damaged", name) from error
        if len(content) <= info.file_size and not engine.eof:
            raise Refused("damaged", name)
        if engine.unused_data:
            raise Refused("lie", name)
    if len(content) != info.file_size or binascii.crc32(content) != info.CRC:
        raise Refused("lie", name)
    return content


def gunzip(data, kept):
    """The one tar in a gzip. Its headers and padding come on top of what its files may hold."""
    most = min(kept.most_bytes + kept.most_entries * 2048 + MEBIBYTE, max(2 * MEBIBYTE, MOST_RATIO * len(data)))
    engine = zlib.decompressobj(31)
    try:
        content = engine.decompress(data, most + 1)
    except zlib.error as error:
        raise Refused("damaged") from error
    if len(content) > most:
        raise Refused("bytes" if most < MOST_RATIO * len(data) else "ratio")
    if not engine.eof:
        raise Refused("damaged")
    if engine.unused_data:
        raise Refused("trailing")
    if content.startswith(PACKED):
        raise Refused("nested")
    return content


def read_tar(data, kept):
    end = 0
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        while (info := archive.next()) is not None:
            name = info.name.removeprefix("./")
            if name == "." and info.isdir():
                kept.count()
                end = info.offset_data
                continue
            wanted = kept.enter(name, info.isdir())
            if info.islnk() or info.issym():
                raise Refused("link", name)
            if not info.isdir() and (info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.sparse is not None):
                raise Refused("special", name)
            size = 0 if info.isdir() else info.size
            kept.room(name, size)
            content = data[info.offset_data : info.offset_data + size]
            if len(content) != size or info.offset_data < end:
                raise Refused("lie", name)
            end = info.offset_data + (size + 511) // 512 * 512
            if not info.isdir():
                kept.take(name, content, wanted)
    # The library stops at the first block it does not understand; only zeros may be there.
    if data[end:].strip(b"\0"):
        raise Refused("trailing")


def unpack(data, most_bytes, most_entries):
    kept = Kept(len(data), most_bytes, most_entries)
    if data[:4] == LOCAL_HEADER:
        read_zip(data, kept)
    else:
        tar = gunzip(data, kept) if data[:2] == b"\x1f\x8b" else data
        if tar[257:262] != b"ustar":
            raise Refused("unknown")
        read_tar(tar, kept)
    return kept.files


def solve(task, target):
    given = task["input"]
    try:
        return {"files": unpack(base64.b64decode(given["archive"]), given["bytes"], given["entries"])}
    except Refused as refused:
        return {"fault": refused.code, "entry": refused.entry.encode("ascii", "backslashreplace").decode()[:LONGEST_NAME]}
    except Exception as error:
        # The libraries raise a dozen kinds of their own at bytes that are no archive.
        print(f"{type(error).__name__}: {error}")
        return {"fault": "damaged", "entry": ""}
