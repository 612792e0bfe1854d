#!/usr/bin/env python3
"""`sagitta deid` over a corpus of planted identities (plant.py): nothing planted is left in any encoding, references
are whole, no new errors for dciodvfy; the same key gives the same bytes, another key shares nothing.

    SAGITTA_BUILD=build/release planted_test.py [Planted.test_…]
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SAGITTA = pathlib.Path(os.environ.get("SAGITTA_BUILD", ROOT / "build/release")) / "sagitta"
PROFILES = ["basic", "research-longitudinal", "ai-routing", "keep-descriptors"]
ENCODINGS = ["utf-8", "latin-1", "iso8859-5", "iso8859-6", "iso2022_jp", "shift_jis", "euc_jp", "utf-16-le", "utf-16-be"]

try:
    import pydicom
    sys.path.insert(0, str(HERE))
    import plant
    MISSING = None if plant.FILES.exists() else "pydicom's test files are not installed"
except ImportError as error:
    MISSING = f"cannot run: {error}"


def forms(string):
    for text in {string, string.upper(), string.lower()}:
        for encoding in ENCODINGS:
            try:
                encoded = text.encode(encoding)
            except UnicodeEncodeError:
                continue
            if encoding == "iso2022_jp":
                encoded = re.sub(rb"\x1b[($][A-Z@]", b"", encoded)
            if len(encoded) >= 4:
                yield encoded


def run(*arguments, expect=(0,)):
    done = subprocess.run([SAGITTA, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    if done.returncode not in expect:
        raise AssertionError(f"{arguments}: {done.returncode}\n{done.stderr}")
    return done


def tree(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*.dcm"))}


def without_pixels(path):
    """The file's bytes but for the value of Pixel Data and Waveform Data, which are noise."""
    data = path.read_bytes()
    ds = pydicom.dcmread(path)
    for keyword in ("PixelData", "WaveformData"):
        for element in ds.iterall():
            if element.keyword == keyword and isinstance(element.value, bytes) and len(element.value) > 256:
                data = data.replace(element.value, b"")
    return data


def uids_of(ds):
    for element in ds.iterall():
        if element.VR == "UI" and element.value:
            values = element.value if element.VM > 1 else [element.value]
            for value in values:
                yield element.keyword, str(value)


