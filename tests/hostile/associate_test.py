#!/usr/bin/env python3
"""A-ASSOCIATE-RQs with everything wrong that can be (PS3.8 9.3.2, Annex D; PS3.7 Annex D.3.3)."""
import struct

import hostile
from hostile import ECHO, ECHOED, RELEASE, RELEASED, associated, raw

MALFORMED = "ABORT 0 0, closed"  # AA-1: Evt19 in Sta2
APPLICATION = raw.item(0x10, b"1.2.840.10008.3.1.1.1")
MAXIMUM = raw.item(0x51, struct.pack(">I", 16384))
CLASS_UID = raw.item(0x52, b"2.25.77")
USER = raw.item(0x50, MAXIMUM + CLASS_UID)
ABSTRACT = raw.item(0x30, raw.VERIFICATION.encode())
IMPLICIT = raw.item(0x40, raw.IMPLICIT.encode())
CT = "1.2.840.10008.5.1.4.1.1.2"


def context(number, *items, reserved=b"\0\0\0"):
    return raw.item(0x20, bytes([number]) + reserved + b"".join(items))


VERIFY = context(1, ABSTRACT, IMPLICIT)


def request(*items, called=b"SAGITTA", calling=b"RAW", version=1):
    """A request of exactly these items."""
    return raw.pdu(1, struct.pack(">HH", version, 0) + called.ljust(16) + calling.ljust(16) + b"\0" * 32 + b"".join(items))


def user(*items):
    return request(APPLICATION, VERIFY, raw.item(0x50, b"".join(items)))


def works(script, contexts="1:0"):
    """The script of a request that is accepted, and the rest of a good conversation."""
    return [script, hostile.ANSWER, ECHO, hostile.ANSWER, RELEASE], f"AC {contexts}, {ECHOED}, {RELEASED}"


def accepted(script, contexts):
    return [script, hostile.ANSWER, RELEASE], f"AC {contexts}, {RELEASED}"


def uid_item(kind, uid):
    return raw.item(kind, struct.pack(">H", len(uid)) + uid)


def role(uid, scu, scp):
    return raw.item(0x54, struct.pack(">H", len(uid)) + uid.encode() + bytes([scu, scp]))


ITEMS = [
    ("an item longer than the PDU", request(APPLICATION, VERIFY, USER[:2] + b"\xff\xff" + USER[4:]), MALFORMED),
    ("an item header cut short", request(APPLICATION, VERIFY, USER, b"\x50\0\0"), MALFORMED),
    ("a lone byte at the end", request(APPLICATION, VERIFY, USER, b"\x50"), MALFORMED),
    ("an unknown item is skipped", *works(request(APPLICATION, raw.item(0x99, b"abc"), VERIFY, USER))),
    ("an unknown item of no bytes is skipped", *works(request(raw.item(0xee, b""), APPLICATION, VERIFY, USER))),
    ("items in the wrong order", *works(request(USER, VERIFY, APPLICATION))),
    ("no application context", request(VERIFY, USER), "RJ 1 1 2, closed"),
    ("an empty application context", request(raw.item(0x10, b""), VERIFY, USER), "RJ 1 1 2, closed"),
    ("a wrong application context", request(raw.item(0x10, b"1.2.840.10008.3.1.1.2"), VERIFY, USER), "RJ 1 1 2, closed"),
    ("an application context that is text", request(raw.item(0x10, b"%s%n\x1b[2J"), VERIFY, USER), "RJ 1 1 2, closed"),
    ("two application contexts and the last is DICOM's", *works(request(raw.item(0x10, b"1.2"), APPLICATION, VERIFY, USER))),
    ("no user information", *works(request(APPLICATION, VERIFY))),
    ("empty user information", *works(request(APPLICATION, VERIFY, raw.item(0x50, b"")))),
    ("user information twice", *works(request(APPLICATION, VERIFY, USER, USER))),
    ("no presentation context", *accepted(request(APPLICATION, USER), "")),
    ("protocol version 0", request(APPLICATION, VERIFY, USER, version=0), "RJ 1 2 2, closed"),
    ("protocol version 2", request(APPLICATION, VERIFY, USER, version=2), "RJ 1 2 2, closed"),
    ("protocol version FFFF has bit 0", *works(request(APPLICATION, VERIFY, USER, version=0xffff))),
    ("half a megabyte of unknown items",
     *works(request(APPLICATION, VERIFY, USER, *[raw.item(0x99, b"\0" * 50000)] * 10))),
    ("more than a megabyte of items", request(APPLICATION, VERIFY, USER, *[raw.item(0x99, b"\0" * 65535)] * 17), MALFORMED),
    ("200,000 empty items", *works(request(APPLICATION, VERIFY, USER, raw.item(0x99, b"") * 200000))),
]

