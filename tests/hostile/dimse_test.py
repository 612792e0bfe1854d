#!/usr/bin/env python3
"""PDUs in the wrong state, fragments, commands: PS3.8 Table 9-10 and PS3.7 Annexes C and E."""
import struct

import hostile
from hostile import (ALL_ACCEPTED, ANSWER, CONTEXTS, ECHO, ECHOED, RELEASE, RELEASED, STUDY_GET, associated, echo, h, message,
                     raw)

UNEXPECTED, INVALID, USER_ABORT = (f"{ALL_ACCEPTED}, ABORT {why}, closed" for why in ("2 2", "2 6", "0 0"))
SC = raw.SECONDARY_CAPTURE
IMAGE = h.make_data_set(instance="2.25.1", study="2.25.2", series="2.25.3")


def good(*script, said=""):
    """The association goes on: an echo and a release behind it."""
    return associated(*script, ECHO, ANSWER, RELEASE), f"{ALL_ACCEPTED}, {said}{', ' if said else ''}{ECHOED}, {RELEASED}"


def store_rq(instance="2.25.1", sop_class=SC, message_id=1, data=0):
    return [(2, "UI", sop_class), (0x100, "US", 1), (0x110, "US", message_id), (0x700, "US", 0), (0x800, "US", data),
            (0x1000, "UI", instance)]


def pieces(context, header, data, size):
    """Fragments of so many bytes, each in a PDU of its own."""
    cut = [data[at:at + size] for at in range(0, len(data), size)]
    return b"".join(raw.pdu(4, raw.pdv(context, header | (2 if n + 1 == len(cut) else 0), part)) for n, part in enumerate(cut))


def element(group, number, value):
    return struct.pack("<HHI", group, number, len(value)) + value


def command_bytes(context, data):
    return raw.pdu(4, raw.pdv(context, 3, data))


def without(elements, *numbers):
    return [one for one in elements if one[0] not in numbers]


def replaced(elements, number, kind, value):
    return without(elements, number) + [(number, kind, value)]


BEGIN_STORE = raw.pdu(4, raw.pdv(3, 3, raw.command(store_rq())))
HALF = raw.pdu(4, raw.pdv(3, 0, IMAGE[:100]))

STATES = [
    ("a second A-ASSOCIATE-RQ", associated(raw.associate_rq()), UNEXPECTED),
    ("A-ASSOCIATE-AC on an association", associated(raw.pdu(2, raw.associate_rq()[6:])), UNEXPECTED),
    ("A-ASSOCIATE-RJ on an association", associated(raw.pdu(3, b"\0\1\1\1")), UNEXPECTED),
    ("A-RELEASE-RP that nobody asked for", associated(raw.pdu(6, b"\0" * 4)), UNEXPECTED),
    ("A-ABORT on an association", associated(raw.pdu(7, b"\0" * 4)), f"{ALL_ACCEPTED}, closed"),
    ("A-ABORT in the middle of a data set", associated(BEGIN_STORE, HALF, raw.pdu(7, b"\0" * 4)), f"{ALL_ACCEPTED}, closed"),
    ("A-ABORT in the middle of a PDU", associated(BEGIN_STORE, HALF[:50], raw.pdu(7, b"\0" * 4)),
     f"{ALL_ACCEPTED}, ABORT 0 0, closed"),
    ("A-RELEASE-RQ in the middle of a data set", associated(BEGIN_STORE, HALF, RELEASE), f"{ALL_ACCEPTED}, {RELEASED}"),
    ("A-RELEASE-RQ behind a request that was not yet answered", associated(ECHO + RELEASE), f"{ALL_ACCEPTED}, {ECHOED}, {RELEASED}"),
    ("A-RELEASE-RQ twice", associated(RELEASE + RELEASE), UNEXPECTED),
    ("P-DATA-TF behind A-RELEASE-RQ", associated(RELEASE + ECHO), UNEXPECTED),
    ("A-ASSOCIATE-RQ behind A-RELEASE-RQ", associated(RELEASE + raw.associate_rq()), UNEXPECTED),
    ("A-ABORT behind A-RELEASE-RQ", associated(RELEASE + raw.pdu(7, b"\0" * 4)), f"{ALL_ACCEPTED}, closed"),
    ("P-DATA-TF behind A-ABORT is not heard", associated(raw.pdu(7, b"\0" * 4) + ECHO), f"{ALL_ACCEPTED}, closed"),
    ("A-ASSOCIATE-RQ behind a rejection", [raw.associate_rq(called=b"NOBODY"), ANSWER, raw.associate_rq()],
     "RJ 1 1 7, ABORT 2 2, closed"),
    ("two A-ASSOCIATE-RQs in one packet", [raw.associate_rq() + raw.associate_rq()], "AC 1:0 3:0, ABORT 2 2, closed"),
    ("request and echo in one packet", [raw.associate_rq() + ECHO + RELEASE], f"AC 1:0 3:0, {ECHOED}, {RELEASED}"),
]

