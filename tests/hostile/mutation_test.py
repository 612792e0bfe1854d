#!/usr/bin/env python3
"""Valid sessions, damaged with a fixed seed, by the thousand and at once: the node answers, forgets and goes on.

SAGITTA_MUTATIONS says how many (the test run: 1,500; `./dev hostile`: 10,000), SAGITTA_SEED which.
"""
import os
import random
import resource
import selectors
import socket
import struct
import time

import hostile
from hostile import CONTEXTS, ECHO, RELEASE, STUDY_GET, h, message, raw
from dimse_test import FIND, IMAGE, store_rq
from services_test import GET, keys, text

COUNT = int(os.environ.get("SAGITTA_MUTATIONS", 1500))
SEED = int(os.environ.get("SAGITTA_SEED", 20240229))
AT_ONCE = 32
# A damaged session may wait for bytes that never come: then we hang up.
ENOUGH = 0.25
WORKLIST = "1.2.840.10008.5.1.4.31"
COMMITMENT = "1.2.840.10008.1.20.1"
ALL = CONTEXTS + ((WORKLIST, (raw.EXPLICIT,)), (COMMITMENT, (raw.EXPLICIT,)))
STUDY = text(0x20, 0xd, "2.25.2")


def move_to(destination):
    return [(2, "UI", raw.STUDY_MOVE), (0x100, "US", 0x21), (0x110, "US", 1), (0x600, "AE", destination), (0x700, "US", 0),
            (0x800, "US", 0)]


def commitment():
    item = h.explicit(8, 0x1150, "UI", raw.SECONDARY_CAPTURE) + h.explicit(8, 0x1155, "UI", "2.25.1")
    items = struct.pack("<HHI", 0xfffe, 0xe000, len(item)) + item
    return h.explicit(8, 0x1195, "UI", "2.25.7") + h.explicit(8, 0x1199, "SQ", items)


def sessions():
    """What well-behaved SCUs send: a list of PDUs each."""
    role = raw.item(0x54, struct.pack(">H", 25) + raw.SECONDARY_CAPTURE.encode()[:25] + b"\1\1")
    identity = raw.item(0x58, b"\1\1\0\4user\0\0")
    extended = raw.extended(raw.STUDY_FIND, b"\1\1\1\1")
    request = raw.associate_rq(contexts=ALL)
    full = raw.associate_rq(contexts=ALL, user=role + identity + extended + raw.item(0x53, b"\0\4\0\4"))
    worklist = [(2, "UI", WORKLIST), *[one for one in FIND if one[0] != 2]]
    action = [(3, "UI", COMMITMENT), (0x100, "US", 0x130), (0x110, "US", 1), (0x800, "US", 0), (0x1001, "UI", COMMITMENT + ".1"),
              (0x1008, "US", 1)]
    step = h.explicit(0x40, 0x100, "SQ", struct.pack("<HHI", 0xfffe, 0xe000, 10) + h.explicit(8, 0x60, "CS", "CT"))
    talks = [
        ("echo", ECHO), ("store", message(3, store_rq(), IMAGE)),
        ("find", message(5, FIND, keys(text(0x10, 0x10, "T*"), STUDY))),
        ("find images", message(5, FIND, keys(STUDY, text(0x20, 0xe, ""), text(8, 0x18, ""), at="IMAGE"))),
        ("get", message(9, GET, keys(STUDY))), ("move", message(7, move_to("DOWN"), keys(STUDY))),
        ("commit", message(13, action, commitment())), ("worklist", message(11, worklist, step))]
    return [[begin, *pdus(talk), RELEASE] for _, talk in talks for begin in (request, full)]


def pdus(data):
    found = []
    while data:
        length = 6 + struct.unpack_from(">I", data, 2)[0]
        found.append(data[:length])
        data = data[length:]
    return found