CONTEXTS = [
    ("context id 0", request(APPLICATION, context(0, ABSTRACT, IMPLICIT), USER), MALFORMED),
    ("context id 2", request(APPLICATION, context(2, ABSTRACT, IMPLICIT), USER), MALFORMED),
    ("context id 255", *accepted(request(APPLICATION, context(255, ABSTRACT, IMPLICIT), USER), "255:0")),
    ("a context id twice", request(APPLICATION, VERIFY, VERIFY, USER), MALFORMED),
    ("128 contexts", *works(request(APPLICATION, *[context(2 * n + 1, ABSTRACT, IMPLICIT) for n in range(128)], USER),
                            " ".join(f"{2 * n + 1}:0" for n in range(128)))),
    ("129 contexts", request(APPLICATION, *[context((2 * n + 1) % 256, ABSTRACT, IMPLICIT) for n in range(129)], USER),
     MALFORMED),
    ("a context of no bytes", request(APPLICATION, raw.item(0x20, b""), USER), MALFORMED),
    ("a context of 3 bytes", request(APPLICATION, raw.item(0x20, b"\1\0\0"), USER), MALFORMED),
    ("a context without items", *accepted(request(APPLICATION, context(1), USER), "1:3")),
    ("a context without abstract syntax", *accepted(request(APPLICATION, context(1, IMPLICIT), USER), "1:3")),
    ("a context without transfer syntax", *accepted(request(APPLICATION, context(1, ABSTRACT), USER), "1:4")),
    ("an inner item longer than its context",
     request(APPLICATION, context(1, ABSTRACT, b"\x40\0\xff\xff1.2"), USER), MALFORMED),
    ("an inner item header cut short", request(APPLICATION, context(1, ABSTRACT, IMPLICIT, b"\x40"), USER), MALFORMED),
    ("contexts inside of a context are skipped", *works(request(APPLICATION, context(1, VERIFY * 100, ABSTRACT, IMPLICIT), USER))),
    ("two abstract syntaxes and the last counts",
     *works(request(APPLICATION, context(1, raw.item(0x30, b"1.2.3"), ABSTRACT, IMPLICIT), USER))),
    ("an empty abstract syntax", *accepted(request(APPLICATION, context(1, raw.item(0x30, b""), IMPLICIT), USER), "1:3")),
    ("an abstract syntax of 65 characters",
     *accepted(request(APPLICATION, context(1, raw.item(0x30, b"1." + b"2" * 63), IMPLICIT), USER), "1:3")),
    ("an abstract syntax of 60,000 characters",
     *accepted(request(APPLICATION, context(1, raw.item(0x30, b"1" * 60000), IMPLICIT), USER), "1:3")),
    ("an abstract syntax that is a path",
     *accepted(request(APPLICATION, context(1, raw.item(0x30, b"../../etc/passwd"), IMPLICIT), USER), "1:3")),
    ("an abstract syntax of control characters",
     *accepted(request(APPLICATION, context(1, raw.item(0x30, bytes(range(32))), IMPLICIT), USER), "1:3")),
    ("an abstract syntax padded with NUL and space",
     *works(request(APPLICATION, context(1, raw.item(0x30, raw.VERIFICATION.encode() + b" \0"), IMPLICIT), USER))),
    ("an empty transfer syntax", *accepted(request(APPLICATION, context(1, ABSTRACT, raw.item(0x40, b"")), USER), "1:4")),
    ("a transfer syntax of 65 characters for storage",
     *accepted(request(APPLICATION, context(1, raw.item(0x30, CT.encode()), raw.item(0x40, b"1." + b"2" * 63)), USER), "1:4")),
    ("a transfer syntax that is a path for storage",
     *accepted(request(APPLICATION, context(1, raw.item(0x30, CT.encode()), raw.item(0x40, b"../x")), USER), "1:4")),
    ("1,000 transfer syntaxes and the last is known",
     *works(request(APPLICATION, context(1, ABSTRACT, raw.item(0x40, b"1.2.3.4") * 1000, IMPLICIT), USER))),
    ("reserved bytes of a context set", *works(request(APPLICATION, context(1, ABSTRACT, IMPLICIT, reserved=b"\xff" * 3), USER))),
]

