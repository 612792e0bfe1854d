"""SOP Class Extended Negotiation of Query/Retrieve (PS3.4 C.5) in raw PDUs: DCMTK's tools cannot ask for it."""

from harness import Case, explicit, main, make_instance, new_uid, sagitta
from raw_dicom import EXPLICIT, STUDY_FIND, STUDY_MOVE, Association, extended

import pydicom.dataset
import pydicom.filebase
import pydicom.filereader

RELATIONAL, DATE_TIME, FUZZY, EMPTY = 0, 1, 2, 5


def asking(*bytes_):
    information = [0] * 7
    for at in bytes_:
        information[at] = 1
    return {"contexts": ((STUDY_FIND, (EXPLICIT,)),), "user": extended(STUDY_FIND, information)}


def identifier(level, *elements):
    """elements: (group, element, vr, value), in order of tags."""
    elements = [(8, 5, "CS", "ISO_IR 192"), (8, 0x52, "CS", level), *elements]
    return b"".join(explicit(*element) for element in sorted(elements))


def names(matches):
    found = []
    for data in matches:
        source = pydicom.filebase.DicomBytesIO(data)
        source.is_little_endian, source.is_implicit_VR = True, False
        found.append(str(pydicom.filereader.read_dataset(source, False, True).get("PatientName", "")))
    return sorted(found)


class Queries(Case):
    def setUp(self):
        super().setUp()
        self.started = self.node()
        self.series = {}
        for name, date, time, accession in (("Doe^John", "20240101", "2330", "A1"),
                                            ("Müller^Anna", "20240102", "0600", ""),
                                            ("Smith^Jane", "20240103", "1300", "A3")):
            self.series[name] = new_uid()
            make_instance(self.folder / "one.dcm", name=name, patient=f"ID-{name[:3]}", series=self.series[name],
                          more=((8, 0x20, "DA", date), (8, 0x30, "TM", time), (8, 0x50, "SH", accession)))
            sagitta("store", self.started.address, self.folder / "one.dcm", check=0)

    def ask(self, options, level, *elements):
        with Association(self.started.port, **options) as association:
            status, matches = association.find(STUDY_FIND, identifier(level, (0x10, 0x10, "PN", ""), *elements)
                                               if not any(e[:2] == (0x10, 0x10) for e in elements)
                                               else identifier(level, *elements))
            association.release()
            return status, names(matches)

    def test_the_answer_says_what_is_done(self):
        with Association(self.started.port, **{**asking(), "user": extended(STUDY_FIND, [1] * 9)}) as association:
            self.assertEqual(association.extended_answers(), {STUDY_FIND: (1, 1, 1, 0, 0, 1, 1)})
        with Association(self.started.port, contexts=((STUDY_MOVE, (EXPLICIT,)),),
                         user=extended(STUDY_MOVE, [1])) as association:
            self.assertEqual(association.extended_answers(), {STUDY_MOVE: (1,)})
        with Association(self.started.port, contexts=((STUDY_FIND, (EXPLICIT,)),)) as association:
            self.assertEqual(association.extended_answers(), {})

    def test_relational(self):
        key = (0x20, 0xe, "UI", self.series["Smith^Jane"])
        self.assertEqual(self.ask(asking(), "SERIES", key), (0xa900, []))
        self.assertEqual(self.ask(asking(RELATIONAL), "SERIES", key), (0, ["Smith^Jane"]))
        self.assertEqual(self.ask(asking(RELATIONAL), "SERIES", (0x10, 0x20, "LO", "ID-D*")), (0, ["Doe^John"]))

    def test_date_and_time(self):
        keys = (8, 0x20, "DA", "20240101-20240103"), (8, 0x30, "TM", "2300-1200")
        self.assertEqual(self.ask(asking(), "STUDY", *keys), (0, []))
        self.assertEqual(self.ask(asking(DATE_TIME), "STUDY", *keys), (0, ["Doe^John", "Müller^Anna"]))

    def test_fuzzy_names(self):
        self.assertEqual(self.ask(asking(), "STUDY", (0x10, 0x10, "PN", "john doe")), (0, []))
        for key, name in (("john doe", "Doe^John"), ("anna", "Müller^Anna"), ("Mueller", "Müller^Anna"),
                          ("Smyth", "Smith^Jane")):
            self.assertEqual(self.ask(asking(FUZZY), "STUDY", (0x10, 0x10, "PN", key)), (0, [name]), key)

    def test_empty_values(self):
        self.assertEqual(self.ask(asking(), "STUDY", (8, 0x50, "SH", '""')), (0, []))
        self.assertEqual(self.ask(asking(EMPTY), "STUDY", (8, 0x50, "SH", '""')), (0, ["Müller^Anna"]))


class Configured(Case):
    def test_always_and_never(self):
        node = self.node(settings=("query.fuzzy_names=always", "query.relational=never"))
        make_instance(self.folder / "one.dcm", name="Doe^John")
        sagitta("store", node.address, self.folder / "one.dcm", check=0)
        with Association(node.port, contexts=((STUDY_FIND, (EXPLICIT,)),)) as association:
            status, matches = association.find(STUDY_FIND, identifier("STUDY", (0x10, 0x10, "PN", "john")))
            self.assertEqual((status, names(matches)), (0, ["Doe^John"]))
        with Association(node.port, **asking(RELATIONAL, FUZZY)) as association:
            self.assertEqual(association.extended_answers(), {STUDY_FIND: (0, 0, 1, 0, 0, 0, 0)})
            self.assertEqual(association.find(STUDY_FIND, identifier("SERIES")), (0xa900, []))


if __name__ == "__main__":
    main()
