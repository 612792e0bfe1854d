#!/usr/bin/env python3
"""PDUs whose headers are wrong (PS3.8 9.3), before and on an association."""
import struct

import hostile
from hostile import ALL_ACCEPTED, ECHO, ECHOED, RELEASE, RELEASED, associated, raw

# Awaiting A-ASSOCIATE-RQ every fault is AA-1: source the service user, no reason (PS3.8 Table 9-9).
AA_1 = "ABORT 0 0, closed"
# Established, AA-8: source the service provider; reasons 1 unrecognized, 2 unexpected, 6 invalid value.
UNRECOGNIZED, UNEXPECTED, INVALID = (f"{ALL_ACCEPTED}, ABORT 2 {reason}, closed" for reason in (1, 2, 6))


def header(kind, length):
    return struct.pack(">BBI", kind, 0, length)


BEFORE = [
    ("PDU type 0", raw.pdu(0, b"abcd"), AA_1),
    ("PDU type 8", raw.pdu(8, b"abcd"), AA_1),
    ("PDU type FF", raw.pdu(0xff, b""), AA_1),
    ("HTTP", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", AA_1),
    ("TLS client hello", bytes.fromhex("16030100c8010000c40303") + b"\0" * 194, AA_1),
    ("A-ASSOCIATE-RQ of no bytes", header(1, 0), AA_1),
    ("A-ASSOCIATE-RQ shorter than its fixed part", raw.pdu(1, raw.associate_rq()[6:6 + 67]), AA_1),
    ("A-ASSOCIATE-RQ of four gigabytes", header(1, 0xfffffff0) + b"\0" * 4096, AA_1),
    ("A-ASSOCIATE-RQ of its fixed part alone", raw.pdu(1, raw.associate_rq()[6:6 + 68]), "RJ 1 1 2, closed"),
    ("A-ASSOCIATE-AC to the acceptor", raw.pdu(2, raw.associate_rq()[6:]), AA_1),
    ("A-ASSOCIATE-RJ to the acceptor", raw.pdu(3, b"\0\1\1\1"), AA_1),
    ("P-DATA-TF first", ECHO, AA_1),
    ("empty P-DATA-TF first", header(4, 0), AA_1),
    ("A-RELEASE-RQ first", RELEASE, AA_1),
    ("A-RELEASE-RP first", raw.pdu(6, b"\0" * 4), AA_1),
    ("A-ABORT first", raw.pdu(7, b"\0" * 4), "closed"),
    ("A-ABORT too long first", raw.pdu(7, b"\0" * 40), AA_1),
]

WITHIN = [
    ("unknown PDU type", associated(raw.pdu(0x63, b"abcd")), UNRECOGNIZED),
    ("unknown PDU type of no bytes", associated(header(0x63, 0)), UNRECOGNIZED),
    ("unknown PDU type of four gigabytes", associated(header(0x63, 0xffffffff)), UNRECOGNIZED),
    ("P-DATA-TF of no bytes", associated(header(4, 0)), INVALID),
    ("P-DATA-TF of 5 bytes", associated(raw.pdu(4, b"\0\0\0\1\1")), INVALID),
    ("P-DATA-TF beyond what was announced", associated(header(4, 0x7fffffff) + b"\0" * 50000), INVALID),
    ("A-RELEASE-RQ of no bytes", associated(header(5, 0)), INVALID),
    ("A-RELEASE-RQ of 5 bytes", associated(raw.pdu(5, b"\0" * 5)), INVALID),
    ("A-RELEASE-RQ with reserved bytes set", associated(raw.pdu(5, b"\xff" * 4)), f"{ALL_ACCEPTED}, {RELEASED}"),
    ("A-ABORT of no bytes", associated(header(7, 0)), INVALID),
    ("A-ABORT with undefined source and reason", associated(raw.pdu(7, b"\xff" * 4)), f"{ALL_ACCEPTED}, closed"),
    ("bytes behind A-RELEASE-RQ", associated(RELEASE + b"\xee" * 100), UNRECOGNIZED),
    ("an echo, to know that the table can be satisfied", associated(ECHO + RELEASE),
     f"{ALL_ACCEPTED}, {ECHOED}, {RELEASED}"),
]


@hostile.cases(BEFORE)
class Before(hostile.Node):
    """Awaiting A-ASSOCIATE-RQ."""


@hostile.cases(WITHIN)
class Within(hostile.Node):
    """On an association."""


if __name__ == "__main__":
    hostile.h.main()
