#!/usr/bin/env python3
"""DCMTK's tools as clients of a Sagitta node."""
import pathlib
import shutil

import harness as h

# One file per transfer syntax of the shared corpus that storescu can propose.
STORESCU_FILES = {
    "1.2.840.10008.1.2": ("-xi",), "1.2.840.10008.1.2.1": ("-xe",), "1.2.840.10008.1.2.2": ("-xb",),
    "1.2.840.10008.1.2.4.50": ("-xy",), "1.2.840.10008.1.2.4.51": ("-xx",), "1.2.840.10008.1.2.4.70": ("-xs",),
    "1.2.840.10008.1.2.4.90": ("-xv",), "1.2.840.10008.1.2.4.91": ("-xw",), "1.2.840.10008.1.2.4.80": ("-xt",),
    "1.2.840.10008.1.2.4.81": ("-xu",), "1.2.840.10008.1.2.5": ("-xr",),
}


def corpus_by_syntax(per_syntax=1):
    """Files that storescu sends as they are, of different instances: transfer syntax → paths."""
    found, seen = {}, set()
    folder = h.shared("codecs")
    for path in sorted(folder.iterdir(), key=lambda p: (p.stat().st_size, p.name)):
        try:
            parts = h.parts_of(path)
        except (ValueError, IndexError):
            continue
        files = found.setdefault(parts.transfer_syntax, [])
        if len(files) < per_syntax and parts.sop_class and parts.sop_instance and len(parts.data_set) > 500:
            uid = h.instance_keys(path)[-1]
            if uid not in seen and h.run("dcmdump", "-q", path).status == 0:
                seen.add(uid)
                files.append(path)
    return found


class Echo(h.Case):
    def test_echo(self):
        node = self.node()
        h.run("echoscu", "-aec", "SAGITTA", "--repeat", 3, "127.0.0.1", node.port, check=0)

    def test_all_transfer_syntaxes_proposed(self):
        node = self.node()
        h.run("echoscu", "-aec", "SAGITTA", "-pts", 38, "127.0.0.1", node.port, check=0)

    def test_many_presentation_contexts(self):
        node = self.node()
        h.run("echoscu", "-aec", "SAGITTA", "-ppc", 128, "127.0.0.1", node.port, check=0)

    def test_unknown_called_ae_title_is_rejected_permanently(self):
        node = self.node()
        answer = h.run("echoscu", "-v", "-aec", "NOBODY", "127.0.0.1", node.port)
        self.assertNotEqual(0, answer.status)
        self.assertIn("Called AE Title Not Recognized", answer.text)
        self.assertIn("Rejected Permanent", answer.text)

    def test_abort_after_negotiation_leaves_the_node_well(self):
        node = self.node()
        h.run("echoscu", "-aec", "SAGITTA", "--abort", "127.0.0.1", node.port)
        h.run("echoscu", "-aec", "SAGITTA", "127.0.0.1", node.port, check=0)

    def test_termscu_does_not_end_the_node(self):
        h.need("termscu")
        node = self.node()
        h.run("termscu", "-aec", "SAGITTA", "127.0.0.1", node.port)
        h.run("echoscu", "-aec", "SAGITTA", "127.0.0.1", node.port, check=0)


