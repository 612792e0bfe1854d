#!/usr/bin/env python3
"""Objects and identifiers that are hostile: the statuses of PS3.4 Annexes B and C, and the node goes on."""
import struct
import zlib

import hostile
from hostile import ALL_ACCEPTED, ANSWER, CONTEXTS, ECHO, ECHOED, RELEASE, RELEASED, STUDY_GET, associated, echo, h, message, raw
from dimse_test import FIND, MOVE, element, good, store_rq

DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
GET = [(2, "UI", STUDY_GET), (0x100, "US", 0x10), (0x110, "US", 1), (0x700, "US", 0), (0x800, "US", 0)]


def text(group, number, value):
    value = value if isinstance(value, bytes) else value.encode()
    return element(group, number, value + b" " * (len(value) % 2))


def level(name):
    return text(8, 0x52, name)


def keys(*more, at="STUDY"):
    """An identifier in Implicit VR Little Endian."""
    return b"".join(sorted([level(at), *more], key=lambda one: struct.unpack_from("<HH", one)))


def fragments(context, data):
    cut = [raw.pdu(4, raw.pdv(context, 0, data[at:at + 200000])) for at in range(0, len(data), 200000)]
    return b"".join(cut) + raw.pdu(4, raw.pdv(context, 2, b""))


def find(identifier, status="0000"):
    return good(message(5, FIND) + fragments(5, identifier), ANSWER, said=f"C-FIND-RSP {status}")


def finds(identifier):
    """The one study there is."""
    return good(message(5, FIND, identifier), ANSWER, ANSWER, said="C-FIND-RSP FF00 +, C-FIND-RSP 0000")


def move(identifier, status, destination="NOBODY"):
    command = [one for one in MOVE if one[0] != 0x600] + [(0x600, "AE", destination)]
    return good(message(7, command, identifier), ANSWER, said=f"C-MOVE-RSP {status}")


def get(identifier, status):
    return good(message(9, GET, identifier), ANSWER, said=f"C-GET-RSP {status}")


def sequence(depth, number=0x1115, explicit=False):
    """A sequence in a sequence in a sequence, none of them with an end."""
    head = struct.pack("<HH2sHI", 8, number, b"SQ", 0, 0xffffffff) if explicit else struct.pack("<HHI", 8, number, 0xffffffff)
    return (head + struct.pack("<HHI", 0xfffe, 0xe000, 0xffffffff)) * depth


def closed(depth):
    return sequence(depth) + struct.pack("<HHIHHI", 0xfffe, 0xe00d, 0, 0xfffe, 0xe0dd, 0) * depth


UID_LIST = "\\".join(f"2.25.{n}" for n in range(10000))
BOMB = "*?" * 30 + "*"
NAME, PATIENT_ID, STUDY, DATE = (0x10, 0x10), (0x10, 0x20), (0x20, 0xd), (8, 0x20)