def damaged(chance, all_sessions):
    """One session, changed in one to four places."""
    parts = list(chance.choice(all_sessions))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 4))):
        kind, at = chance.randrange(9), chance.randrange(len(parts))
        part = bytearray(parts[at])
        spot = chance.randrange(len(part)) if part else 0
        if kind == 0 and part:
            part[spot] ^= 1 << chance.randrange(8)
        elif kind == 1 and part:
            part[spot] = chance.choice((0, 1, 0x7f, 0x80, 0xfe, 0xff))
        elif kind == 2 and len(part) >= 6:  # the length of the PDU
            struct.pack_into(">I", part, 2, max(0, len(part) - 6 + chance.choice((-7, -2, -1, 1, 2, 7, 4096, 0x7fffffff))))
        elif kind == 3 and len(part) > 12:  # a length inside of it
            struct.pack_into(chance.choice(("<H", ">H", "<I", ">I")), part, chance.randrange(6, len(part) - 4),
                             chance.choice((0, 1, 0xff, 0xfffe, 0xffff)))
        elif kind == 4:
            part = part[:spot]
        elif kind == 5:
            parts.insert(at, parts[chance.randrange(len(parts))])
            continue
        elif kind == 6:
            chance.shuffle(parts)
            continue
        elif kind == 7:  # a splice with another session
            other = chance.choice(chance.choice(all_sessions))
            part = part[:spot] + other[chance.randrange(len(other)):]
        else:
            part[spot:spot] = chance.randbytes(chance.randrange(1, 40))
        parts[at] = bytes(part)
    return b"".join(parts)


class Session:
    """One connection that throws its bytes at the node and hears what comes, without ever blocking."""

    def __init__(self, port, data):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(("127.0.0.1", port))
        self.data, self.until = data, None

    def turn(self, now):
        """False when it is over."""
        try:
            if self.data:
                self.data = self.data[self.socket.send(self.data):]
            if not self.data and self.until is None:
                self.until = now + ENOUGH
            return self.socket.recv(65536) != b""
        except BlockingIOError:
            return self.until is None or now < self.until
        except OSError:
            return False


def throw(port, count, seed):
    """Answers how many bytes were thrown."""
    chance, all_sessions = random.Random(seed), sessions()
    selector, running, left, thrown = selectors.DefaultSelector(), set(), count, 0
    while left or running:
        while left and len(running) < AT_ONCE:
            session = Session(port, damaged(chance, all_sessions))
            thrown += len(session.data)
            selector.register(session.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, session)
            running.add(session)
            left -= 1
        ready = {key.data for key, _ in selector.select(0.01)}
        now = time.monotonic()
        for session in list(running):
            waits = session not in ready and (session.until is None or now < session.until)
            if not waits and not session.turn(now):
                selector.unregister(session.socket)
                session.socket.close()
                running.discard(session)
            elif not session.data:
                selector.modify(session.socket, selectors.EVENT_READ, session)
    return thrown


def resident(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


class Sessions(hostile.Node):
    peers = ["DOWN@127.0.0.1:1"]
    settings = hostile.SETTINGS + ["log.level=info"]

    def test_mutated(self):
        with raw.Association(self.node_.port) as association:
            self.assertEqual(0, raw.status_of(association.store(IMAGE, raw.SECONDARY_CAPTURE, "2.25.1")))
            association.release()
        tenth = max(COUNT // 10, 1)
        throw(self.node_.port, tenth, SEED)  # caches fill, pools grow
        before, began = resident(self.node_.pid), time.monotonic()
        thrown = throw(self.node_.port, COUNT - tenth, SEED + 1)
        took = time.monotonic() - began
        self.alive()
        h.wait_until(self.all_ended, "the end of all associations in the log")
        after = resident(self.node_.pid)
        print(f"seed {SEED}: {COUNT} sessions, {thrown} bytes, {took:.1f} s; resident {before >> 20} MiB, then {after >> 20} MiB")
        if not h.SANITIZED:  # freed memory is kept in quarantine there
            self.assertLess(after - before, 48 << 20)
        found = h.findscu(self.node_, "STUDY", {"StudyInstanceUID": "2.25.2"})
        self.assertEqual(["2.25.2"], h.texts(found, "StudyInstanceUID"))
        self.node_.stop()
        self.no_fault()
        h.sagitta("verify", "--data", self.node_.data, check=0)
        self.node_.start()

    def all_ended(self):
        log = self.node_.process.log_text()
        opened = {line.split("association=")[1].split()[0] for line in log.splitlines() if " open peer=" in line}
        ended = {line.split("association=")[1].split()[0] for line in log.splitlines()
                 if "association=" in line and (" released" in line or " ended peer=" in line)}
        return opened <= ended


if __name__ == "__main__":
    h.main()
