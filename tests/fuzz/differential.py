#!/usr/bin/python3
"""The parser beside DCMTK's, on damaged files: what dcmdump reads without complaint, `sagitta dump` reads
with the same tags, nesting and lengths.

    differential.py [--seconds N] [--seed N] [FILE…]

Without files: those of python3-pydicom, and the corpus beside the project where it is there. Differences
are printed with the seed that makes them again; the exit status is 1 when there were any. Not part of the
test run: DCMTK has opinions of its own about damage, so a difference is something to look at.
"""
import argparse
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
sys.dont_write_bytecode = True
import harness as h  # noqa: E402

# dcmdump prints text as it is, line breaks included.
DCMDUMP = re.compile(r"^ *\((\w{4},\w{4})\) (\S\S) (?:(?!\n *\(\w{4},\w{4}\) ).)*?# +(\d+|u/l), *\d+ ", re.M | re.S)
OURS = re.compile(r"^ *\d+  *\((\w{4},\w{4})\) (\S\S) +(\d+|u/l) ", re.M)
MAX_BYTES = 64 * 1024


def elements(text, pattern):
    found = []
    for tag, vr, length in pattern.findall(text):
        if not tag.startswith(("fffe", "0002")):
            found.append((tag, None if vr in ("SQ", "pi") or length == "u/l" else int(length)))
    return found


def damaged(content, chance):
    made = bytearray(content)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(132, len(made)) if len(made) > 133 else 0
        kind = chance.randrange(4)
        if kind == 0:
            made[at] = chance.randrange(256)
        elif kind == 1:
            made[at] ^= 1 << chance.randrange(8)
        elif kind == 2:
            del made[at:at + chance.randrange(1, 16)]
        else:
            made[at:at] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 8)))
    return bytes(made)


def seeds(names):
    if names:
        return [pathlib.Path(name) for name in names]
    import pydicom
    found = sorted((pathlib.Path(pydicom.__file__).parent / "data" / "test_files").glob("*.dcm"))
    shared = h.ROOT.parent / "shared" / "data"
    found += sorted(shared.glob("structure/*")) + sorted(shared.glob("objects/*"))
    return [path for path in found if path.is_file() and 200 < path.stat().st_size <= MAX_BYTES]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    files = seeds(options.files)
    tried = compared = different = 0
    end = time.monotonic() + options.seconds
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "damaged.dcm"
        while time.monotonic() < end:
            seed = options.seed + tried
            chance = random.Random(seed)
            original = chance.choice(files)
            path.write_bytes(damaged(original.read_bytes(), chance))
            tried += 1
            theirs = subprocess.run(["dcmdump", "+L", path], capture_output=True, timeout=60)
            if theirs.returncode != 0 or theirs.stderr or b") UN " in theirs.stdout:
                continue  # DCMTK leaves UN as it is; PS3.5 6.2.2 lets us read it by the dictionary
            ours = subprocess.run([h.SAGITTA, "dump", "--full", path], capture_output=True, timeout=60)
            compared += 1
            expected = elements(theirs.stdout.decode("latin-1"), DCMDUMP)
            got = elements(ours.stdout.decode("utf-8", "replace"), OURS)
            if got != expected:
                different += 1
                first = next((pair for pair in zip(got + [None], expected + [None]) if pair[0] != pair[1]), None)
                print(f"--seed {seed} {original.name}: ours {first and first[0]}, DCMTK {first and first[1]}")
    print(f"{tried} damaged files, {compared} read by DCMTK without complaint, {different} read otherwise by us")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