class Store(h.Case):
    def test_storescu_keeps_the_bytes_in_every_transfer_syntax(self):
        h.need("storescu", "dcmdump", "getscu")
        files = corpus_by_syntax()
        node = self.node()
        sent = []
        for syntax, options in STORESCU_FILES.items():
            for path in files.get(syntax, []):
                h.run("storescu", "-aec", "SAGITTA", *options, "127.0.0.1", node.port, path, check=0)
                sent.append(path)
        self.assertGreaterEqual(len(sent), 9)
        out = self.folder / "out"
        for path in sent:
            parts = h.parts_of(path)
            shutil.rmtree(out, ignore_errors=True)
            h.sagitta("get", node.address, *h.instance_keys(path), "-o", out, check=0)
            back = h.by_instance(h.files_below(out))
            copy, = back.values()
            self.compare(path, parts, copy)

    def compare(self, path, parts, back):
        """storescu encodes again what it reads, so lengths may differ: compare as DCMTK reads them."""
        self.assertEqual(parts.transfer_syntax, back.transfer_syntax, path.name)
        copy = self.folder / "copy.dcm"
        copy.write_bytes(h.make_file(back.data_set, back.sop_class, back.sop_instance, back.transfer_syntax))
        self.assertEqual(dump(path), dump(copy), path.name)

    def test_a_profile_proposing_every_storage_sop_class(self):
        h.need("storescu", h.DCMTK_CONFIG, "dcmdump")
        # Its compressed contexts differ by SOP class, and storescu cannot decompress.
        named = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
        files = [path for syntax, paths in corpus_by_syntax(8).items() if syntax in named for path in paths
                 if h.parts_of(path).sop_class in h.COMMON_CLASSES]
        self.assertGreater(len(files), 3)
        node = self.node()
        answer = h.run("storescu", "-v", "-xf", h.DCMTK_CONFIG, "Default", "-aec", "SAGITTA", "127.0.0.1",
                       node.port, *files)
        self.assertEqual(0, answer.status, answer.text[-2000:])

    def test_dcmsend_a_folder(self):
        h.need("dcmsend")
        folder = h.shared("series/mr16")
        node = self.node()
        h.run("dcmsend", "-aec", "SAGITTA", "+sd", "+r", "127.0.0.1", node.port, folder, check=0)
        matches = h.findscu(node, "STUDY", {"StudyInstanceUID": "", "NumberOfStudyRelatedInstances": ""})
        self.assertEqual(["16"], h.texts(matches, "NumberOfStudyRelatedInstances"))

    def test_the_same_again_is_success_and_one_instance(self):
        node = self.node()
        h.make_instance(self.folder / "a.dcm")
        for _ in range(2):
            h.run("storescu", "-aec", "SAGITTA", "127.0.0.1", node.port, self.folder / "a.dcm", check=0)
        matches = h.findscu(node, "STUDY", {"StudyInstanceUID": "", "NumberOfStudyRelatedInstances": ""})
        self.assertEqual(["1"], h.texts(matches, "NumberOfStudyRelatedInstances"))

    def test_sixteen_associations_at_once(self):
        node = self.node()
        folder = self.folder / "many"
        folder.mkdir()
        uids = [h.make_instance(folder / f"{n}.dcm", study="2.25.7", series="2.25.8") for n in range(48)]
        started = [h.Process(["storescu", "-aec", "SAGITTA", "127.0.0.1", node.port,
                              *[folder / f"{n}.dcm" for n in range(k, 48, 16)]], self.folder / f"s{k}.log")
                   for k in range(16)]
        for process in started:
            self.assertEqual(0, process.process.wait(h.PATIENCE), process.log_text())
        found = h.findscu(node, "IMAGE", {"StudyInstanceUID": "2.25.7", "SeriesInstanceUID": "2.25.8", "SOPInstanceUID": ""})
        self.assertEqual(sorted(uids), h.texts(found, "SOPInstanceUID"))


def dump(path):
    """What dcmdump sees of the data set, lengths, meta information and trailing padding left out."""
    output = h.run("dcmdump", "-q", "+L", path)
    lines = []
    for line in output.out.decode("latin-1").split("\n"):
        words = line.strip()
        if words.startswith("(") and not words.startswith(("(0002", "(fffe,e00d", "(fffe,e0dd", "(fffc,fffc")) and ",0000)" not in words[:12]:
            text = words.rsplit("#", 1)[0].replace("explicit length", "").replace("undefined length", "")
            lines.append(" ".join(text.split()))
    return lines


