#!/usr/bin/env python3
"""Names drawn into pixels, through `sagitta deid` and back: masked in every frame of every encoding as the profile says,
quarantined where no rule speaks. Other programs decode the results.

    SAGITTA_BUILD=build/release drawn_text_test.py [DrawnText.test_…]
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SAGITTA = pathlib.Path(os.environ.get("SAGITTA_BUILD", ROOT / "build/release")) / "sagitta"
NAME = "QUIRRENBACH^OTTOKAR"
ROWS, COLUMNS, FRAMES, BANNER = 120, 160, 3, 16
DECODERS = {"rle": ["dcmdrle"], "jpeg-ls": ["dcmdjpls"], "jpeg-lossless": ["dcmdjpeg"],
            "j2k-lossless": ["gdcmconv", "--raw"]}
RULES = """
[[pixel]]
match = { Modality = "US", Manufacturer = "ACME", Rows = "120", Columns = "160" }
action = "mask"
areas = [[0, 0, 160, 16]]
"""

try:
    import numpy
    import pydicom
    from pydicom.dataset import FileDataset, FileMetaDataset
    MISSING = None
except ImportError as error:
    MISSING = f"cannot run: {error}"


def run(*arguments, expect=0):
    done = subprocess.run([str(word) for word in arguments], capture_output=True, text=True, timeout=300)
    if done.returncode != expect:
        raise AssertionError(f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def drawn_frames():
    """Noise that is never black, and the name in white at the top: each character as its bits."""
    pixels = numpy.random.default_rng(7).integers(1, 200, (FRAMES, ROWS, COLUMNS), dtype="uint8")
    for number, character in enumerate(NAME):
        for bit in range(8):
            if ord(character) >> bit & 1:
                pixels[:, 4:12, number * 8 + bit] = 255
    return pixels


def make(path, modality, sop_class, manufacturer, number):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, f"2.25.4711{number}"
    meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    ds = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    ds.is_little_endian, ds.is_implicit_VR = True, False
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "2.25.47110815", f"2.25.4711081{number}"
    ds.PatientName, ds.PatientID, ds.Modality, ds.Manufacturer = NAME, "MRN-8834471", modality, manufacturer
    ds.Rows, ds.Columns, ds.NumberOfFrames, ds.SamplesPerPixel = ROWS, COLUMNS, FRAMES, 1
    ds.PhotometricInterpretation, ds.BitsAllocated, ds.BitsStored = "MONOCHROME2", 8, 8
    ds.HighBit, ds.PixelRepresentation, ds.BurnedInAnnotation = 7, 0, "YES"
    ds.PixelData = drawn_frames().tobytes()
    ds.save_as(path, write_like_original=False)


def frames_of(path):
    ds = pydicom.dcmread(path)
    return numpy.frombuffer(ds.PixelData, "uint8")[:FRAMES * ROWS * COLUMNS].reshape(FRAMES, ROWS, COLUMNS)


@unittest.skipIf(MISSING, MISSING)
class DrawnText(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.profile = self.folder / "profile.toml"
        self.profile.write_text('base = "basic"\noptions = ["clean-pixel-data"]\n' + RULES)
        run(SAGITTA, "deid", "init-key", self.folder / "key")
        self.ultrasound = self.folder / "us.dcm"
        make(self.ultrasound, "US", "1.2.840.10008.5.1.4.1.1.3.1", "ACME", 1)

    def deid(self, path, expect=0):
        out = self.folder / "out" / path.stem
        said = run(SAGITTA, "deid", path, out, "--profile", self.profile, "--key", self.folder / "key", "--vault",
                   self.folder / "vault", expect=expect)
        return sorted(out.rglob("*.dcm")), said

    def check(self, path):
        masked, original = frames_of(path), drawn_frames()
        self.assertTrue((masked[:, :BANNER] == 0).all())
        self.assertTrue((masked[:, BANNER:] == original[:, BANNER:]).all())

    def test_every_encoding_is_masked_in_all_frames(self):
        checked = 0
        for syntax, decoder in [("explicit-le", None), *DECODERS.items()]:
            if decoder and not shutil.which(decoder[0]):
                continue
            with self.subTest(syntax):
                encoded = self.folder / f"{syntax}.dcm"
                run(SAGITTA, "transcode", self.ultrasound, encoded, "--to", syntax)
                written, _ = self.deid(encoded)
                self.assertEqual(len(written), 1)
                ds = pydicom.dcmread(written[0])
                self.assertEqual(ds.file_meta.TransferSyntaxUID, pydicom.dcmread(encoded).file_meta.TransferSyntaxUID)
                self.assertEqual(ds.BurnedInAnnotation, "NO")
                self.assertIn("113101", [code.CodeValue for code in ds.DeidentificationMethodCodeSequence])
                decoded = written[0]
                if decoder:
                    decoded = self.folder / f"{syntax}-decoded.dcm"
                    run(*decoder, written[0], decoded)
                self.check(decoded)
                checked += 1
        self.assertGreater(checked, 1)

    def test_the_way_back_restores_the_person_and_not_the_pixels(self):
        written, _ = self.deid(self.ultrasound)
        back = self.folder / "back"
        run(SAGITTA, "reidentify", written[0], back, "--vault", self.folder / "vault", "--key", self.folder / "key")
        restored = list(back.rglob("*.dcm"))
        self.assertEqual(len(restored), 1)
        ds = pydicom.dcmread(restored[0])
        self.assertEqual((str(ds.PatientName), ds.PatientID, ds.SOPInstanceUID), (NAME, "MRN-8834471", "2.25.47111"))
        self.check(restored[0])

    def test_what_no_rule_knows_is_quarantined(self):
        cases = [("other", "US", "1.2.840.10008.5.1.4.1.1.3.1", "OTHER"),  # another maker's ultrasound
                 ("capture", "OT", "1.2.840.10008.5.1.4.1.1.7.2", "ACME"),  # secondary capture
                 ("dose", "CT", "1.2.840.10008.5.1.4.1.1.7.2", "ACME")]  # a dose sheet
        for number, (name, modality, sop_class, maker) in enumerate(cases, 2):
            path = self.folder / f"{name}.dcm"
            make(path, modality, sop_class, maker, number)
            written, said = self.deid(path, expect=1)
            self.assertEqual(written, [], name)
            self.assertIn("quarantined", said)


if __name__ == "__main__":
    unittest.main()
