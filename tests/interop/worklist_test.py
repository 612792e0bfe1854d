#!/usr/bin/env python3
"""Modality Worklist (PS3.4 Annex K): DCMTK's wlmscpfs serves the same files, and its answers are what ours must be."""
import json
import pathlib
import shutil

import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence

import harness as h

STEP = "ScheduledProcedureStepSequence[0]"
USUAL = ["PatientName", "PatientID", "AccessionNumber", "StudyInstanceUID", "RequestedProcedureID"]


def make_item(path, number, modality, date, time, name, station="CT_ONE"):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.276.0.7230010.3.1.0.1", f"2.25.55{number}"
    meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    ds = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    ds.is_little_endian, ds.is_implicit_VR = True, False
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.AccessionNumber, ds.PatientName, ds.PatientID = f"A{number}", name, f"471{number}"
    ds.PatientBirthDate, ds.PatientSex, ds.StudyInstanceUID = "19700101", "O", f"2.25.66{number}"
    ds.RequestedProcedureDescription, ds.RequestedProcedureID = "Thorax", f"R{number}"
    step = Dataset()
    step.Modality, step.ScheduledStationAETitle, step.ScheduledProcedureStepStartDate = modality, station, date
    step.ScheduledProcedureStepStartTime, step.ScheduledPerformingPhysicianName = time, "Arzt^Anna"
    step.ScheduledProcedureStepDescription, step.ScheduledProcedureStepID = "Schritt", f"S{number}"
    ds.ScheduledProcedureStepSequence = Sequence([step])
    ds.save_as(path, write_like_original=False)


class Wlmscpfs:
    def __init__(self, folder, items):
        h.need("wlmscpfs")
        self.port = h.free_port()
        store = pathlib.Path(folder) / "wlm" / "SAGITTA"
        store.mkdir(parents=True)
        (store / "lockfile").touch()
        for path in items:
            shutil.copy(path, store)
        self.process = h.Process(["wlmscpfs", "-dfp", store.parent, "-dfr", "-csk", self.port], pathlib.Path(folder) / "wlm.log")
        h.wait_for_port(self.process, self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()


class Worklist(h.Case):
    def items(self):
        folder = self.folder / "items"
        folder.mkdir(exist_ok=True)
        make_item(folder / "a.wl", 1, "CT", "20240315", "0930", "Doe^Jane")
        make_item(folder / "b.wl", 2, "MR", "20240316", "1015", "Doe^John", "MR_ONE")
        make_item(folder / "c.wl", 3, "CT", "20240401", "0700", "Roe^Richard", "CT_TWO")
        make_item(folder / "d.wl", 4, "US", "20240402", "2359", "Müller^Jörg", "US_ONE")
        return sorted(folder.iterdir())

    def ask(self, port, keys):
        out = self.folder / f"out{len(list(self.folder.iterdir()))}"
        out.mkdir()
        words = [word for key in keys for word in ("-k", key)]
        h.run("findscu", "-W", "-X", "-od", out, "-aec", "SAGITTA", *words, "127.0.0.1", port, check=0)
        answers = []
        for path in sorted(out.iterdir()):
            ds = pydicom.dcmread(path, force=True)
            ds.decode()
            if "SpecificCharacterSet" in ds:
                del ds.SpecificCharacterSet
            answers.append(json.dumps(ds.to_json_dict(), sort_keys=True))
        return sorted(answers)

    def test_answers_are_those_of_wlmscpfs(self):
        h.need("findscu")
        items = self.items()
        node = self.node()
        h.sagitta("worklist", "add", "--data", node.data, *items, check=0)
        queries = [
            [], [f"{STEP}.Modality=CT"], [f"{STEP}.Modality=XA"], [f"{STEP}.ScheduledStationAETitle=CT_TWO"],
            [f"{STEP}.ScheduledProcedureStepStartDate=20240316-20240401"],
            [f"{STEP}.ScheduledProcedureStepStartDate=-20240315"], [f"{STEP}.ScheduledProcedureStepStartDate=20240402"],
            [f"{STEP}.Modality=CT", f"{STEP}.ScheduledProcedureStepStartDate=20240401-"],
            ["PatientID=4712"], ["AccessionNumber=A3"]]
        returned = USUAL + [f"{STEP}.{name}" for name in ("ScheduledProcedureStepID", "ScheduledProcedureStepStartTime",
                                                          "ScheduledPerformingPhysicianName")]
        found = 0
        with Wlmscpfs(self.folder, items) as oracle:
            for query in queries:
                named = {key.split("=")[0] for key in query}
                keys = query + [key for key in returned if key not in named]
                with self.subTest(query):
                    wanted = self.ask(oracle.port, keys)
                    found += len(wanted)
                    self.assertEqual(wanted, self.ask(node.port, keys))
        self.assertGreater(found, 12)
        # A key that wlmscpfs does not match by, and two that it does not know.
        for query, count in [("StudyInstanceUID=2.25.661", 1), (f"{STEP}.ScheduledProcedureStepID=S2", 1),
                             ("RequestedProcedureDescription=tho*", 0), ("RequestedProcedureDescription=Tho*", 4)]:
            self.assertEqual(count, len(self.ask(node.port, [query])), query)

    def test_files_come_change_and_go(self):
        node = self.node()
        address = node.address

        def accessions():
            said = h.sagitta("find", address, "--model", "worklist", "--json", check=0)
            return sorted(item["00080050"]["Value"][0] for item in json.loads(said.out))

        self.assertEqual([], accessions())
        name = h.sagitta("worklist", "add", "--data", node.data, "-s", "PatientID=1", "-s", "AccessionNumber=X",
                         "-s", "PatientName=Müller^Jörg", "-s", f"{STEP}.Modality=CT", check=0).out.decode().strip()
        self.assertEqual(["X"], accessions())
        items = self.items()
        h.sagitta("worklist", "add", "--data", node.data, *items, check=0)
        self.assertEqual(["A1", "A2", "A3", "A4", "X"], accessions())
        (node.data / "worklist" / "broken.wl").write_bytes(b"no DICOM")
        self.assertEqual(5, len(accessions()))  # told, and passed over
        node.process.wait_to_say("broken.wl")
        make_item(node.data / "worklist" / "a.wl", 9, "CT", "20240315", "0930", "Doe^Jane")
        self.assertEqual(["A2", "A3", "A4", "A9", "X"], accessions())
        self.assertIn("Müller^Jörg", h.sagitta("worklist", "list", "--data", node.data, check=1).text)
        h.sagitta("worklist", "remove", "--data", node.data, name, "b.wl", check=0)
        self.assertEqual(["A3", "A4", "A9"], accessions())
        h.sagitta("worklist", "remove", "--data", node.data, "../lock", check=1)
        self.assertTrue((node.data / "lock").exists())

    def test_what_is_no_item_is_refused(self):
        node = self.node()
        no_step = self.folder / "x.json"
        no_step.write_text('{"00100020": {"vr": "LO", "Value": ["1"]}}')
        said = h.sagitta("worklist", "add", "--data", node.data, no_step, check=1)
        self.assertIn("Scheduled Procedure Step Sequence", said.text)
        h.sagitta("worklist", "add", "--data", node.data, "-s", "PatientID=1", check=1)
        h.sagitta("worklist", "add", "--data", node.data, check=2)
        h.sagitta("get", node.address, "--model", "worklist", "-k", "StudyInstanceUID=1", "-o", self.folder, check=2)


if __name__ == "__main__":
    h.main()