class Find(h.Case):
    """All four levels, both models, every kind of matching."""

    def setUp(self):
        super().setUp()
        self.node_ = self.node()
        folder = self.folder / "in"
        folder.mkdir()
        self.uids = {}
        for patient, name, studies in (("A-1", "Müller^Jürgen", 2), ("A-2", "山田^太郎", 1), ("B-1", "Doe^Jane", 1)):
            for study in range(studies):
                study_uid = f"2.25.{ord(patient[0])}{patient[2]}{study}"
                for series, modality in enumerate(("CT", "SR")):
                    for image in range(2):
                        path = folder / f"{patient}{study}{series}{image}.dcm"
                        uid = h.make_instance(
                            path, study=study_uid, series=f"{study_uid}.{series}", patient=patient, name=name,
                            more=[(8, 0x20, "DA", f"202{study}0615"), (8, 0x60, "CS", modality),
                                  (0x20, 0x11, "IS", str(series + 1)), (0x20, 0x13, "IS", str(image + 1)),
                                  (8, 0x1030, "LO", f"Étude {study}")])
                        self.uids[(patient, study, series, image)] = uid
        h.need("dcmsend")
        h.run("dcmsend", "-aec", "SAGITTA", "+sd", "127.0.0.1", self.node_.port, folder, check=0)

    def find(self, level, keys, **options):
        keys = {"SpecificCharacterSet": "ISO_IR 192", **keys}
        return h.findscu(self.node_, level, keys, **options)

    def count(self, expected, level, keys, **options):
        self.assertEqual(expected, len(self.find(level, keys, **options)), f"{level} {keys} {options}")

    def test_levels_and_models(self):
        study = {"StudyInstanceUID": "2.25.6510"}
        for model in ("-S", "-P"):
            higher = {"PatientID": "A-1"} if model == "-P" else {}
            self.count(2, "STUDY", {**higher, "StudyInstanceUID": "", "PatientID": "A-1"}, model=model)
            self.count(2, "SERIES", {**higher, **study, "SeriesInstanceUID": "", "Modality": ""}, model=model)
            self.count(1, "SERIES", {**higher, **study, "SeriesInstanceUID": "", "Modality": "SR"}, model=model)
            self.count(2, "IMAGE", {**higher, **study, "SeriesInstanceUID": "2.25.6510.0", "SOPInstanceUID": ""}, model=model)
        self.count(3, "PATIENT", {"PatientID": "", "PatientName": ""}, model="-P")

    def test_matching(self):
        self.count(4, "STUDY", {"StudyInstanceUID": "", "PatientName": "*"})
        self.count(4, "STUDY", {"StudyInstanceUID": "", "PatientName": ""})
        self.count(3, "STUDY", {"StudyInstanceUID": "", "PatientID": "A-?"})
        self.count(1, "STUDY", {"StudyInstanceUID": "", "PatientName": "doe*"})
        self.count(1, "STUDY", {"StudyInstanceUID": "", "PatientName": "山田*"})
        self.count(1, "STUDY", {"StudyInstanceUID": "", "StudyDate": "20210101-"})
        self.count(3, "STUDY", {"StudyInstanceUID": "", "StudyDate": "-20201231"})
        self.count(4, "STUDY", {"StudyInstanceUID": "", "StudyDate": "20200615-20210615"})
        self.count(3, "STUDY", {"StudyInstanceUID": "", "StudyDate": "20200615"})
        self.count(2, "STUDY", {"StudyInstanceUID": "2.25.6510\\2.25.6610"})
        self.count(0, "STUDY", {"StudyInstanceUID": "", "PatientID": "C"})
        self.count(4, "STUDY", {"StudyInstanceUID": "", "ModalitiesInStudy": "SR"})
        self.count(0, "STUDY", {"StudyInstanceUID": "", "ModalitiesInStudy": "MR"})

    def test_counts_and_modalities(self):
        study, = self.find("STUDY", {"StudyInstanceUID": "2.25.6510", "ModalitiesInStudy": "", "PatientName": "",
                                     "NumberOfStudyRelatedSeries": "", "NumberOfStudyRelatedInstances": "",
                                     "StudyDescription": ""})
        self.assertEqual(["CT", "SR"], sorted(study.ModalitiesInStudy))
        self.assertEqual((2, 4), (study.NumberOfStudyRelatedSeries, study.NumberOfStudyRelatedInstances))
        self.assertEqual("Étude 0", study.StudyDescription)
        self.assertEqual("Müller^Jürgen", str(study.PatientName))
        self.assertEqual("2.25.6510", study.StudyInstanceUID)
        series, = self.find("SERIES", {"StudyInstanceUID": "2.25.6510", "SeriesInstanceUID": "2.25.6510.1",
                                       "NumberOfSeriesRelatedInstances": ""})
        self.assertEqual(2, series.NumberOfSeriesRelatedInstances)
        patient, = self.find("PATIENT", {"PatientID": "A-1", "NumberOfPatientRelatedStudies": "",
                                         "NumberOfPatientRelatedSeries": "", "NumberOfPatientRelatedInstances": ""}, model="-P")
        self.assertEqual((2, 4, 8), (patient.NumberOfPatientRelatedStudies, patient.NumberOfPatientRelatedSeries,
                                     patient.NumberOfPatientRelatedInstances))

    def test_names_come_back_in_their_script(self):
        names = h.texts(self.find("PATIENT", {"PatientID": "", "PatientName": ""}, model="-P"), "PatientName")
        self.assertEqual(sorted(["Doe^Jane", "Müller^Jürgen", "山田^太郎"]), names)

    def test_a_query_in_latin_1_matches_names_in_utf_8(self):
        key = b"PatientName=M\xfcller*"
        with h.temporary_folder() as out:
            h.run("findscu", "-S", "-aec", "SAGITTA", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID",
                        "-k", "SpecificCharacterSet=ISO_IR 100", "-k", key, "-X", "-od", out, "127.0.0.1",
                        str(self.node_.port))
            self.assertEqual(2, len(list(pathlib.Path(out).iterdir())))

    def test_cancel(self):
        answer = h.run("findscu", "-v", "-S", "-aec", "SAGITTA", "--cancel", 1, "-k", "QueryRetrieveLevel=STUDY", "-k",
                       "StudyInstanceUID", "127.0.0.1", self.node_.port, check=0)
        self.assertRegex(answer.text, r"Cancel|Success")
        h.run("echoscu", "-aec", "SAGITTA", "127.0.0.1", self.node_.port, check=0)

    def test_a_level_without_its_higher_unique_key_is_refused(self):
        answer = h.run("findscu", "-v", "-d", "-P", "-aec", "SAGITTA", "-k", "QueryRetrieveLevel=NONSENSE", "-k",
                       "PatientID", "127.0.0.1", self.node_.port)
        self.assertRegex(answer.text, r"(?i)0xa900|IdentifierDoesNotMatchSOPClass|Identifier does not match")

    def test_no_level_is_refused(self):
        answer = h.run("findscu", "-v", "-d", "-S", "-aec", "SAGITTA", "-k", "StudyInstanceUID", "127.0.0.1", self.node_.port)
        self.assertRegex(answer.text, r"(?i)0xa900|Identifier does not match|0xc0")


class QueryCorpus(h.Case):
    """Every query of the shared set, with its expected answers."""

    def test_every_query(self):
        import json
        h.need("dcmsend", "findscu")
        folder = h.shared("series/qr")
        queries = json.loads((folder / "queries.json").read_text())["queries"]
        node = self.node()
        h.run("dcmsend", "-aec", "SAGITTA", "+sd", "+r", "+sp", "*.dcm", "127.0.0.1", node.port, folder, check=0)
        for query in queries:
            level = query["level"]
            key = h.UNIQUE[level]
            expected = query["expected_" + key]
            keys = {"SpecificCharacterSet": "ISO_IR 192"}
            for higher in h.HIGHER[level]:
                keys[higher] = ""
            keys[key] = ""
            keys.update(query["keys"])
            with self.subTest(level=level, keys=query["keys"]):
                matches = h.findscu(node, level, keys, model="-P" if level == "PATIENT" else "-S")
                self.assertEqual(sorted(expected), h.texts(matches, key))


if __name__ == "__main__":
    h.main()
