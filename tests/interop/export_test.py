#!/usr/bin/env python3
"""`sagitta export`: folders by a pattern, zip and tar files, media that DCMTK and pydicom read."""
import json
import os
import re
import tarfile
import zipfile

import harness as h


class ExportCase(h.Case):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"
        self.out = self.folder / "out"
        self.files = {}  # SOP Instance UID: the data set's bytes

    def fill(self, count=6, **options):
        folder = self.folder / "in"
        folder.mkdir(exist_ok=True)
        for n in range(count):
            path = folder / f"{len(self.files)}.dcm"
            uid = h.make_instance(path, **{"study": f"2.25.60{n % 2}", "series": f"2.25.61{n % 2}", "patient": f"P{n % 2}",
                                           "pixels": bytes([n]) * 3001, **options})
            self.files[uid] = h.parts_of(path).data_set
        h.sagitta("import", "--data", self.data, folder, check=0)

    def export(self, *options, out=None, status=0):
        answer = h.sagitta("export", "--data", self.data, "--json", "-o", out or self.out, *options)
        self.assertEqual(status, answer.status, answer.text)
        return json.loads(answer.out) if answer.out.startswith(b"{") else answer.text

    def below(self, folder=None):
        folder = folder or self.out
        return {str(path.relative_to(folder)): path for path in h.files_below(folder)}

    def contents(self, paths):
        return {h.parts_of(path).sop_instance: h.parts_of(path).data_set for path in paths}


class Folders(ExportCase):
    def test_every_file_as_it_is_stored(self):
        self.fill()
        report = self.export("--all")
        self.assertEqual((6, 0, 0), (report["exported"], report["already_there"], report["failed"]))
        files = self.below()
        self.assertEqual(self.files, self.contents(files.values()))
        self.assertEqual({f"2.25.60{n % 2}/2.25.61{n % 2}/{uid}.dcm" for n, uid in enumerate(self.files)}, set(files))

    def test_what_is_asked_for(self):
        self.fill()
        self.assertEqual(3, self.export("-k", "PatientID=P1", out=self.folder / "a")["exported"])
        self.assertEqual(0, self.export("-k", "PatientID=P1", "-k", "StudyInstanceUID=2.25.600", out=self.folder / "b")["exported"])
        self.export("-k", "StudyDate=yesterday", out=self.folder / "c", status=2)
        self.assertEqual(6, self.export("-k", "PatientName=test*", "-k", "StudyDate=20240101-", out=self.folder / "d")["exported"])
        self.fill(2, more=[(8, 0x2111, "ST", "one")])
        self.assertEqual(2, self.export("-k", "DerivationDescription=one", out=self.folder / "e")["exported"])

    def test_again_only_what_is_missing(self):
        self.fill()
        self.export("--all")
        gone = next(iter(self.below().values()))
        gone.unlink()
        (gone.parent / (gone.name + ".partial")).write_bytes(b"half")
        report = self.export("--all")
        self.assertEqual((1, 5, 0), (report["exported"], report["already_there"], report["failed"]))
        self.assertEqual(self.files, self.contents(self.below().values()))

    def test_other_peoples_files_stay(self):
        self.fill()
        self.export("--all")
        name, path = next(iter(self.below().items()))
        path.write_bytes(b"mine")
        report = self.export("--all", status=1)
        self.assertEqual((0, 5, 1), (report["exported"], report["already_there"], report["failed"]))
        self.assertEqual(b"mine", path.read_bytes())

    def test_names_by_a_pattern(self):
        self.fill(3, name="Mü/ller^Eva", patient="../up")
        report = self.export("--all", "--name", "{PatientID}/{PatientName}-{StudyDate}/{InstanceNumber}.dcm")
        self.assertEqual(3, report["exported"])
        self.assertEqual({f"_._up/Mü_ller^Eva-20240229/{name}.dcm" for name in ("1", "1-2", "1-3")}, set(self.below()))
        self.assertEqual(self.files, self.contents(self.below().values()))
        self.assertEqual(3, self.export("--all", "--name", "{PatientID}/{PatientName}-{StudyDate}/{InstanceNumber}.dcm")["already_there"])

    def test_a_link_leads_nowhere(self):
        self.fill(1)
        self.out.mkdir()
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        os.symlink(elsewhere, self.out / "P0")
        report = self.export("--all", "--name", "{PatientID}/x.dcm", status=1)
        self.assertEqual((0, 1), (report["exported"], report["failed"]))
        self.assertEqual([], list(elsewhere.iterdir()))

    def test_what_makes_no_sense(self):
        self.fill(1)
        for options in ((), ("--all", "-k", "PatientID=x"), ("--all", "--name", "../{PatientID}"), ("--all", "--name", "{PatientIDD}"),
                        ("-k", "PatientIDD=1"), ("--all", "--name", "x", "--dicomdir")):
            self.export(*options, status=2)
        self.assertFalse(self.out.exists())


