#!/usr/bin/python3
"""Writes the seeds of jpeg_ls_fuzz and jpeg_2000_fuzz: small streams by DCMTK, opj_compress and
ojph_compress. Their first three bytes are those of the targets: format, rows - 1, columns - 1."""
import pathlib
import subprocess
import tempfile

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import generate_pixel_data_frame
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

ROWS, COLUMNS = 20, 24
CORPUS = pathlib.Path(__file__).parent / "corpus"


def samples(components, largest):
    for y in range(ROWS):
        for x in range(COLUMNS):
            for c in range(components):
                yield (x * 7 + y * 3 + c * 50 + (x * y) % 5) * largest // 255 % (largest + 1)


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def write(target, name, components, words, stream):
    choice = (4 if components == 3 else 0) | (1 if words else 0)
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(bytes([choice, ROWS - 1, COLUMNS - 1]) + stream)


def picture(folder, components, bits):
    largest = (1 << bits) - 1
    size = 2 if bits > 8 else 1
    path = folder / ("in.ppm" if components == 3 else "in.pgm")
    head = b"P%d\n%d %d\n%d\n" % (6 if components == 3 else 5, COLUMNS, ROWS, largest)
    path.write_bytes(head + b"".join(v.to_bytes(size, "big") for v in samples(components, largest)))
    return path


def jpeg_2000(folder):
    opj = {"grey": (1, 8, []), "words": (1, 12, []), "colour": (3, 8, []), "irreversible": (3, 8, ["-I", "-r", "8"]),
           "tiles": (1, 8, ["-t", "16,16"]), "precincts": (1, 8, ["-c", "[16,16],[8,8]"]),
           "layers": (1, 8, ["-r", "10,5,1"]), "markers": (1, 8, ["-SOP", "-EPH"]), "modes": (1, 8, ["-M", "63"])}
    for name, (components, bits, options) in opj.items():
        out = folder / "out.j2k"
        run("opj_compress", "-i", picture(folder, components, bits), "-o", out, "-n", "3", *options)
        write("jpeg_2000_fuzz", name, components, bits > 8, out.read_bytes())
    run("opj_compress", "-i", picture(folder, 3, 8), "-o", folder / "out.jp2", "-n", "2")
    write("jpeg_2000_fuzz", "boxes", 3, False, (folder / "out.jp2").read_bytes())
    for name, components, bits in (("ht_grey", 1, 8), ("ht_words", 1, 12), ("ht_colour", 3, 8)):
        out = folder / "out.j2c"
        run("ojph_compress", "-i", picture(folder, components, bits), "-o", out, "-reversible", "true",
            "-num_decomps", "2")
        write("jpeg_2000_fuzz", name, components, bits > 8, out.read_bytes())


def image(folder, components, bits):
    data_set = Dataset()
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set.file_meta.MediaStorageSOPClassUID = data_set.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID = generate_uid()
    data_set.Rows, data_set.Columns, data_set.SamplesPerPixel = ROWS, COLUMNS, components
    data_set.PhotometricInterpretation = "RGB" if components == 3 else "MONOCHROME2"
    if components == 3:
        data_set.PlanarConfiguration = 0
    data_set.BitsAllocated = 16 if bits > 8 else 8
    data_set.BitsStored, data_set.HighBit, data_set.PixelRepresentation = bits, bits - 1, 0
    size = data_set.BitsAllocated // 8
    data_set.PixelData = b"".join(v.to_bytes(size, "little") for v in samples(components, (1 << bits) - 1))
    data_set["PixelData"].VR = "OW" if bits > 8 else "OB"
    data_set.is_little_endian, data_set.is_implicit_VR = True, False
    data_set.save_as(folder / "in.dcm", write_like_original=False)
    return folder / "in.dcm"


def jpeg_ls(folder):
    kinds = {"grey": (1, 8, []), "words": (1, 12, []), "near": (1, 8, ["+en", "+md", "3"]), "lines": (3, 8, ["+il"]),
             "samples": (3, 8, ["+is"]), "planes": (3, 8, ["+in"])}
    for name, (components, bits, options) in kinds.items():
        run("dcmcjpls", *options, image(folder, components, bits), folder / "out.dcm")
        stream = next(generate_pixel_data_frame(pydicom.dcmread(folder / "out.dcm").PixelData, 1))
        write("jpeg_ls_fuzz", name, components, bits > 8, stream)


with tempfile.TemporaryDirectory() as name:
    jpeg_2000(pathlib.Path(name))
    jpeg_ls(pathlib.Path(name))