PDVS = [
    ("a PDV of length 0", associated(raw.pdu(4, struct.pack(">IBB", 0, 1, 3))), INVALID),
    ("a PDV of length 1", associated(raw.pdu(4, struct.pack(">IBB", 1, 1, 3))), INVALID),
    ("a PDV longer than its PDU", associated(raw.pdu(4, struct.pack(">IBB", 100, 1, 3) + b"x" * 10)), INVALID),
    ("a PDV of four gigabytes", associated(raw.pdu(4, struct.pack(">IBB", 0xffffffff, 1, 3) + b"x" * 10)), INVALID),
    ("stray bytes behind a PDV", associated(raw.pdu(4, raw.pdv(1, 3, raw.command(echo())) + b"\0\0\0")), INVALID),
    ("a PDV shorter than its PDU by one", associated(raw.pdu(4, raw.pdv(1, 3, raw.command(echo())) + b"\0")), INVALID),
    ("context 0", associated(message(0, echo())), INVALID),
    ("context 2", associated(message(2, echo())), INVALID),
    ("context 255", associated(message(255, echo())), INVALID),
    ("a context that was refused",
     [raw.associate_rq(contexts=((raw.VERIFICATION, ("1.2.3.4",)),)), ANSWER, ECHO], "AC 1:4, ABORT 2 6, closed"),
    ("a data set before any command", associated(raw.pdu(4, raw.pdv(3, 2, IMAGE))), INVALID),
    ("a fragment of a data set in the middle of a command",
     associated(raw.pdu(4, raw.pdv(3, 1, raw.command(store_rq())[:20]) + raw.pdv(3, 0, IMAGE))), INVALID),
    ("a command where a data set was announced", associated(BEGIN_STORE, ECHO), INVALID),
    ("a command of another context in the middle of a command",
     associated(raw.pdu(4, raw.pdv(1, 1, raw.command(echo())[:20]) + raw.pdv(3, 1, b"\0" * 8))), INVALID),
    ("the data set in another context than its command", associated(BEGIN_STORE, raw.pdu(4, raw.pdv(1, 2, IMAGE))), INVALID),
    ("a command in fragments of 1 byte", *good(pieces(1, 1, raw.command(echo(9)), 1), ANSWER, said=ECHOED)),
    ("a data set in fragments of 1 byte", *good(BEGIN_STORE, pieces(3, 0, IMAGE, 1), ANSWER, said="C-STORE-RSP 0000")),
    ("a data set in fragments of 3 bytes", *good(BEGIN_STORE, pieces(3, 0, IMAGE, 3), ANSWER, said="C-STORE-RSP 0000")),
    ("1,000 PDVs in one PDU",
     *good(BEGIN_STORE, raw.pdu(4, raw.pdv(3, 0, b"") * 999 + raw.pdv(3, 2, IMAGE)), ANSWER, said="C-STORE-RSP 0000")),
    ("command and data set in one PDU",
     *good(raw.pdu(4, raw.pdv(3, 3, raw.command(store_rq())) + raw.pdv(3, 2, IMAGE)), ANSWER, said="C-STORE-RSP 0000")),
    ("an empty command fragment at the end",
     *good(raw.pdu(4, raw.pdv(1, 1, raw.command(echo())) + raw.pdv(1, 3, b"")), ANSWER, said=ECHOED)),
    ("a command that is all empty", associated(raw.pdu(4, raw.pdv(1, 3, b""))), INVALID),
    ("reserved bits of the control header", *good(raw.pdu(4, raw.pdv(1, 0xff, raw.command(echo()))), ANSWER, said=ECHOED)),
    ("a command that never ends", associated(raw.pdu(4, raw.pdv(1, 1, raw.command(echo())))), USER_ABORT),
    ("a data set that never ends", associated(BEGIN_STORE, HALF), USER_ABORT),
    ("a command of more than 64 KiB in fragments",
     associated(pieces(1, 1, raw.command(echo()) + element(0, 0x5555, b"\0" * 70000), 16000)), INVALID),
    ("10,000 empty fragments", *good(raw.pdu(4, raw.pdv(1, 1, b"") * 1000) * 10, raw.pdu(4, raw.pdv(1, 3, raw.command(echo()))),
                                     ANSWER, said=ECHOED)),
]

FIND = [(2, "UI", raw.STUDY_FIND), (0x100, "US", 0x20), (0x110, "US", 1), (0x700, "US", 0), (0x800, "US", 0)]
MOVE = [(2, "UI", raw.STUDY_MOVE), (0x100, "US", 0x21), (0x110, "US", 1), (0x600, "AE", "NOBODY"), (0x700, "US", 0),
        (0x800, "US", 0)]
