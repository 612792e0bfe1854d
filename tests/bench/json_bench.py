#!/usr/bin/python3
"""DICOM JSON of a CT image: Sagitta beside dcm2json and pydicom, on the same files in the same run.

    json_bench.py [--seconds N] [--processes N]

  process  the whole program, started anew for each file: `sagitta json` and `dcm2json -fc`, in turns; processor time too
  file     the same work inside one process: file on disk to text (DCMTK by its library, pydicom by to_json)
  print    a data set in memory to text; read: that text to a data set

Each for the image whole and for its header alone (no pixel data). Best of ten parts, the median of the processes.
Nothing here asserts a time.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import pydicom

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
sys.dont_write_bytecode = True
import harness as h  # noqa: E402

OURS = h.BUILD / "tests" / "bench" / "sagitta-json-bench"
DCMTK = h.BUILD / "tests" / "bench" / "json-bench-dcmtk"


def program(*words):
    if not pathlib.Path(words[0]).exists():
        return None
    return json.loads(subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True).stdout)


def process(*words):
    """Seconds on the clock and of processor time of one program."""
    before = os.times()
    begin = time.perf_counter()
    subprocess.run([str(word) for word in words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    passed = time.perf_counter() - begin
    after = os.times()
    return passed, after.children_user + after.children_system - before.children_user - before.children_system


def pydicom_ns(path, seconds):
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end or best == float("inf"):
        begin = time.perf_counter()
        pydicom.dcmread(path).to_json()
        best = min(best, time.perf_counter() - begin)
    return best * 1e9


def times(other, mine):
    return f"{other / mine:.1f} times"


def measure(name, path, options):
    mine, theirs = [], []
    for _ in range(options.processes):
        mine.append(process(h.SAGITTA, "json", path))
        theirs.append(process("dcm2json", "-q", "-fc", path))
    wall = [statistics.median(run[0] for run in runs) * 1e3 for runs in (mine, theirs)]
    cpu = [sum(run[1] for run in runs) / len(runs) * 1e3 for runs in (mine, theirs)]
    print(f"{name} process: {wall[0]:.2f} ms, dcm2json {wall[1]:.2f} ms ({times(wall[1], wall[0])}); "
          f"processor {cpu[0]:.2f} ms, dcm2json {cpu[1]:.2f} ms ({times(cpu[1], cpu[0])})")
    ours = {mode: program(OURS, mode, options.seconds, path) for mode in ("file", "print", "read")}
    dcmtk = program(DCMTK, options.seconds, path)
    other = pydicom_ns(path, options.seconds)
    line = f"{name} file: {ours['file']['ns'] / 1e3:.1f} µs for {ours['file']['bytes']} bytes"
    if dcmtk:
        line += f", DCMTK's library {dcmtk['ns'] / 1e3:.1f} µs ({times(dcmtk['ns'], ours['file']['ns'])})"
    print(line + f", dcm2json's processor time {times(cpu[1] * 1e6, ours['file']['ns'])}"
          f", pydicom {other / 1e3:.0f} µs ({times(other, ours['file']['ns'])})")
    print(f"{name} print: {ours['print']['ns'] / 1e3:.1f} µs; read: {ours['read']['ns'] / 1e3:.1f} µs")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--processes", type=int, default=60)
    options = parser.parse_args()
    ct = pathlib.Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm"
    with tempfile.TemporaryDirectory() as folder:
        header = pathlib.Path(folder) / "header.dcm"
        made = pydicom.dcmread(ct)
        del made.PixelData
        made.save_as(header)
        measure("header", header, options)
        measure("image ", ct, options)


if __name__ == "__main__":
    main()