class Containers(ExportCase):
    def test_zip_and_tar(self):
        self.fill(5, name="Mü^Eva")
        pattern = ("--name", "{PatientName}/{SOPInstanceUID}.dcm")
        self.assertEqual(5, self.export("--all", *pattern, out=self.folder / "a.zip")["exported"])
        with zipfile.ZipFile(self.folder / "a.zip") as box:
            self.assertIsNone(box.testzip())
            self.assertEqual({f"Mü^Eva/{uid}.dcm" for uid in self.files}, set(box.namelist()))
            self.assertEqual(self.files, {p.sop_instance: p.data_set for p in (h.FileParts(box.read(n)) for n in box.namelist())})
        for name in ("a.tar", "a.tar.gz"):
            self.export("--all", *pattern, out=self.folder / name)
            with tarfile.open(self.folder / name) as box:
                parts = [h.FileParts(box.extractfile(member).read()) for member in box]
                self.assertEqual({f"Mü^Eva/{uid}.dcm" for uid in self.files}, set(box.getnames()))
            self.assertEqual(self.files, {p.sop_instance: p.data_set for p in parts})
        self.assertEqual([], [p.name for p in self.folder.iterdir() if "a." in p.name and p.name not in ("a.zip", "a.tar", "a.tar.gz")])

    def test_a_file_that_is_there_stays(self):
        self.fill(1)
        (self.folder / "a.zip").write_bytes(b"mine")
        self.export("--all", out=self.folder / "a.zip", status=1)
        self.assertEqual(b"mine", (self.folder / "a.zip").read_bytes())

    def test_there_and_back(self):
        self.fill(4)
        self.export("--all", out=self.folder / "a.zip")
        other = self.folder / "other"
        h.sagitta("import", "--data", other, self.folder / "a.zip", check=0)
        h.sagitta("export", "--data", other, "-o", self.out, "--all", check=0)
        self.assertEqual(self.files, self.contents(self.below().values()))


class Media(ExportCase):
    def medium(self):
        self.fill(7)
        return self.export("--all", "--dicomdir", "--file-set-id", "MARCH")

    def test_pydicom_reads_the_file_set(self):
        self.assertEqual(7, self.medium()["exported"])
        from pydicom.fileset import FileSet
        file_set = FileSet(self.out / "DICOMDIR")
        self.assertEqual("MARCH", file_set.ID)
        self.assertEqual(set(self.files), {str(instance.SOPInstanceUID) for instance in file_set})
        self.assertEqual(self.files, self.contents([instance.path for instance in file_set]))
        self.assertEqual(["P0", "P1"], sorted(file_set.find_values("PatientID")))

    def test_names_are_those_of_media(self):
        self.medium()
        names = set(self.below()) - {"DICOMDIR"}
        self.assertEqual(7, len(names))
        for name in names:
            self.assertRegex(name, r"^([A-Z0-9_]{1,8}/){0,7}[A-Z0-9_]{1,8}$")

    def test_dcmtk_reads_and_updates_it(self):
        h.need("dcmdump", "dcmmkdir")
        self.medium()
        dump = h.run("dcmdump", "-M", self.out / "DICOMDIR", check=0)
        self.assertEqual(b"", dump.err)
        types = re.findall(r"\(0004,1430\) CS \[(\w+) *\]", dump.text)
        self.assertEqual({"PATIENT": 2, "STUDY": 2, "SERIES": 2, "IMAGE": 7}, {name: types.count(name) for name in types})
        h.make_instance(self.out / "NEW", study="2.25.600", patient="P0")
        h.run("dcmmkdir", "-W", "+D", "DICOMDIR", "+U", "NEW", cwd=self.out, check=0)
        dump = h.run("dcmdump", "-M", self.out / "DICOMDIR", check=0).text
        self.assertEqual(8, len(re.findall(r"\(0004,1430\) CS \[IMAGE *\]", dump)))
        self.assertEqual(2, len(re.findall(r"\(0004,1430\) CS \[STUDY *\]", dump)))

    def test_dciodvfy_has_no_objection(self):
        h.need("dciodvfy")
        self.medium()
        answer = h.run("dciodvfy", self.out / "DICOMDIR")
        errors = [line for line in answer.text.splitlines() if line.startswith("Error")]
        self.assertEqual([], errors)

    def test_we_read_it_back(self):
        self.medium()
        other = self.folder / "other"
        answer = h.sagitta("import", "--json", "--data", other, self.out / "DICOMDIR", check=0)
        self.assertEqual(7, json.loads(answer.out)["imported"])

    def test_again_it_is_complete(self):
        self.medium()
        (self.out / "DICOMDIR").unlink()
        min(path for path in h.files_below(self.out)).unlink()
        report = self.export("--all", "--dicomdir")
        self.assertEqual((1, 6), (report["exported"], report["already_there"]))
        self.assertTrue((self.out / "DICOMDIR").exists())

    def test_in_a_zip(self):
        self.fill(3)
        self.export("--all", "--dicomdir", out=self.folder / "cd.zip")
        with zipfile.ZipFile(self.folder / "cd.zip") as box:
            self.assertIn("DICOMDIR", box.namelist())
            box.extractall(self.out)
        from pydicom.fileset import FileSet
        self.assertEqual(set(self.files), {str(instance.SOPInstanceUID) for instance in FileSet(self.out / "DICOMDIR")})

    def test_pydicoms_files_of_many_kinds(self):
        folder = h.PYDICOM_DATA / "test_files"
        if not folder.is_dir():
            raise h.Missing(f"{folder} is not there")
        h.sagitta("import", "--data", self.data, folder)
        answer = h.sagitta("export", "--data", self.data, "--json", "-o", self.out, "--all", "--dicomdir")
        report = json.loads(answer.out)
        self.assertGreater(report["exported"], 60)
        for failure in report["failure_list"]:
            print("  no record:", failure["reason"])
        from pydicom.fileset import FileSet
        self.assertEqual(report["exported"], len(FileSet(self.out / "DICOMDIR")))


if __name__ == "__main__":
    h.main()
