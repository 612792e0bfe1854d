#!/usr/bin/env python3
"""`sagitta import`: folders, tar and zip files, media, other programs' storage folders; again and after an interruption."""
import gzip
import io
import json
import os
import pathlib
import signal
import subprocess
import struct
import tarfile
import uuid
import zipfile
import zlib

import harness as h


class ImportCase(h.Case):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"
        self.input = self.folder / "in"
        self.input.mkdir()

    def make(self, count=12, folder=None, **options):
        folder = folder or self.input
        folder.mkdir(parents=True, exist_ok=True)
        made = {}
        for n in range(count):
            uid = h.make_instance(folder / f"{n}.dcm", pixels=bytes([n % 251]) * 5001, **{"study": f"2.25.70{n % 3}", **options})
            made[uid] = h.parts_of(folder / f"{n}.dcm").data_set
        return made

    def load(self, *paths, status=0, data=None, options=()):
        answer = h.sagitta("import", "--json", "--data", data or self.data, *options, *paths)
        self.assertEqual(status, answer.status, answer.text)
        return json.loads(answer.out)

    def counts(self, report):
        return tuple(report[name] for name in ("imported", "already_there", "conflicts", "passed_over", "failed"))

    def stored(self, data=None):
        found = {}
        for volume in sorted((data or self.data).glob("volumes/*.tar")):
            with tarfile.open(volume) as tar:
                for member in tar:
                    if member.name.endswith(".dcm"):
                        parts = h.FileParts(tar.extractfile(member).read())
                        found[parts.sop_instance] = parts.data_set
        h.sagitta("verify", "--data", data or self.data, check=0)
        return found


class Folders(ImportCase):
    def test_a_folder_to_its_bottom(self):
        made = self.make(6) | self.make(6, self.input / "a" / "b")
        (self.input / "notes.txt").write_text("not an image")
        (self.input / "empty").write_bytes(b"")
        os.symlink(self.input, self.input / "a" / "loop")
        self.assertEqual((12, 0, 0, 2, 0), self.counts(self.load(self.input)))
        self.assertEqual(made, self.stored())

    def test_again_nothing_is_written(self):
        self.make()
        self.load(self.input)
        size = sum(path.stat().st_size for path in self.data.glob("volumes/*"))
        report = self.load(self.input, self.input / "3.dcm", options=["--threads", 3])
        self.assertEqual((0, 13, 0, 0, 0), self.counts(report))
        self.assertEqual(size, sum(path.stat().st_size for path in self.data.glob("volumes/*")))

    def test_a_node_serves_what_was_imported(self):
        made = self.make()
        node = self.node()
        node.stop()
        self.load(self.input, data=node.data)
        node.start()
        matches = h.findscu(node, "IMAGE", {"StudyInstanceUID": "2.25.700", "SeriesInstanceUID": "", "SOPInstanceUID": ""})
        self.assertEqual(4, len(matches))
        self.assertLessEqual({match.SOPInstanceUID for match in matches}, set(made))

    def test_damaged_files_are_told_with_their_path(self):
        self.make(3)
        whole = (self.input / "1.dcm").read_bytes()
        (self.input / "1.dcm").write_bytes(whole[:-100])
        report = self.load(self.input, self.input / "absent", status=1)
        self.assertEqual((2, 0, 0, 0, 2), self.counts(report))
        self.assertEqual({str(self.input / "1.dcm"), str(self.input / "absent")}, {f["path"] for f in report["failure_list"]})
        self.assertNotIn("Synthetic", json.dumps(report))

    def test_other_content_under_a_stored_uid(self):
        uid = h.new_uid()
        h.make_instance(self.input / "a.dcm", instance=uid, pixels=b"a" * 100)
        h.make_instance(self.input / "b.dcm", instance=uid, pixels=b"b" * 100)
        self.load(self.input / "a.dcm")
        report = self.load(self.input / "b.dcm")
        self.assertEqual((0, 0, 1, 0, 0), self.counts(report))
        self.assertEqual(str(self.input / "b.dcm"), report["conflict_list"][0]["path"])
        self.assertEqual(1, len(list(self.data.glob("quarantine/*.dcm"))))

    def test_data_sets_without_file_meta_information(self):
        made = self.make(4)
        for number, path in enumerate(sorted(self.input.iterdir())):
            parts = h.parts_of(path)
            path.write_bytes(parts.data_set if number % 2 else b"\0" * 128 + b"DICM" + path.read_bytes()[132:])
        self.assertEqual((4, 0, 0, 0, 0), self.counts(self.load(self.input)))
        self.assertEqual(made, self.stored())

    def test_an_archive_inside_the_folder_is_not_eaten(self):
        made = self.make(5)
        self.assertEqual(5, self.load(self.input, data=self.input / "data")["imported"])
        self.assertEqual((0, 5, 0, 0, 0), self.counts(self.load(self.input, data=self.input / "data")))
        self.assertEqual(made, self.stored(self.input / "data"))

    def test_pydicoms_files(self):
        folder = pathlib.Path("/usr/lib/python3/dist-packages/pydicom/data/test_files")
        if not folder.is_dir():
            raise h.Missing(f"{folder} is not there")
        report = self.load(folder, status=1)
        self.assertGreater(report["imported"], 60)
        for failure in report["failure_list"]:
            print("  not taken:", pathlib.Path(failure["path"]).name, failure["reason"])
        self.assertGreater(len(self.stored()), 60)