FINDS = [
    ("an empty identifier", *find(b"", "A900")),
    ("a level alone", *finds(keys())),
    ("no level", *find(text(0x20, 0xd, ""), "A900")),
    ("an unknown level", *find(keys(at="GALAXY"), "A900")),
    ("the patient level of the study root", *find(keys(at="PATIENT"), "A900")),
    ("two levels", *find(keys(at="STUDY\\SERIES"), "A900")),
    ("a level of control characters", *find(keys(at="\x1b[2J\n"), "A900")),
    ("an identifier of noise", *find(bytes(range(256)) * 8, "C000")),
    ("an identifier of FF", *find(b"\xff" * 4096, "C000")),
    ("an identifier of NULs", *find(b"\0" * 4096, "A900")),
    ("an identifier cut short in a header", *find(keys() + b"\x20\0\x0d", "C000")),
    ("an identifier cut short in a value", *find(keys(text(0x20, 0xd, "2.25.1"))[:-3], "C000")),
    ("an element of four gigabytes", *find(keys() + struct.pack("<HHI", 0x20, 0xd, 0xfffffff0), "C000")),
    ("a sequence without end", *find(keys() + sequence(1), "C000")),
    ("sequences 1,000 deep without end", *find(keys() + sequence(1000), "A700")),
    ("sequences 1,000 deep", *find(keys() + closed(1000), "A700")),
    ("sequences 100,000 deep", *find(keys() + sequence(100000), "A700")),
    ("an identifier of 20 MB", *find(b"\0" * (20 << 20), "A700")),
    ("200,000 elements", *find(b"".join(element(9, n % 65536, b"") for n in range(200000)), "A700")),
    ("the same key twice", *find(keys(text(*PATIENT_ID, "A"), text(*PATIENT_ID, "B")))),
    ("a wildcard bomb for a name", *find(keys(text(*NAME, BOMB)))),
    ("a wildcard bomb for an id", *find(keys(text(*PATIENT_ID, BOMB + "x")))),
    ("60,000 stars", *finds(keys(text(*NAME, "*" * 60000)))),
    ("60,000 question marks", *find(keys(text(*NAME, "?" * 60000)), "A900")),
    ("a wildcard bomb for an attribute of the header", *find(keys(text(0x10, 0x21b0, BOMB + "x")))),
    *[(f"SQL in {group:04X},{number:04X}", *find(keys(text(group, number, "' OR 1=1; DROP TABLE instance;--"))))
      for group, number in ((8, 0x50), (8, 0x90), (8, 0x1030), NAME, PATIENT_ID, (0x10, 0x40), (0x20, 0x10))],
    *[(f"SQL in {group:04X},{number:04X}, which has a format", *find(keys(text(group, number, "' OR 1=1;--")), status))
      for (group, number), status in (((8, 0x20), "A900"), ((8, 0x30), "A900"), (STUDY, "A900"))],
    ("10,000 UIDs", *finds(keys(text(*STUDY, UID_LIST)))),
    ("10,000 empty UIDs", *finds(keys(text(*STUDY, "\\" * 10000)))),
    ("a UID that is a path", *find(keys(text(*STUDY, "../../etc")), "A900")),
    ("a UID of 65 characters", *find(keys(text(*STUDY, "1." + "2" * 63)), "A900")),
    ("a date that is none", *find(keys(text(*DATE, "20240231")))),
    ("a date range with ends in the wrong order", *find(keys(text(*DATE, "20241231-20240101")))),
    ("a date of hyphens", *find(keys(text(*DATE, "-" * 100)), "A900")),
    ("an unknown character set", *find(keys(text(8, 5, "ISO_IR 99999"), text(*NAME, b"\xff\xfe\xc3\x28")))),
    ("broken UTF-8", *find(keys(text(8, 5, "ISO_IR 192"), text(*NAME, b"\xff\xfe\xc3\x28")))),
    ("escape sequences without end", *find(keys(text(8, 5, "ISO 2022 IR 6\\ISO 2022 IR 87"), text(*NAME, b"\x1b$B\x1b\x1b$")))),
    ("explicit VR in an implicit context", *finds(h.explicit(8, 0x52, "CS", "STUDY") + h.explicit(0x20, 0xd, "UI", ""))),
    ("an item outside of a sequence", *find(keys() + struct.pack("<HHI", 0xfffe, 0xe000, 0), "C000")),
    ("elements of the file meta information", *find(element(2, 0x10, b"1.2 ") + keys())),
    ("a command element in the identifier", *find(element(0, 0x100, b"\x01\0") + keys())),
    ("series without the study", *find(keys(text(0x20, 0xe, ""), at="SERIES"), "A900")),
]

RETRIEVES = [
    ("a move to nobody", *move(keys(text(*STUDY, "2.25.2")), "A801")),
    ("a move to ourselves", *move(keys(text(*STUDY, "2.25.2")), "A801", "SAGITTA")),
    ("a move of everything", *move(keys(), "A900", "DOWN")),
    ("a move without a level", *move(text(*STUDY, "2.25.2"), "A900", "DOWN")),
    ("a move by wildcard", *move(keys(text(*STUDY, "*")), "A900", "DOWN")),
    ("a move by a path", *move(keys(text(*STUDY, "../..")), "A900", "DOWN")),
    ("a move of noise", *move(bytes(range(256)), "C000", "DOWN")),
    ("a move of nothing", *move(keys(text(*STUDY, "2.25.404")), "0000", "DOWN")),
    ("a get of everything", *get(keys(), "A900")),
    ("a get by wildcard", *get(keys(text(*STUDY, "*")), "A900")),
    ("a get of an empty UID", *get(keys(text(*STUDY, "")), "A900")),
    ("a get of 10,000 unknown UIDs", *get(keys(text(*STUDY, UID_LIST.replace("2.25", "2.26"))), "0000")),
    ("a get without a role for what comes",
     *good(message(9, GET, keys(text(*STUDY, "2.25.2"))), ANSWER, ANSWER, said="C-GET-RSP FF00, C-GET-RSP A702 +")),
    ("a move to a destination that is down",
     *good(message(7, [one for one in MOVE if one[0] != 0x600] + [(0x600, "AE", "DOWN")], keys(text(*STUDY, "2.25.2"))), ANSWER,
           said="C-MOVE-RSP A702 +")),
    ("a get of noise", *get(b"\xff" * 99, "C000")),
    ("a get without an identifier",
     *good(message(9, [one for one in GET if one[0] != 0x800] + [(0x800, "US", 0x101)]), ANSWER, said="C-GET-RSP C000")),
]