@unittest.skipIf(MISSING, MISSING)
class Planted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.corpus = cls.folder / "corpus"
        plant.main(cls.corpus)
        cls.planted = json.loads((cls.corpus / "planted.json").read_text())
        cls.files = sorted(cls.corpus.glob("*.dcm"))
        for name in ("one", "other"):
            run("deid", "init-key", cls.folder / f"{name}.key")
        cls.out = {}
        for profile in PROFILES:
            cls.out[profile] = cls.deid(profile, "one", profile)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def deid(cls, profile, key, name, paths=None):
        out = cls.folder / name
        run("deid", *(paths or [cls.corpus]), out, "--profile", ROOT / f"config/deid/{profile}.toml", "--key",
            cls.folder / f"{key}.key", "--report", cls.folder / f"{name}.json", expect=(0, 1))
        return out

    def test_nothing_planted_is_left(self):
        needles = {form for string in self.planted["strings"] for form in forms(string)}
        for profile, out in self.out.items():
            found = set()
            for path in sorted(out.rglob("*.dcm")):
                data = without_pixels(path)
                low = data.lower()
                found |= {(needle, path.name[:24]) for needle in needles if needle.lower() in low}
            self.assertEqual(found, set(), profile)

    def test_only_documents_are_refused(self):
        for profile, out in self.out.items():
            report = json.loads((self.folder / f"{profile}.json").read_text())
            refused = [q["reason"] for study in report["studies"] for q in study["quarantined"]]
            self.assertEqual(len(refused), len(plant.PEOPLE), refused)
            self.assertTrue(all("encapsulated" in reason for reason in refused), refused)
            self.assertEqual(len(list(out.rglob("*.dcm"))), len(self.files) - len(plant.PEOPLE), profile)

    def test_reports_and_names_of_files_say_nothing(self):
        for profile, out in self.out.items():
            text = (self.folder / f"{profile}.json").read_text() + (self.folder / f"{profile}.json.txt").read_text()
            text += "\n".join(str(path.relative_to(out)) for path in out.rglob("*"))
            self.assertEqual([s for s in self.planted["strings"] if s in text], [], profile)

    def test_references_are_whole(self):
        for profile, out in self.out.items():
            instances = {str(pydicom.dcmread(path).SOPInstanceUID) for path in out.rglob("*.dcm")}
            refused = {q["sop_instance_uid"] for study in json.loads((self.folder / f"{profile}.json").read_text())["studies"]
                       for q in study["quarantined"]}
            checked = 0
            for path in out.rglob("*.dcm"):
                ds = pydicom.dcmread(path)
                for keyword, uid in uids_of(ds):
                    self.assertRegex(uid, r"^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$")
                    self.assertLessEqual(len(uid), 64)
                    self.assertFalse(uid.startswith(self.planted["root"]), (profile, keyword))
                for sequence in ("ReferencedImageSequence", "SourceImageSequence"):
                    for reference in ds.get(sequence, []):
                        if "ReferencedSOPInstanceUID" in reference:
                            checked += 1
                            self.assertIn(str(reference.ReferencedSOPInstanceUID), instances | refused)
            self.assertGreater(checked, 10, profile)

    def test_dates_move_together(self):
        for out in (self.out["research-longitudinal"], self.out["ai-routing"]):
            shifts = {}
            for path in out.rglob("*.dcm"):
                ds = pydicom.dcmread(path)
                if "SeriesDate" not in ds:
                    continue
                shifts.setdefault(ds.PatientID, set()).add(ds.StudyDate)
                first, second = (pydicom.valuerep.DA(d) for d in (ds.StudyDate, ds.ContentDate))
                self.assertEqual((second - first).days, 1)
                self.assertEqual(ds.StudyTime, "101112")
                self.assertTrue(str(ds.AcquisitionDateTime).startswith(ds.StudyDate))
                self.assertTrue(str(ds.AcquisitionDateTime).endswith("101113.5+0100"))
                self.assertEqual(ds.PatientAge, "090Y")
            self.assertTrue(all(len(days) == 1 for days in shifts.values()), shifts)
            self.assertEqual(len({day for days in shifts.values() for day in days}), len(plant.PEOPLE))

    def test_what_research_needs_stays(self):
        out = self.out["research-longitudinal"]
        by_class = {}
        for path in out.rglob("*.dcm"):
            ds = pydicom.dcmread(path)
            by_class.setdefault(ds.SOPClassUID.name, ds)
        ct = by_class["CT Image Storage"]
        self.assertIn("AX T1", ct.SeriesDescription)
        self.assertIn("Thorax", ct.StudyDescription)
        self.assertIn("Prot", ct.ProtocolName)
        self.assertAlmostEqual(ct[0x2001, 0x1003].value, 1000.0)
        self.assertNotIn((0x0043, 0x1030), ct)
        self.assertNotIn((0x0019, 0x0010), ct)
        report = by_class["Comprehensive SR Storage"]
        self.assertIn("The patient", report.ContentSequence[0].TextValue)
        self.assertIn("Discussed with", report.ContentSequence[0].TextValue)

    def test_same_key_same_bytes_in_another_order(self):
        again = self.deid("research-longitudinal", "one", "again", paths=list(reversed(self.files)))
        self.assertEqual(tree(again), tree(self.out["research-longitudinal"]))

    def test_another_key_shares_nothing(self):
        other = self.deid("research-longitudinal", "other", "other")
        ours, theirs = set(), set()
        for folder, found in ((self.out["research-longitudinal"], ours), (other, theirs)):
            for path in folder.rglob("*.dcm"):
                ds = pydicom.dcmread(path)
                found |= {ds.PatientID, ds.AccessionNumber, ds.StudyID, ds.StudyDate}
                found |= {uid for _, uid in uids_of(ds) if not uid.startswith("1.2.840.10008.")}
        ours -= {""}
        self.assertEqual(ours & theirs - {str(pydicom.uid.UID("2.25.257758801102337156206168961896526374761"))}, set())

    def test_markers(self):
        for profile, temporal in zip(PROFILES, ("REMOVED", "MODIFIED", "MODIFIED", "REMOVED")):
            for path in self.out[profile].rglob("*.dcm"):
                ds = pydicom.dcmread(path)
                self.assertEqual(ds.PatientIdentityRemoved, "YES")
                self.assertEqual(ds.LongitudinalTemporalInformationModified, temporal)
                self.assertEqual(ds.DeidentificationMethodCodeSequence[0].CodeValue, "113100")
                self.assertEqual(ds.ContributingEquipmentSequence[-1].PurposeOfReferenceCodeSequence[0].CodeValue, "109104")
                self.assertEqual(ds.preamble, bytes(128))
                self.assertNotIn("SourceApplicationEntityTitle", ds.file_meta)
                self.assertNotIn("PrivateInformation", ds.file_meta)

    @unittest.skipUnless(shutil.which("dciodvfy"), "dciodvfy is not installed")
    def test_no_new_errors(self):
        def errors(path):
            done = subprocess.run(["dciodvfy", "-new", path], capture_output=True, text=True, errors="replace")
            return {re.sub(r"[<=].*", "", line) for line in done.stderr.splitlines() if line.startswith("Error")}

        before = {}
        for path in self.files:
            ds = pydicom.dcmread(path)
            before.setdefault(str(ds.SOPClassUID), set()).update(errors(path))
        for profile, out in self.out.items():
            new = set()
            for path in sorted(out.rglob("*.dcm")):
                new |= errors(path) - before[str(pydicom.dcmread(path).SOPClassUID)]
            self.assertEqual(new, set(), profile)


if __name__ == "__main__":
    unittest.main()
