#!/usr/bin/python3
"""Sagitta's parser beside DCMTK's and pydicom's, on the same files in the same run.

    parse.py [--seconds N] [--json FILE]

  memory   the header of a 255-element CT image held in memory (no peer does that without a file)
  header   the header of a CT image on disk: read_file_header, DCMTK's loadFileUntilTag, pydicom
  seg      a segmentation of 12,000 frames, every element of its functional groups: read_file, DCMTK, pydicom

The best of ten parts each. Nothing here asserts a time.
"""
import argparse
import json
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
sys.dont_write_bytecode = True
import harness as h  # noqa: E402

OURS = h.BUILD / "tests" / "bench" / "sagitta-parse-bench"
DCMTK = h.BUILD / "tests" / "bench" / "parse-bench-dcmtk"
FRAMES = 12_000


def item(**values):
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def make_segmentation(path):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.66.4"
    meta.MediaStorageSOPInstanceUID = "2.25.1"
    meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    made = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    made.is_little_endian, made.is_implicit_VR = True, False
    made.SOPClassUID, made.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    made.Modality, made.NumberOfFrames = "SEG", FRAMES
    made.Rows = made.Columns = 16
    purpose = item(CodeValue="121322", CodingSchemeDesignator="DCM", CodeMeaning="Source of derivation")
    how = item(CodeValue="113076", CodingSchemeDesignator="DCM", CodeMeaning="Segmentation")
    frames = []
    for number in range(FRAMES):
        source = item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2", ReferencedSOPInstanceUID=f"2.25.{number + 2}",
                      PurposeOfReferenceCodeSequence=Sequence([purpose]))
        frames.append(item(
            DerivationImageSequence=Sequence([item(SourceImageSequence=Sequence([source]),
                                                   DerivationCodeSequence=Sequence([how]))]),
            FrameContentSequence=Sequence([item(DimensionIndexValues=[1, number + 1])]),
            PlanePositionSequence=Sequence([item(ImagePositionPatient=["-100", "-100", str(number)])]),
            SegmentIdentificationSequence=Sequence([item(ReferencedSegmentNumber=1)])))
    made.PerFrameFunctionalGroupsSequence = Sequence(frames)
    made.BitsAllocated = made.BitsStored = 1
    made.HighBit = made.PixelRepresentation = 0
    made.PixelData = b"\0" * (FRAMES * 16 * 16 // 8)
    made.save_as(path)


def program(executable, mode, seconds, path):
    if not executable.exists():
        return None
    done = subprocess.run([executable, mode, str(seconds), str(path)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def pydicom_ns(path, seconds, stop):
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end or best == float("inf"):
        begin = time.perf_counter()
        read = pydicom.dcmread(path, stop_before_pixels=stop)
        for _ in read.iterall():  # pydicom reads values when they are asked for; the others have read them
            pass
        best = min(best, time.perf_counter() - begin)
    return best * 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    seconds = options.seconds
    ct = pathlib.Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm"
    results = {"machine": platform.processor() or platform.machine(), "loads": {}}

    memory = program(OURS, "memory", seconds, ct)
    print(f"memory   {memory['elements']} elements: {memory['ns'] / 1000:.2f} µs")
    results["loads"]["memory"] = {"sagitta": memory["ns"], "elements": memory["elements"]}
    with tempfile.TemporaryDirectory() as folder:
        segmentation = pathlib.Path(folder) / "seg.dcm"
        make_segmentation(segmentation)
        for name, mode, path in (("header", "header", ct), ("seg", "whole", segmentation)):
            ours = program(OURS, mode, seconds, path)
            dcmtk = program(DCMTK, mode, seconds, path)
            other = pydicom_ns(path, seconds, mode == "header")
            line = f"{name:8} {ours['elements']} elements: {ours['ns'] / 1000:.1f} µs"
            if dcmtk:
                line += f", DCMTK {dcmtk['ns'] / 1000:.1f} µs ({dcmtk['ns'] / ours['ns']:.1f} times)"
            print(line + f", pydicom {other / 1000:.1f} µs ({other / ours['ns']:.1f} times)")
            results["loads"][name] = {"sagitta": ours["ns"], "dcmtk": dcmtk and dcmtk["ns"], "pydicom": other,
                                      "elements": ours["elements"]}
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
