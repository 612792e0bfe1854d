#!/usr/bin/env python3
"""Orthanc as remote modality, both ways: its SCU (driven by REST) against our node, our commands against its SCP."""
import json

import harness as h

LEVELS = {"Patient": "PatientID", "Study": "StudyInstanceUID", "Series": "SeriesInstanceUID", "Instance": "SOPInstanceUID"}


class Made(h.OrthancCase):
    """Two studies of one patient, two series each, two instances in each series."""

    def setUp(self):
        super().setUp()
        source = self.folder / "in"
        source.mkdir()
        self.files = {}
        for n in range(8):
            path = source / f"{n}.dcm"
            uid = h.make_instance(path, study=f"2.25.50{n // 4}", series=f"2.25.50{n // 4}.{n // 2 % 2}", pixels=bytes([n]) * 5000)
            self.files[uid] = path

    def same_bytes(self, paths, uids):
        back = h.by_instance(paths)
        self.assertEqual(sorted(uids), sorted(back))
        for uid, parts in back.items():
            self.assertEqual(h.parts_of(self.files[uid]).data_set, parts.data_set)


class Scu(Made):
    """Orthanc asks, stores and fetches."""

    def setUp(self):
        super().setUp()
        self.node_ = self.node(peers=[f"ORTHANC@127.0.0.1:{self.dicom}"])
        self.orthanc(self.node_.port)

    def answers(self, level, query):
        path = self.rest("/modalities/sagitta/query", {"Level": level, "Query": query})["Path"]
        found = []
        for number in self.rest(f"{path}/answers"):
            found.append({tag["Name"]: tag["Value"] for tag in self.rest(f"{path}/answers/{number}/content").values()})
        return path, found

    def test_echo(self):
        self.assertEqual({}, self.rest("/modalities/sagitta/echo", {}))

    def test_store_keeps_the_bytes(self):
        ids = [self.rest("/instances", path.read_bytes())["ID"] for path in self.files.values()]
        done = self.rest("/modalities/sagitta/store", ids)
        self.assertEqual((8, 0), (done["InstancesCount"], done["FailedInstancesCount"]))
        out = self.folder / "out"
        for study in ("2.25.500", "2.25.501"):
            h.sagitta("get", self.node_.address, "-k", f"StudyInstanceUID={study}", "-o", out, check=0)
        self.same_bytes(h.files_below(out), self.files)

    def test_query_at_every_level(self):
        h.sagitta("store", self.node_.address, self.folder / "in", check=0)
        keys = {"PatientID": "P1", "StudyInstanceUID": "", "SeriesInstanceUID": "", "SOPInstanceUID": ""}
        for level, expected in (("Patient", {"P1"}), ("Study", {"2.25.500", "2.25.501"}),
                                ("Series", {"2.25.501.0", "2.25.501.1"}), ("Instance", set(list(self.files)[6:]))):
            with self.subTest(level=level):
                query = {key: value for key, value in list(keys.items())[:list(LEVELS).index(level) + 1]}
                if level in ("Series", "Instance"):
                    query["StudyInstanceUID"] = "2.25.501"
                if level == "Instance":
                    query["SeriesInstanceUID"] = "2.25.501.1"
                _, found = self.answers(level, query)
                self.assertEqual(expected, {match[LEVELS[level]] for match in found})

    def test_retrieve(self):
        h.sagitta("store", self.node_.address, self.folder / "in", check=0)
        path, found = self.answers("Study", {"StudyInstanceUID": "2.25.501"})
        self.assertEqual(1, len(found))
        self.rest(f"{path}/retrieve", b"ORTHANC")
        self.assertEqual(4, len(self.rest("/instances")))

    def test_query_of_nothing(self):
        _, found = self.answers("Study", {"PatientID": "NOBODY"})
        self.assertEqual([], found)


class Scp(Made):
    """Our commands ask, store and fetch."""

    def setUp(self):
        super().setUp()
        self.node_ = self.node()
        self.orthanc(self.node_.port)
        self.address = f"ORTHANC@127.0.0.1:{self.dicom}"

    def test_echo_and_store(self):
        h.sagitta("echo", self.address, check=0)
        h.sagitta("store", self.address, "-j", 2, self.folder / "in", check=0)
        self.assertEqual(8, len(self.rest("/instances")))

    def test_find_at_every_level(self):
        h.sagitta("store", self.address, self.folder / "in", check=0)
        for level, keys, tag, expected in (
                ("patient", ["PatientID"], "00100020", ["P1"]),
                ("study", ["PatientID=P1", "StudyInstanceUID"], "0020000D", ["2.25.500", "2.25.501"]),
                ("series", ["StudyInstanceUID=2.25.501", "SeriesInstanceUID"], "0020000E", ["2.25.501.0", "2.25.501.1"]),
                ("image", ["StudyInstanceUID=2.25.501", "SeriesInstanceUID=2.25.501.1", "SOPInstanceUID"], "00080018",
                 sorted(list(self.files)[6:]))):
            with self.subTest(level=level):
                words = [word for key in keys for word in ("-k", key)]
                model = ["--model", "patient"] if level == "patient" else []
                answer = h.sagitta("find", self.address, "--level", level, "--json", *model, *words, check=0)
                self.assertEqual(expected, sorted(match[tag]["Value"][0] for match in json.loads(answer.out)))

    def test_get_and_move(self):
        h.sagitta("store", self.address, self.folder / "in", check=0)
        out = self.folder / "out"
        h.sagitta("get", self.address, "-k", "StudyInstanceUID=2.25.501", "-o", out, check=0)
        self.same_bytes(h.files_below(out), list(self.files)[4:])
        h.sagitta("move", self.address, "--to", "SAGITTA", "-k", "StudyInstanceUID=2.25.500", check=0)
        found = h.findscu(self.node_, "IMAGE", {"StudyInstanceUID": "2.25.500", "SeriesInstanceUID": "", "SOPInstanceUID": ""})
        self.assertEqual(sorted(list(self.files)[:4]), h.texts(found, "SOPInstanceUID"))


if __name__ == "__main__":
    h.main()