class Interrupted(ImportCase):
    def test_a_second_run_takes_up_what_is_missing(self):
        made = self.make(2000)
        process = subprocess.Popen([h.SAGITTA, "import", "--json", "--data", self.data, "--threads", "1", self.input],
                                   stdout=subprocess.PIPE)
        h.wait_until(lambda: any(path.stat().st_size for path in self.data.glob("volumes/*.tar")), "the first to be written")
        process.send_signal(signal.SIGINT)
        first = json.loads(process.communicate(timeout=h.PATIENCE)[0])
        self.assertEqual(1 if first["interrupted"] else 0, process.returncode)
        self.assertGreater(first["imported"], 0)
        second = self.load(self.input)
        self.assertEqual((2000 - first["imported"], first["imported"], 0, 0, 0), self.counts(second))
        self.assertEqual(made, self.stored())


class Containers(ImportCase):
    def test_zip_and_tar_files(self):
        made = self.make(9)
        names = sorted(self.input.iterdir())
        with zipfile.ZipFile(self.folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as box:
            for path in names[:3]:
                box.write(path, f"images/{path.name}")
            box.writestr("readme.txt", "nothing to see")
        with tarfile.open(self.folder / "b.tar", "w") as box:
            for path in names[3:6]:
                box.add(path, path.name)
            inner = tarfile.TarInfo("../../outside.dcm")
            inner.size = names[6].stat().st_size
            box.addfile(inner, io.BytesIO(names[6].read_bytes()))
        with tarfile.open(self.folder / "c.tar.gz", "w:gz") as box:
            box.add(names[7], "x")
            box.add(names[8], "y")
        report = self.load(self.folder / "a.zip", self.folder / "b.tar", self.folder / "c.tar.gz")
        self.assertEqual((9, 0, 0, 1, 0), self.counts(report))
        with gzip.open(self.folder / "d.dcm.gz", "wb") as box:
            box.write(names[0].read_bytes())
        self.assertEqual((0, 1, 0, 0, 0), self.counts(self.load(self.folder / "d.dcm.gz")))
        self.assertEqual(made, self.stored())

    def test_a_tar_cut_short_gives_what_it_holds(self):
        for n in range(4):
            h.make_instance(self.input / f"{n}.dcm", pixels=os.urandom(60_000))
        with tarfile.open(self.folder / "b.tgz", "w:gz") as box:
            for path in sorted(self.input.iterdir()):
                box.add(path, path.name)
        whole = (self.folder / "b.tgz").read_bytes()
        (self.folder / "b.tgz").write_bytes(whole[:len(whole) * 3 // 4])
        report = self.load(self.folder / "b.tgz", status=1)
        self.assertGreater(report["imported"], 0)
        self.assertGreater(report["failed"], 0)
        self.stored()

    def test_what_grows_is_bounded(self):
        uid = h.new_uid()
        h.make_instance(self.input / "big.dcm", instance=uid, pixels=b"\0" * (3 << 20))
        with zipfile.ZipFile(self.folder / "big.zip", "w", zipfile.ZIP_DEFLATED) as box:
            box.write(self.input / "big.dcm", "big")
        config = self.folder / "sagitta.toml"
        config.write_text('[limits]\nmax_object = "1MiB"\n')
        report = self.load(self.folder / "big.zip", self.input, status=1, options=["-c", config])
        self.assertEqual((0, 0, 0, 0, 2), self.counts(report))


class Media(ImportCase):
    def medium(self):
        made = self.make(5)
        for path in sorted(self.input.iterdir()):
            path.rename(self.input / f"IM{path.stem}")
        h.need("dcmmkdir")
        h.run("dcmmkdir", "+D", "DICOMDIR", "+r", "+m", "-W", *[f"IM{n}" for n in range(5)], cwd=self.input)
        if not (self.input / "DICOMDIR").exists():
            raise h.Missing("dcmmkdir makes no DICOMDIR of these")
        return made

    def test_the_files_a_dicomdir_names(self):
        made = self.medium()
        h.make_instance(self.input / "UNNAMED")
        self.assertEqual((5, 0, 0, 1, 0), self.counts(self.load(self.input / "DICOMDIR")))
        self.assertEqual(made, self.stored())

    def test_a_missing_file_is_told(self):
        self.medium()
        (self.input / "IM3").unlink()
        for path in (self.input / "DICOMDIR", self.input):
            report = self.load(path, status=1)
            self.assertEqual(1, report["failed"], report)
        self.assertEqual(4, len(self.stored()))


class OtherArchives(ImportCase):
    def test_another_sagitta_gives_what_it_serves(self):
        uid = h.new_uid()
        other = self.folder / "other"
        config = self.folder / "replace.toml"
        config.write_text('[storage]\non_conflict = "replace"\nvolume_size = "64KiB"\n')
        made = self.make(40)
        h.make_instance(self.folder / "old.dcm", instance=uid, pixels=b"old" * 100)
        h.make_instance(self.folder / "new.dcm", instance=uid, pixels=b"new" * 100)
        for path in (self.folder / "old.dcm", self.input, self.folder / "new.dcm"):
            self.load(path, data=other, options=["-c", config])
        made[uid] = h.parts_of(self.folder / "new.dcm").data_set
        self.assertGreater(len(list(other.glob("volumes/*.tar"))), 3)
        before = {path: path.read_bytes() for path in other.glob("volumes/*")}
        self.assertEqual((41, 0, 0, 0, 0), self.counts(self.load(other)))
        self.assertEqual(made, self.stored())
        self.assertEqual(before, {path: path.read_bytes() for path in other.glob("volumes/*")})

    def test_another_sagitta_of_files(self):
        uid = h.new_uid()
        other = self.folder / "other"
        config = self.folder / "files.toml"
        config.write_text('[storage]\nlayout = "files"\n')
        made = self.make(7)
        h.make_instance(self.input / "old.dcm", instance=uid, pixels=b"old" * 100)
        h.make_instance(self.folder / "new.dcm", instance=uid, pixels=b"new" * 100)
        made[uid] = h.parts_of(self.input / "old.dcm").data_set
        self.load(self.input, data=other, options=["-c", config])
        self.assertEqual(1, self.load(self.folder / "new.dcm", data=other, options=["-c", config])["conflicts"])
        self.assertEqual(made, {h.parts_of(path).sop_instance: h.parts_of(path).data_set for path in h.files_below(other / "files")})
        self.assertEqual((8, 0, 0, 0, 0), self.counts(self.load(other)))
        self.assertEqual(made, self.stored())
        h.sagitta("verify", "--data", other, check=0)
        h.sagitta("import", "--data", other, self.input, check=1)

    def test_damage_in_another_sagitta_is_told_and_a_torn_end_is_not(self):
        other = self.folder / "other"
        self.make(10)
        self.load(self.input, data=other)
        volume, = other.glob("volumes/*.tar")
        bytes_there = bytearray(volume.read_bytes())
        volume.write_bytes(bytes_there[:-2000])
        report = self.load(other)
        self.assertEqual((9, 0, 0, 0, 0), self.counts(report))
        bytes_there[3000] ^= 1
        volume.write_bytes(bytes_there)
        report = self.load(other, status=1)
        self.assertEqual((1, 8, 0, 0, 1), self.counts(report))

    def test_an_orthanc_folder_by_its_form(self):
        made = self.make(6)
        store = self.folder / "orthanc"
        for number, path in enumerate(sorted(self.input.iterdir())):
            data = path.read_bytes()
            for content in (data, b'{"0008,0018":"x"}'):
                if number % 2:
                    content = struct.pack("<Q", len(content)) + zlib.compress(content)
                name = str(uuid.uuid4())
                target = store / name[:2] / name[2:4] / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        self.assertEqual((6, 0, 0, 6, 0), self.counts(self.load(store)))
        self.assertEqual(made, self.stored())

    def orthanc(self, compressed):
        made = self.make(8)
        if not pathlib.Path("/usr/sbin/Orthanc").exists():
            raise h.Missing("Orthanc is not installed")
        store = self.folder / "orthanc"
        port = h.free_port()
        config = self.folder / "orthanc.json"
        config.write_text(json.dumps({
            "StorageDirectory": str(store), "IndexDirectory": str(store), "StorageCompression": compressed,
            "DicomPort": port, "HttpPort": h.free_port(), "DicomServerEnabled": True, "HttpServerEnabled": False,
            "DicomCheckCalledAet": False, "DicomAlwaysAllowStore": True, "Plugins": []}))
        process = h.Process(["/usr/sbin/Orthanc", str(config)], self.folder / "orthanc.log")
        try:
            h.wait_for_port(process, port)
            h.sagitta("store", f"ORTHANC@127.0.0.1:{port}", self.input, check=0)
        finally:
            process.stop()
        report = self.load(store)
        self.assertEqual((8, 0, 0, 0), (report["imported"], report["already_there"], report["conflicts"], report["failed"]))
        self.assertGreater(report["passed_over"], 0)
        self.assertEqual(made, self.stored())

    def test_a_real_orthanc(self):
        self.orthanc(False)

    def test_a_real_orthanc_that_compresses(self):
        self.orthanc(True)

    def test_a_dcmqrscp_folder(self):
        made = self.make(5)
        with h.DcmQrScp(self.folder) as peer:
            h.sagitta("store", peer.address, self.input, check=0)
        report = self.load(peer.store)
        self.assertEqual((5, 0, 0, 0), (report["imported"], report["already_there"], report["conflicts"], report["failed"]))
        self.assertEqual(set(made), set(self.stored()))


if __name__ == "__main__":
    h.main()
