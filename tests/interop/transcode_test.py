#!/usr/bin/env python3
"""Objects for peers that do not take the transfer syntax they are stored in. The oracles are uncompressed
twins of the same pixels, and the frame hashes that independent decoders made of the shared files."""
import gzip
import hashlib
import json

import pydicom

import harness as h

TEST_FILES = h.PYDICOM_DATA / "test_files"
TWIN = "MR_small.dcm"
COMPRESSED = ["MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"]
UNCOMPRESSED = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"}


class Pydicom(h.Case):
    """The same slice, compressed in three ways, under SOP Instance UIDs of their own."""

    def prepare(self):
        if not TEST_FILES.is_dir():
            raise h.Missing("python3-pydicom's test files are not here")
        folder = self.folder / "in"
        folder.mkdir()
        for number, name in enumerate(COMPRESSED):
            data_set = pydicom.dcmread(TEST_FILES / name)
            data_set.SOPInstanceUID = data_set.file_meta.MediaStorageSOPInstanceUID = f"2.25.77{number}"
            data_set.StudyInstanceUID = "2.25.7"
            data_set.save_as(folder / name)
        return folder

    def check(self, paths):
        twin = pydicom.dcmread(TEST_FILES / TWIN)
        self.assertEqual(len(COMPRESSED), len(paths))
        for path in paths:
            data_set = pydicom.dcmread(path)
            self.assertIn(data_set.file_meta.TransferSyntaxUID, UNCOMPRESSED)
            self.assertEqual(twin.PixelData, data_set.PixelData, path)
            self.assertTrue(data_set.SOPInstanceUID.startswith("2.25.77"))  # lossless: still the same instance
            self.assertNotIn("LossyImageCompression", data_set)

    def test_get(self):
        h.need("getscu")
        node = self.node()
        h.sagitta("store", node.address, self.prepare(), check=0)
        out = self.folder / "out"
        out.mkdir()
        h.run("getscu", "-S", "-aec", "SAGITTA", "-od", out, "-k", "QueryRetrieveLevel=STUDY", "-k",
              "StudyInstanceUID=2.25.7", "127.0.0.1", node.port, check=0)
        self.check(h.files_below(out))

    def test_move(self):
        h.need("movescu")
        with h.StoreScp(self.folder, accepts="+x=") as destination:
            node = self.node(peers=[f"DEST@127.0.0.1:{destination.port}"])
            h.sagitta("store", node.address, self.prepare(), check=0)
            h.run("movescu", "-S", "-aec", "SAGITTA", "-aem", "DEST", "-k", "QueryRetrieveLevel=STUDY", "-k",
                  "StudyInstanceUID=2.25.7", "127.0.0.1", node.port, check=0)
            self.check(destination.files())

    def test_store(self):
        with h.StoreScp(self.folder, accepts="+x=") as destination:
            address = f"DEST@127.0.0.1:{destination.port}"
            folder = self.prepare()
            refused = h.sagitta("store", "--as-they-are", address, folder, check=1)
            self.assertIn("does not take", refused.text)
            self.assertEqual([], destination.files())
            h.sagitta("store", address, folder, check=0)
            self.check(destination.files())


def oracle(path):
    expected = h.SHARED / "expected" / path.relative_to(h.SHARED)
    for name in (f"{expected}.json", f"{expected}.json.gz"):
        try:
            with (gzip.open if name.endswith("gz") else open)(name, "rb") as file:
                return json.load(file).get("pixels") or {}
        except FileNotFoundError:
            continue
    return {}


class Shared(h.Case):
    """Every shared file with lossless frame hashes, asked for by a peer that knows no compression."""

    def test_every_lossless_file_comes_back_uncompressed(self):
        h.need("getscu")
        if not h.SHARED.is_dir():
            raise h.Missing("../shared/data is not here")
        folder = self.folder / "in"
        folder.mkdir()
        wanted = {}
        for number, path in enumerate(sorted((h.SHARED / "codecs").iterdir())):
            pixels = oracle(path)
            if not pixels.get("lossless") or "all_frames_sha256" not in pixels or pixels["bits_allocated"] == 1:
                continue
            data_set = pydicom.dcmread(path, force=True)
            syntax = str(getattr(data_set.file_meta, "TransferSyntaxUID", ""))
            if not syntax or "SOPClassUID" not in data_set or syntax in UNCOMPRESSED or "deflat" in path.name:
                continue
            uid = f"2.25.88{number}"
            data_set.SOPInstanceUID = data_set.file_meta.MediaStorageSOPInstanceUID = uid
            data_set.StudyInstanceUID, data_set.SeriesInstanceUID = "2.25.8", "2.25.8.1"
            try:
                data_set.save_as(folder / f"{number}.dcm")
            except Exception:  # what pydicom cannot write has no place here
                continue
            wanted[uid] = (path.name, pixels)
        node = self.node()
        h.sagitta("store", node.address, folder, check=0)
        out = self.folder / "out"
        out.mkdir()
        answer = h.run("getscu", "-v", "-S", "-aec", "SAGITTA", "-od", out, "-k", "QueryRetrieveLevel=STUDY", "-k",
                       "StudyInstanceUID=2.25.8", "127.0.0.1", node.port)
        back = {}
        for path in h.files_below(out):
            data_set = pydicom.dcmread(path)
            back[str(data_set.SOPInstanceUID)] = data_set
        compared = 0
        for uid, (name, pixels) in wanted.items():
            if uid not in back:
                print(f"not sent back: {name}")
                continue
            data_set = back[uid]
            self.assertIn(data_set.file_meta.TransferSyntaxUID, UNCOMPRESSED)
            size = pixels["rows"] * pixels["columns"] * pixels["samples"] * pixels["bits_allocated"] // 8 * pixels["frames"]
            decoded = pixels["decoded_photometric"]
            same_colours = decoded.startswith("decoded components") or data_set.PhotometricInterpretation == decoded
            if not same_colours or len(data_set.PixelData) < size:
                print(f"another form of colour: {name}")
                continue
            # Where decoders disagree (a codestream whose signedness is not the data set's), one of them agrees.
            hashes = {pixels["all_frames_sha256"], *pixels.get("per_decoder_all_frames_sha256", {}).values()}
            self.assertIn(hashlib.sha256(data_set.PixelData[:size]).hexdigest(), hashes, name)
            compared += 1
        print(f"{compared} of {len(wanted)} compared")
        self.assertGreater(compared, len(wanted) * 9 // 10, answer.text[-2000:])


if __name__ == "__main__":
    h.main()
