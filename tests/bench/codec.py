#!/usr/bin/python3
"""Decoding and encoding frames beside DCMTK's and GDCM's programs, on the same files in the same run.

    codec.py [--rounds N] [--frames N] [--only NAME…] [--json FILE] [--markdown FILE]

A multi-frame image is compressed by another program; then each program makes a file of native pixel data
of it, in turns: whole processes, one thread, the same work. `process` is the least processor time (user and
system) of all rounds, since other work on the machine does not count in it. `alone` is our decoder on frames in
memory. Nothing here asserts a time.
"""
import argparse
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

import numpy
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
sys.dont_write_bytecode = True
import harness as h  # noqa: E402

OURS = h.BUILD / "tests" / "bench" / "sagitta-codec-bench"
GDCM = ["gdcmconv", "--raw"]

# name: the image, who compresses it and how, who else decompresses it, our encoder's transfer syntax
LOADS = {
    "rle-ct16": ("ct16", ["dcmcrle"], {"dcmdrle": ["dcmdrle"], "gdcmconv": GDCM}, "1.2.840.10008.1.2.5"),
    "rle-rgb8": ("rgb8", ["dcmcrle"], {"dcmdrle": ["dcmdrle"], "gdcmconv": GDCM}, "1.2.840.10008.1.2.5"),
    "lossless-ct16": ("ct16", ["dcmcjpeg", "+e1"], {"dcmdjpeg": ["dcmdjpeg"], "gdcmconv": GDCM}, "1.2.840.10008.1.2.4.70"),
    "lossless-ct12": ("ct12", ["dcmcjpeg", "+e1"], {"dcmdjpeg": ["dcmdjpeg"], "gdcmconv": GDCM}, "1.2.840.10008.1.2.4.70"),
    "lossless-sv6-ct12": ("ct12", ["dcmcjpeg", "+el", "+sv", "6"], {"dcmdjpeg": ["dcmdjpeg"], "gdcmconv": GDCM}, None),
    "lossless-rgb8": ("rgb8", ["dcmcjpeg", "+e1"], {"dcmdjpeg": ["dcmdjpeg"], "gdcmconv": GDCM}, "1.2.840.10008.1.2.4.70"),
    "baseline-grey8": ("grey8", ["dcmcjpeg", "+eb"], {"dcmdjpeg": ["dcmdjpeg"], "gdcmconv": GDCM}, "1.2.840.10008.1.2.4.50"),
    "jpegls-ct16": ("ct16", ["dcmcjpls"], {"dcmdjpls": ["dcmdjpls"], "gdcmconv": GDCM}, "1.2.840.10008.1.2.4.80"),
    "jpegls-ct12": ("ct12", ["dcmcjpls"], {"dcmdjpls": ["dcmdjpls"], "gdcmconv": GDCM}, "1.2.840.10008.1.2.4.80"),
    "j2k-ct12": ("ct12", ["gdcmconv", "--j2k"], {"gdcmconv": GDCM}, "1.2.840.10008.1.2.4.90"),
    "extended-ct12": ("ct12", ["dcmcjpeg", "+ee"], {"dcmdjpeg": ["dcmdjpeg"], "gdcmconv": GDCM}, None),
}