WHOLE = h.make_data_set(instance="2.25.1", study="2.25.2", series="2.25.3")


def store(data, status, syntax=raw.EXPLICIT):
    contexts = CONTEXTS[:1] + ((raw.SECONDARY_CAPTURE, (syntax,)),)
    return (associated(message(3, store_rq()) + fragments(3, data), ANSWER, ECHO, ANSWER, RELEASE, contexts=contexts),
            f"AC 1:0 3:0, C-STORE-RSP {status}, {ECHOED}, {RELEASED}")


def deflated(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    return packed + b"\0" * (len(packed) % 2)


# Pixel data of 300 MB of NULs whose end never comes, deflated to a thousandth.
BOMB_BYTES = deflated(WHOLE[:-76] + struct.pack("<HH2sHI", 0x7fe0, 0x10, b"OB", 0, 0xfffffff0) + b"\0" * (300 << 20))

STORES = [
    ("a data set of no bytes", *store(b"", "C000")),
    ("one byte", *store(b"\x08", "C000")),
    *[(f"cut short after {cut} bytes", *store(WHOLE[:cut], "C000")) for cut in (7, 9, 30, 100, len(WHOLE) - 63, len(WHOLE) - 1)],
    ("another instance than announced", *store(h.make_data_set(instance="2.25.9"), "A900")),
    ("another class than announced", *store(h.make_data_set(instance="2.25.1", sop_class="1.2.840.10008.5.1.4.1.1.2"), "A900")),
    ("no instance UID", *store(h.make_data_set(more=[(8, 0x18, "UI", None)]), "C000")),
    ("no study UID", *store(h.make_data_set(instance="2.25.1", more=[(0x20, 0xd, "UI", None)]), "C000")),
    ("a study UID that is a path", *store(h.make_data_set(instance="2.25.1", study="../../../tmp/x"), "C000")),
    ("a series UID of 65 characters", *store(h.make_data_set(instance="2.25.1", series="1." + "2" * 63), "C000")),
    ("noise", *store(bytes(range(256)) * 100, "C000")),
    ("NULs", *store(b"\0" * 100000, "C000")),
    ("implicit VR in an explicit context",
     *store(text(8, 0x16, raw.SECONDARY_CAPTURE) + text(8, 0x18, "2.25.1"), "C000")),
    ("an element of four gigabytes", *store(WHOLE + struct.pack("<HH2sHI", 0x7fe1, 0x10, b"OB", 0, 0xfffffff0), "C000")),
    ("a sequence without end", *store(WHOLE[:60] + sequence(1, explicit=True), "C000")),
    ("sequences 10,000 deep", *store(sequence(10000, explicit=True), "C000")),
    ("pixel data of undefined length without items",
     *store(WHOLE[:-76] + struct.pack("<HH2sHI", 0x7fe0, 0x10, b"OB", 0, 0xffffffff), "C000")),
    ("a deflated stream of noise", *store(b"\xff" * 1000, "C000", DEFLATED)),
    ("a deflated stream cut short", *store(deflated(WHOLE)[:-20], "C000", DEFLATED)),
    ("a deflated bomb", *store(BOMB_BYTES, "C000", DEFLATED)),
    ("little endian in a big endian context", *store(WHOLE, "C000", BIG_ENDIAN)),
]


@hostile.cases(FINDS)
class Finds(hostile.Node):
    """C-FIND identifiers; the node has one study, which none of them may see change."""

    def setUp(self):
        with raw.Association(self.node_.port) as association:
            self.assertEqual(0, raw.status_of(association.store(WHOLE, raw.SECONDARY_CAPTURE, "2.25.1")))
            association.release()

    def check(self, script, expected):
        super().check(script, expected)
        found = h.findscu(self.node_, "STUDY", {"StudyInstanceUID": ""})
        self.assertEqual(["2.25.2"], h.texts(found, "StudyInstanceUID"))


@hostile.cases(RETRIEVES)
class Retrieves(hostile.Node):
    """C-MOVE and C-GET."""

    peers = ["DOWN@127.0.0.1:1"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with raw.Association(cls.node_.port) as association:
            association.store(WHOLE, raw.SECONDARY_CAPTURE, "2.25.1")
            association.release()


@hostile.cases(STORES)
class Stores(hostile.Node):
    """C-STORE data sets: nothing of them is kept."""

    def check(self, script, expected):
        super().check(script, expected)
        self.assertEqual([], h.findscu(self.node_, "STUDY", {"StudyInstanceUID": ""}))
        for volume in self.node_.volumes():
            self.assertNotIn(b".dcm", volume.read_bytes())


if __name__ == "__main__":
    h.main()
