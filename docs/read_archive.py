#!/usr/bin/env python3
"""Lists or extracts a Sagitta archive, by nothing but STORAGE_FORMAT.md and Python's own library.

One line for each instance that is served: file, offset in it, length, path. -o FOLDER writes them there, too. --check
compares members of sealed volumes with the SHA-256 in the manifest (XXH3 is not in Python's library)."""
import argparse, hashlib, pathlib, re, sys

INSTANCE = re.compile(rb"%s/%s/%s\.dcm" % ((rb"[0-9.]*[0-9][0-9.]*",) * 3))

def text(block, offset, length):
    return block[offset:offset + length].split(b"\0")[0]

def read_header(block):
    """(path, size) as a member header says; None when the block is no header."""
    sums = re.fullmatch(rb"[0-7]{1,7}", text(block, 148, 7)) if len(block) == 512 and block[257:262] == b"ustar" else None
    if not sums or sum(block[:148]) + 8 * ord(" ") + sum(block[156:]) != int(sums[0], 8):
        return None
    size = int.from_bytes(block[125:136], "big") if block[124] == 0x80 else int(text(block, 124, 12), 8)
    prefix = text(block, 345, 155)
    return (prefix + b"/" if prefix else b"") + text(block, 0, 100), size

def read_volume(name):
    """[(path, offset, size)] of the instances in it, and the SHA-256 by offset when it is sealed."""
    found = []
    with open(name, "rb") as volume:
        end, at = volume.seek(0, 2), 0
        while volume.seek(at) < end:
            member = read_header(volume.read(512))
            if not member or at + 512 + member[1] > end:
                member = b"", 0  # damage or a torn end: on to the next header
            if member[0] == b"MANIFEST.tsv":
                lines = volume.read(member[1]).decode().splitlines()
                return found, {int(line.split("\t")[0]): line.split("\t")[2] for line in lines if line[0] != "#"}
            if INSTANCE.fullmatch(member[0]):
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
options, served = parser.parse_args(), {}
for name in sorted((options.data / "volumes").glob("[0-9]" * 8 + ".tar")):
    instances, digests = read_volume(name)
    for path, offset, size in instances:
        if options.check and digests and digests.get(offset) != hashlib.sha256(read(name, offset, size)).hexdigest():
            print(f"{name} byte {offset}: not what the manifest says", file=sys.stderr)
        else:
            served[path.rsplit("/", 1)[1]] = name, offset, size, path  # the last one is served
for name, offset, size, path in served.values():
    print(name, offset, size, path, sep="\t")
    if options.o:
        (options.o / path).parent.mkdir(parents=True, exist_ok=True)
        (options.o / path).write_bytes(read(name, offset, size))
