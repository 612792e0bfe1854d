#!/usr/bin/env python3
"""Lists or extracts a Sagitta archive, by nothing but STORAGE_FORMAT.md and Python's own library.
One line for each instance that is served: file, offset in it, length, path. -o FOLDER writes them there, too. --check
compares members of sealed volumes with the SHA-256 in the manifest (XXH3 is not in Python's library)."""
import argparse, hashlib, pathlib, re, sys
MEMBER = re.compile(rb"%s/%s/%s\.dcm|\.sagitta/[0-9a-f]{16}\.tsv" % ((rb"[0-9.]*[0-9][0-9.]*",) * 3))

def text(block, offset, length):
    return block[offset:offset + length].split(b"\0")[0]

def read_header(block):
    """(path, size) as a member header says; None when the block is no header."""
    sums = re.fullmatch(rb"[0-7]{1,7}", text(block, 148, 7)) if len(block) == 512 and block[257:262] == b"ustar" else None
    if not sums or sum(block[:148]) + 8 * ord(" ") + sum(block[156:]) != int(sums[0], 8):
        return None
    size = int.from_bytes(block[125:136], "big") if block[124] == 0x80 else int(text(block, 124, 12), 8)
    return b"/".join(filter(None, (text(block, 345, 155), text(block, 0, 100)))), size

def read_volume(name):
    """[(path, offset, size)] of the instances and notes in it, and the SHA-256 by offset when it is sealed."""
    with open(name, "rb") as volume:
        found, at, end = [], 0, volume.seek(0, 2)
        while volume.seek(at) < end:
            member = read_header(volume.read(512))
            if not member or at + 512 + member[1] > end:
                member = b"", 0  # damage or a torn end: on to the next header
            if member[0] == b"MANIFEST.tsv":
                lines = volume.read(member[1]).decode().splitlines()
                return found, {int(line.split("\t")[0]): line.split("\t")[2] for line in lines if line[0] != "#"}
            if MEMBER.fullmatch(member[0]):
                found.append((member[0].decode(), at + 512, member[1]))
            at += 512 + (member[1] + 511) // 512 * 512
    return found, {}

def read(name, offset, size):
    with open(name, "rb") as file:
        return file.seek(offset) and file.read(size)

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("data", type=pathlib.Path)
parser.add_argument("-o", type=pathlib.Path, metavar="FOLDER")
parser.add_argument("--check", action="store_true")
options, seen, gone = parser.parse_args(), {}, set()
for name in sorted((options.data / "volumes").glob("[0-9]" * 8 + ".tar")):
    members, digests = read_volume(name)
    for path, offset, size in members:
        if path.startswith(".sagitta/"):  # a note of what was done to members before it
            for what, *place in re.findall(rb"(?m)^(deleted|restored)(?:\t\S+){3}\t(\d+)\t(\d+)", read(name, offset, size)):
                (gone.add if what == b"deleted" else gone.discard)((int(place[0]), int(place[1])))
        elif options.check and digests and digests.get(offset) != hashlib.sha256(read(name, offset, size)).hexdigest():
            print(f"{name} byte {offset}: not what the manifest says", file=sys.stderr)
        else:
            seen[int(name.stem), offset] = name, offset, size, path
served = {found[3].rsplit("/", 1)[1]: found for place, found in seen.items() if place not in gone}  # of several the last
for name, offset, size, path in served.values():
    print(name, offset, size, path, sep="\t")
    if options.o:
        (options.o / path).parent.mkdir(parents=True, exist_ok=True)
        (options.o / path).write_bytes(read(name, offset, size))
