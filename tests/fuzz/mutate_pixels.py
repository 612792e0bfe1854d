#!/usr/bin/python3
"""Damaged compressed files through `sagitta transcode --to explicit-le`, each in 1 GiB of memory and a few
seconds: a result or a reason, never a crash, a hang or an allocation without bound.

    mutate_pixels.py [--program build/release/sagitta] [--count 2000] [--seed 1] [FOLDER…]

Folders: ../shared/data and the files of python3-pydicom, where they are there. Failures are kept in --keep.
"""
import argparse
import collections
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = [ROOT.parent / "shared/data", pathlib.Path("/usr/lib/python3/dist-packages/pydicom/data/test_files")]
COMPRESSED = [b"1.2.840.10008.1.2.4.", b"1.2.840.10008.1.2.5\0", b"1.2.840.10008.1.2.8.1", b"1.2.840.10008.1.2.1.98"]
MEMORY = 1 << 30
SECONDS = 60


def compressed_files(folders):
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            if "expected" in path.parts or path.stat().st_size > 1_000_000:
                continue
            content = path.read_bytes()
            if any(uid in content[:2048] for uid in COMPRESSED):
                yield path, content


def damaged(content, source):
    """Mostly in the pixels, where most of the bytes are; sometimes cut."""
    result = bytearray(content)
    pixels = max(result.find(b"\xe0\x7f\x10\x00"), 0)
    for _ in range(source.randint(1, 12)):
        where = source.random()
        if where < 0.15:
            at = source.randrange(min(len(result), 4096))
        elif where < 0.6:
            at = source.randrange(pixels, min(len(result), pixels + 512))
        else:
            at = source.randrange(pixels, len(result))
        result[at] = source.choice((0, 0xFF, 0x7F, 0x80, source.randrange(256)))
    if source.random() < 0.1:
        del result[source.randrange(pixels, len(result)):]
    return bytes(result)


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def attempt(program, file, out):
    """What became of it: "written", "refused", or what must not be."""
    command = [program, "transcode", file, out, "--to", "explicit-le", "--threads", "2", "--force"]
    try:
        ended = subprocess.run(command, capture_output=True, timeout=SECONDS, preexec_fn=limited, check=False)
    except subprocess.TimeoutExpired:
        return "HANG"
    if ended.returncode == 0:
        return "written"
    if ended.returncode == 1 and ended.stderr.startswith(b"sagitta: "):
        return "refused"
    return f"CRASH {ended.returncode} {ended.stderr[-200:]!r}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "build/release/sagitta"))
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path("mutated"))
    parser.add_argument("folders", nargs="*", type=pathlib.Path, default=[f for f in FOLDERS if f.exists()])
    options = parser.parse_args()
    originals = list(compressed_files(options.folders))
    if not originals:
        sys.exit("no compressed files to damage")
    source = random.Random(options.seed)
    counts = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        file, out = f"{folder}/in.dcm", f"{folder}/out.dcm"
        for number in range(options.count):
            path, content = source.choice(originals)
            pathlib.Path(file).write_bytes(damaged(content, source))
            became = attempt(options.program, file, out)
            counts[became.split()[0]] += 1
            if became in ("written", "refused"):
                continue
            options.keep.mkdir(exist_ok=True)
            shutil.copy(file, options.keep / f"{options.seed}_{number}.dcm")
            print(f"{number}: {path.name}: {became}", flush=True)
    print(f"{options.count} files of {len(originals)}, seed {options.seed}: {dict(counts)}")
    return 0 if set(counts) <= {"written", "refused"} else 1


if __name__ == "__main__":
    sys.exit(main())