TITLES = [
    ("a wrong called title", request(APPLICATION, VERIFY, USER, called=b"OTHER"), "RJ 1 1 7, closed"),
    ("an empty called title", request(APPLICATION, VERIFY, USER, called=b""), "RJ 1 1 7, closed"),
    ("a called title of NULs", request(APPLICATION, VERIFY, USER, called=b"\0" * 16), "RJ 1 1 7, closed"),
    ("a called title of control characters", request(APPLICATION, VERIFY, USER, called=b"SAG\nITTA\x1b[2J"), "RJ 1 1 7, closed"),
    ("a called title in lower case", request(APPLICATION, VERIFY, USER, called=b"sagitta"), "RJ 1 1 7, closed"),
    ("a called title padded with NULs", *works(request(APPLICATION, VERIFY, USER, called=b"SAGITTA".ljust(16, b"\0")))),
    ("a called title behind spaces", *works(request(APPLICATION, VERIFY, USER, called=b"  SAGITTA"))),
    ("an empty calling title", request(APPLICATION, VERIFY, USER, calling=b""), "RJ 1 1 3, closed"),
    ("a calling title of NULs", request(APPLICATION, VERIFY, USER, calling=b"\0" * 16), "RJ 1 1 3, closed"),
    ("a calling title with a line break", request(APPLICATION, VERIFY, USER, calling=b"A\nassociation=9"), "RJ 1 1 3, closed"),
    ("a calling title with an escape sequence", request(APPLICATION, VERIFY, USER, calling=b"\x1b[31mRED"), "RJ 1 1 3, closed"),
    ("a calling title with a backslash", request(APPLICATION, VERIFY, USER, calling=b"A\\B"), "RJ 1 1 3, closed"),
    ("a calling title beyond ASCII", request(APPLICATION, VERIFY, USER, calling=b"\xff\xfe\xc3\x28"), "RJ 1 1 3, closed"),
    ("a calling title of a format string", *works(request(APPLICATION, VERIFY, USER, calling=b"{}%s%n{0}"))),
    ("a calling title with quotes and equals", *works(request(APPLICATION, VERIFY, USER, calling=b"\" peer=x '"))),
]