def ct_frames(frames):
    """The CT image that comes with pydicom, four by four, moved and with a little noise frame by frame."""
    small = pydicom.dcmread(pathlib.Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm").pixel_array
    whole = numpy.tile(small, (4, 4)).astype(numpy.int32)
    random = numpy.random.default_rng(1)
    return numpy.stack([numpy.roll(whole, (3 * n, 5 * n), (0, 1)) + random.integers(-2, 3, whole.shape) for n in range(frames)])


def pixels_of(kind, frames):
    ct = ct_frames(frames)
    if kind == "ct16":
        return (ct - 1024).astype("<i2")
    if kind == "ct12":
        return numpy.clip(ct, 0, 4095).astype("<u2")
    grey = numpy.clip(ct // 8, 0, 255).astype("u1")
    return grey if kind == "grey8" else numpy.stack([grey, 255 - grey, grey // 2 + 60], axis=-1).astype("u1")


def write_native(path, kind, frames):
    pixels = pixels_of(kind, frames)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7.4" if kind == "rgb8" else "1.2.840.10008.5.1.4.1.1.7.3"
    meta.MediaStorageSOPInstanceUID = "2.25.1"
    meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    made = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    made.is_little_endian, made.is_implicit_VR = True, False
    made.SOPClassUID, made.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    made.StudyInstanceUID, made.SeriesInstanceUID, made.Modality = "2.25.2", "2.25.3", "OT"
    made.NumberOfFrames, made.Rows, made.Columns = frames, 512, 512
    made.SamplesPerPixel = 3 if kind == "rgb8" else 1
    made.PhotometricInterpretation = "RGB" if kind == "rgb8" else "MONOCHROME2"
    if kind == "rgb8":
        made.PlanarConfiguration = 0
    made.BitsAllocated = 8 * pixels.dtype.itemsize
    made.BitsStored = 12 if kind == "ct12" else made.BitsAllocated
    made.HighBit = made.BitsStored - 1
    made.PixelRepresentation = 1 if kind == "ct16" else 0
    made.PixelData = pixels.tobytes()
    made.save_as(path)
    return pixels.nbytes


def cpu_seconds(command):
    """Processor time of a process that must succeed."""
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} failed")
    return usage.ru_utime + usage.ru_stime


def alone(mode, path, seconds, *uid):
    done = subprocess.run([OURS, mode, str(seconds), *uid, path], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def measure(name, folder, options):
    kind, compress, peers, encodes = LOADS[name]
    if not shutil.which(compress[0]):
        return None
    native, packed, out = folder / f"{kind}.dcm", folder / f"{name}.dcm", folder / "out.dcm"
    size = write_native(native, kind, options.frames)
    subprocess.run([*compress, native, packed], check=True, capture_output=True)
    decoders = {"sagitta": [OURS, "file"], **{peer: command for peer, command in peers.items() if shutil.which(command[0])}}
    best = dict.fromkeys(decoders, float("inf"))
    for _ in range(options.rounds):
        for decoder, command in decoders.items():
            best[decoder] = min(best[decoder], cpu_seconds([*command, packed, out]))
    result = {"bytes": size, "encoded": packed.stat().st_size, "process_mb_s": {who: size / best[who] / 1e6 for who in best},
              "ratio": {who: best[who] / best["sagitta"] for who in best if who != "sagitta"},
              "alone_mb_s": alone("decode", packed, options.seconds)["mb_s"]}
    if encodes:
        result["encode_mb_s"] = alone("encode", native, options.seconds, encodes)["mb_s"]
    return result


def row(name, result):
    process = result["process_mb_s"]
    others = "; ".join(f"{who} {process[who]:.0f} MB/s ({result['ratio'][who]:.1f} times)" for who in result["ratio"])
    encode = f"{result['encode_mb_s']:.0f} MB/s" if "encode_mb_s" in result else "–"
    return [name, f"{process['sagitta']:.0f} MB/s", others, f"{result['alone_mb_s']:.0f} MB/s", encode]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--only", nargs="*", choices=sorted(LOADS), default=list(LOADS))
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--markdown", type=pathlib.Path)
    options = parser.parse_args()
    results, rows = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.only:
            result = measure(name, pathlib.Path(folder), options)
            if result is None:
                print(f"{name:18} skipped: {LOADS[name][1][0]} is not here")
                continue
            results[name] = result
            rows.append(row(name, result))
            print(f"{name:18} decode {rows[-1][1]}; {rows[-1][2]}; alone {rows[-1][3]}; encode {rows[-1][4]}", flush=True)
    if options.json:
        machine = platform.processor() or platform.machine()
        options.json.write_text(json.dumps({"machine": machine, "loads": results}, indent=1) + "\n", encoding="utf-8")
    if options.markdown:
        head = "| image | decode, whole process | others | decode alone | encode alone |\n|---|---|---|---|---|\n"
        options.markdown.write_text(head + "".join(f"| {' | '.join(cells)} |\n" for cells in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