CANCEL = [(0x100, "US", 0xfff), (0x120, "US", 1), (0x800, "US", 0x101)]
BODY = raw.command(echo())[12:]
STORED = "C-STORE-RSP 0000"


def stored(command, said=STORED, **_):
    return good(message(3, command, IMAGE), ANSWER, said=said)


COMMANDS = [
    ("bytes that are no command", associated(command_bytes(1, bytes(range(256)))), INVALID),
    ("a command cut short in an element header", associated(command_bytes(1, raw.command(echo()) + b"\0\0\0")), INVALID),
    ("an element longer than the command", associated(command_bytes(1, BODY[:-2])), INVALID),
    ("an element of four gigabytes", associated(command_bytes(1, BODY + struct.pack("<HHI", 0, 0x5555, 0xffffffff))), INVALID),
    ("no group length", *good(command_bytes(1, BODY), ANSWER, said=ECHOED)),
    ("a group length too small", *good(command_bytes(1, element(0, 0, b"\4\0\0\0") + BODY), ANSWER, said=ECHOED)),
    ("a group length of four gigabytes", *good(command_bytes(1, element(0, 0, b"\xff" * 4) + BODY), ANSWER, said=ECHOED)),
    ("elements in the wrong order",
     *good(command_bytes(1, b"".join(reversed([element(0, n, v) for n, v in sorted(raw.parse_command(BODY).items())]))), ANSWER,
           said=ECHOED)),
    ("an element of another group", associated(command_bytes(1, BODY + element(8, 0x18, b"1.2 "))), INVALID),
    ("a sequence in a command",
     associated(command_bytes(1, BODY + struct.pack("<HHIHHI", 0, 0x5555, 0xffffffff, 0xfffe, 0xe000, 0))), INVALID),
    ("a private element of the command group", *good(command_bytes(1, BODY + element(0, 0x5555, b"abcd")), ANSWER, said=ECHOED)),
    ("no command field", associated(message(1, without(echo(), 0x100))), INVALID),
    ("a command field of 4 bytes", associated(command_bytes(1, element(0, 0x100, b"\x30\0\0\0"))), INVALID),
    ("a command field of no bytes", associated(command_bytes(1, element(0, 0x100, b""))), INVALID),
    ("no message id", associated(message(1, without(echo(), 0x110))), INVALID),
    ("no data set type in an echo", *good(message(1, without(echo(), 0x800)), ANSWER, said=ECHOED)),
    ("no data set type in a store announces none", associated(message(3, without(store_rq(), 0x800), IMAGE)), INVALID),
    ("data set type 0102 is a data set", *stored(replaced(store_rq(), 0x800, "US", 0x102))),
    ("the command field twice", *good(command_bytes(1, element(0, 0x100, b"\x01\0") + BODY), ANSWER, said=ECHOED)),
    ("an unknown command field", *good(message(1, replaced(echo(), 0x100, "US", 0x7777)), ANSWER, said="F777 0211")),
    ("command field 0000", *good(message(1, replaced(echo(), 0x100, "US", 0)), ANSWER, said="8000 0211")),
    ("N-GET", *good(message(1, replaced(echo(), 0x100, "US", 0x110)), ANSWER, said="8110 0122")),
    ("N-CREATE with a data set",
     *good(message(3, replaced(store_rq(), 0x100, "US", 0x140), IMAGE), ANSWER, said="8140 0122")),
    ("N-DELETE", *good(message(1, replaced(echo(), 0x100, "US", 0x150)), ANSWER, said="8150 0211")),
    ("a response to nothing", associated(message(1, [(0x100, "US", 0x8030), (0x120, "US", 1), (0x800, "US", 0x101),
                                                     (0x900, "US", 0)])), INVALID),
    ("a store response to nothing", associated(message(3, [(0x100, "US", 0x8001), (0x120, "US", 1), (0x800, "US", 0x101),
                                                           (0x900, "US", 0)])), INVALID),
    ("a response to an unknown command", associated(message(1, [(0x100, "US", 0xffff), (0x800, "US", 0x101)])), INVALID),
    ("C-CANCEL for nothing", *good(message(1, CANCEL))),
    ("C-CANCEL for nothing a thousand times", *good(message(5, CANCEL) * 1000)),
    ("C-CANCEL without a message id", associated(message(5, without(CANCEL, 0x120))), INVALID),
    ("C-CANCEL with a data set", *good(message(5, replaced(CANCEL, 0x800, "US", 0), b"\0" * 8))),
    ("C-CANCEL in the middle of a data set", associated(BEGIN_STORE, HALF, message(5, CANCEL)), INVALID),
    ("the same message id again", *good(message(1, echo(7)) * 3, ANSWER, ANSWER, ANSWER, said=", ".join([ECHOED] * 3))),
    ("message id 0", *good(message(1, echo(0)), ANSWER, said=ECHOED)),
    ("message id FFFF", *good(message(1, echo(0xffff)), ANSWER, said=ECHOED)),
    ("100 echoes without reading an answer",
     *good(b"".join(message(1, echo(n)) for n in range(100)), *[ANSWER] * 100, said=", ".join([ECHOED] * 100))),
    ("an echo in a storage context", *good(message(3, echo()), ANSWER, said="C-ECHO-RSP 0122")),
    ("an echo of another SOP class", *good(message(1, echo(sop_class="1.2.3")), ANSWER, said=ECHOED)),
    ("an echo with a data set",
     *good(message(1, replaced(echo(), 0x800, "US", 0), b"\0" * 8), ANSWER, said=ECHOED)),
    ("a data set behind an echo that announced none", associated(ECHO + raw.pdu(4, raw.pdv(1, 2, b"\0" * 8))), INVALID),
    ("a store in a verification context", *good(message(1, store_rq(), IMAGE), ANSWER, said="C-STORE-RSP 0122")),
    ("a store without a data set", *good(message(3, replaced(store_rq(), 0x800, "US", 0x101)), ANSWER, said="C-STORE-RSP 0212")),
    ("a store of another class than the context's",
     *stored(store_rq(sop_class="1.2.840.10008.5.1.4.1.1.2"), "C-STORE-RSP A900")),
    ("a store without a class", *stored(without(store_rq(), 2), "C-STORE-RSP A900")),
    ("a store without an instance", *stored(without(store_rq(), 0x1000), "C-STORE-RSP 0117")),
    ("a store without a priority", *stored(without(store_rq(), 0x700))),
    ("a store of priority 7777", *stored(replaced(store_rq(), 0x700, "US", 0x7777))),
    ("an instance UID that is a path", *stored(store_rq("../../etc/cron.d/x"), "C-STORE-RSP 0117")),
    ("an instance UID with NUL inside", *stored(store_rq("1.2\0.3"), "C-STORE-RSP 0117")),
    ("an instance UID of 65 characters", *stored(store_rq("1." + "2" * 63), "C-STORE-RSP 0117")),
    ("an instance UID of 60,000 characters", *stored(store_rq("1" * 60000), "C-STORE-RSP 0117")),
    ("an instance UID of SQL", *stored(store_rq("1'; DROP TABLE instance;--"), "C-STORE-RSP 0117")),
    ("an instance UID padded with spaces", *stored(store_rq("2.25.1  "))),
    ("an instance UID padded with NULs", *stored(store_rq("2.25.1\0\0"))),
    ("a find in a move context", *good(message(7, replaced(FIND, 2, "UI", raw.STUDY_MOVE), b""), ANSWER, said="C-FIND-RSP 0122")),
    ("a find of another class", *good(message(5, replaced(FIND, 2, "UI", STUDY_GET), b""), ANSWER, said="C-FIND-RSP A900")),
    ("a find without an identifier", *good(message(5, replaced(FIND, 0x800, "US", 0x101)), ANSWER, said="C-FIND-RSP C000")),
    ("a move without a destination", *good(message(7, without(MOVE, 0x600), b""), ANSWER, said="C-MOVE-RSP A801")),
    ("a move to a title of control characters",
     *good(message(7, replaced(MOVE, 0x600, "AE", "A\n\x1b[2J"), b""), ANSWER, said="C-MOVE-RSP A801")),
    ("a move to 5,000 characters", *good(message(7, replaced(MOVE, 0x600, "AE", "A" * 5000), b""), ANSWER, said="C-MOVE-RSP A801")),
    ("a move to two destinations", *good(message(7, replaced(MOVE, 0x600, "AE", "A\\B"), b""), ANSWER, said="C-MOVE-RSP A801")),
    ("N-ACTION in a context that has none",
     *good(message(1, [(3, "UI", raw.VERIFICATION), (0x100, "US", 0x130), (0x110, "US", 1), (0x800, "US", 0x101),
                       (0x1001, "UI", "1.2"), (0x1008, "US", 1)]), ANSWER, said="N-ACTION-RSP 0122")),
    ("N-EVENT-REPORT in a context that has none",
     *good(message(1, [(2, "UI", raw.VERIFICATION), (0x100, "US", 0x100), (0x110, "US", 1), (0x800, "US", 0x101),
                       (0x1000, "UI", "1.2"), (0x1002, "US", 1)]), ANSWER, said="8100 0122")),
]


@hostile.cases(STATES)
class States(hostile.Node):
    """Every PDU in the wrong state."""


@hostile.cases(PDVS)
class Fragments(hostile.Node):
    """Presentation data values."""


@hostile.cases(COMMANDS)
class Commands(hostile.Node):
    """Command sets."""


if __name__ == "__main__":
    h.main()