USERS = [
    ("maximum length 0 is no limit", *works(user(raw.item(0x51, struct.pack(">I", 0))))),
    ("maximum length 1", user(raw.item(0x51, struct.pack(">I", 1))), "RJ 1 1 1, closed"),
    ("maximum length 6", user(raw.item(0x51, struct.pack(">I", 6))), "RJ 1 1 1, closed"),
    ("maximum length 7", user(raw.item(0x51, struct.pack(">I", 7))), "RJ 1 1 1, closed"),
    ("maximum length 8", *works(user(raw.item(0x51, struct.pack(">I", 8))))),
    ("maximum length FFFFFFFF", *works(user(raw.item(0x51, b"\xff" * 4)))),
    ("maximum length of 3 bytes", user(raw.item(0x51, b"\0\0\1")), MALFORMED),
    ("maximum length of 5 bytes", user(raw.item(0x51, b"\0\0\1\0\0")), MALFORMED),
    ("maximum length twice and the last counts", *works(user(raw.item(0x51, struct.pack(">I", 1)), MAXIMUM))),
    ("a sub-item longer than user information", user(MAXIMUM, b"\x52\0\xff\xff1.2"), MALFORMED),
    ("a sub-item header cut short", user(MAXIMUM, b"\x52\0"), MALFORMED),
    ("an unknown sub-item", *works(user(MAXIMUM, raw.item(0x7f, b"\xff" * 99)))),
    ("user information inside of user information", *works(user(MAXIMUM, USER * 50))),
    ("an empty implementation class", *works(user(MAXIMUM, raw.item(0x52, b"")))),
    ("an implementation class of 60,000 characters", *works(user(MAXIMUM, raw.item(0x52, b"1" * 60000)))),
    ("an implementation version of control characters", *works(user(MAXIMUM, raw.item(0x55, bytes(range(128)))))),
    ("an operations window of 3 bytes", user(MAXIMUM, raw.item(0x53, b"\0\1\0")), MALFORMED),
    ("an operations window without limits", *works(user(MAXIMUM, raw.item(0x53, b"\0\0\0\0")))),
    ("an operations window of 65,535", *works(user(MAXIMUM, raw.item(0x53, b"\xff" * 4)))),
    ("a role selection of no bytes", user(MAXIMUM, raw.item(0x54, b"")), MALFORMED),
    ("a role selection whose UID is too long", user(MAXIMUM, raw.item(0x54, b"\xff\xff1.2")), MALFORMED),
    ("a role selection without roles", user(MAXIMUM, uid_item(0x54, CT.encode())), MALFORMED),
    ("a role selection of roles 255", *works(user(MAXIMUM, role(CT, 255, 255)))),
    ("a role selection for no UID", *works(user(MAXIMUM, role("", 1, 1)))),
    ("a role selection for what was not proposed", *works(user(MAXIMUM, role(CT, 1, 1)))),
    ("1,800 role selections of one class", *works(user(MAXIMUM, role(CT, 1, 1) * 1800))),
    ("extended negotiation of no bytes", user(MAXIMUM, raw.item(0x56, b"")), MALFORMED),
    ("extended negotiation whose UID is too long", user(MAXIMUM, raw.item(0x56, b"\0\xff1.2")), MALFORMED),
    ("extended negotiation of garbage for FIND", *works(user(MAXIMUM, raw.extended(raw.STUDY_FIND, b"\xff" * 999)))),
    ("extended negotiation of nothing for FIND", *works(user(MAXIMUM, raw.extended(raw.STUDY_FIND, b"")))),
    ("extended negotiation for an unknown class", *works(user(MAXIMUM, raw.extended("1.2.3", b"\1\1\1")))),
    ("common extended negotiation cut short", user(MAXIMUM, raw.item(0x57, b"\0\3")), MALFORMED),
    ("common extended negotiation with a list too long",
     user(MAXIMUM, raw.item(0x57, b"\0\0031.2\0\0031.2\xff\xff")), MALFORMED),
    ("common extended negotiation with a UID cut short in the list",
     user(MAXIMUM, raw.item(0x57, b"\0\0031.2\0\0031.2\0\3\0\x091")), MALFORMED),
    ("a user identity of no bytes", user(MAXIMUM, raw.item(0x58, b"")), MALFORMED),
    ("a user identity whose name is too long", user(MAXIMUM, raw.item(0x58, b"\1\0\xff\xffx\0\0")), MALFORMED),
    ("a user identity without the second length", user(MAXIMUM, raw.item(0x58, b"\1\0\0\1x")), MALFORMED),
    ("a user identity that nobody asked for", *works(user(MAXIMUM, raw.item(0x58, b"\1\0\0\1x\0\0")))),
    ("a user identity of type 0", *works(user(MAXIMUM, raw.item(0x58, b"\0\0\0\1x\0\0")))),
    ("a user identity of type 255", *works(user(MAXIMUM, raw.item(0x58, b"\xff\xff\0\1x\0\0")))),
    ("a user identity of 50,000 control characters",
     *works(user(MAXIMUM, raw.item(0x58, b"\2\1" + struct.pack(">H", 25000) + b"\x1b" * 25000 + struct.pack(">H", 25000) + b"\n" * 25000)))),
    ("a user identity response in a request", *works(user(MAXIMUM, raw.item(0x59, b"\xff\xff")))),
]


@hostile.cases(ITEMS)
class Items(hostile.Node):
    """Items and their lengths, protocol version, application context."""


@hostile.cases(CONTEXTS)
class Contexts(hostile.Node):
    """Presentation contexts."""


@hostile.cases(USERS)
class Users(hostile.Node):
    """User information."""


@hostile.cases(TITLES)
class Titles(hostile.Node):
    """AE titles; nothing of them reaches the log unescaped."""

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        log = cls.node_.process.log.read_bytes()
        unprintable = [byte for byte in log if byte < 0x20 and byte != 0x0a or byte > 0x7e]
        lines = log.decode("latin-1").splitlines()
        forged = [line for line in lines if line.startswith("association=")]
        if unprintable or forged:
            raise AssertionError(f"in the log: {unprintable[:5]} {forged[:2]}")


if __name__ == "__main__":
    hostile.h.main()
