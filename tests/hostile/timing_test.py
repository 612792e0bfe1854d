#!/usr/bin/env python3
"""Slow, silent and vanishing peers: every wait of the node has an end, and nobody waits for them."""
import os
import resource
import socket
import struct
import time

import hostile
from hostile import (ALL_ACCEPTED, ANSWER, CONTEXTS, ECHO, ECHOED, RELEASE, RELEASED, associated, h, message, raw)
from dimse_test import BEGIN_STORE, HALF, IMAGE, store_rq

REQUEST = raw.associate_rq(contexts=CONTEXTS)
# Idle timeout and ARTIM of these nodes, and what a busy machine may add.
LATEST = 3.0 + 1.0 + 20.0


def byte_by_byte(data):
    return [data[at:at + 1] for at in range(len(data))]


def reset(peer):
    """RST instead of FIN."""
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.socket.close()


def half_close(peer):
    peer.socket.shutdown(socket.SHUT_WR)


SLOW = [
    ("a request byte by byte", [*byte_by_byte(REQUEST), ANSWER, RELEASE], f"{ALL_ACCEPTED}, {RELEASED}"),
    ("an echo byte by byte", associated(*byte_by_byte(ECHO), ANSWER, RELEASE), f"{ALL_ACCEPTED}, {ECHOED}, {RELEASED}"),
    ("a store byte by byte", associated(*byte_by_byte(message(3, store_rq(), IMAGE)), ANSWER, RELEASE),
     f"{ALL_ACCEPTED}, C-STORE-RSP 0000, {RELEASED}"),
    ("silence from the beginning", [], "closed"),
    ("silence behind a byte", b"\1", "closed"),
    ("silence behind half a request", REQUEST[:100], "closed"),
    ("silence on an association", associated(), f"{ALL_ACCEPTED}, ABORT 0 0, closed"),
    ("silence in a PDU header", associated(ECHO[:3]), f"{ALL_ACCEPTED}, ABORT 0 0, closed"),
    ("silence in a command", associated(ECHO[:30]), f"{ALL_ACCEPTED}, ABORT 0 0, closed"),
    ("silence in a data set", associated(BEGIN_STORE, HALF), f"{ALL_ACCEPTED}, ABORT 0 0, closed"),
    ("silence in a PDU of a data set", associated(BEGIN_STORE, HALF[:-9]), f"{ALL_ACCEPTED}, ABORT 0 0, closed"),
    ("silence behind an echo", associated(ECHO), f"{ALL_ACCEPTED}, {ECHOED}, ABORT 0 0, closed"),
]

GONE = [("half closed at once", [half_close], "closed")] + [
    (f"{how} {where}", [*script, leave], said)
    for how, leave in (("half closed", half_close), ("reset", reset))
    for where, script, said in (
        ("behind a byte", [b"\1"], "closed"), ("behind half a request", [REQUEST[:100]], "closed"),
        ("on an association", associated(), f"{ALL_ACCEPTED}, closed"),
        ("in a PDU header", associated(ECHO[:3]), f"{ALL_ACCEPTED}, closed"),
        ("in a data set", associated(BEGIN_STORE, HALF), f"{ALL_ACCEPTED}, closed"),
        ("in a PDU of a data set", associated(BEGIN_STORE, HALF[:-9]), f"{ALL_ACCEPTED}, closed"))
]


@hostile.cases(SLOW)
class Slow(hostile.Node):
    """Byte by byte, and silence at every step."""

    def check(self, script, expected):
        began = time.monotonic()
        super().check(script, expected)
        self.assertLess(time.monotonic() - began, LATEST)


@hostile.cases(GONE)
class Gone(hostile.Node):
    """Closed or reset at every step."""

    def check(self, script, expected):
        if script[-1] is reset:  # there is nobody left to hear anything
            with hostile.Peer(self.node_.port) as peer:
                hostile.play(peer, script)
            self.ended(peer.own_port)
            self.alive()
        else:
            super().check(script, expected)

    def test_nothing_was_filed(self):
        self.assertEqual([], h.findscu(self.node_, "STUDY", {"StudyInstanceUID": ""}))


class Deaf(hostile.Node):
    """Answers that nobody reads."""

    def test_echoes_without_end(self):
        """TCP slows the peer: the node takes no more than it can answer, and others are served."""
        with hostile.Peer(self.node_.port) as peer:
            hostile.play(peer, associated())
            before = resident(self.node_.pid)
            peer.socket.setblocking(False)
            flood, sent, quiet = ECHO * 1000, 0, 0
            while sent < 64 << 20 and quiet < 50:
                try:
                    sent += peer.socket.send(flood)
                    quiet = 0
                except BlockingIOError:
                    quiet += 1
                    h.wait_a_moment()
            self.alive()
            if not h.SANITIZED:  # freed memory is kept in quarantine there
                self.assertLess(resident(self.node_.pid) - before, 64 << 20, f"after {sent} bytes")
        self.ended(peer.own_port)


def resident(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Silent(hostile.Node):
    """Connections that never say anything take nobody's place."""

    # ARTIM must not be what saves us here.
    settings = ["limits.artim_timeout=5m"]

    def connect(self, count):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < count + 100:
            raise h.Missing(f"no more than {hard} files may be open")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 100), hard))
        silent = [socket.create_connection(("127.0.0.1", self.node_.port), h.PATIENCE) for _ in range(count)]
        for one in silent:
            self.addCleanup(one.close)
        return silent

    def test_a_thousand_and_an_echo(self):
        before = descriptors(self.node_.pid)
        silent = self.connect(1000)
        self.alive()
        h.wait_until(lambda: descriptors(self.node_.pid) < before + 300, "the oldest silent connections being closed")
        self.assertEqual(b"", silent[0].recv(1), "the oldest gave way")
        # The newest still has its turn.
        silent[-1].sendall(REQUEST)
        self.assertEqual(2, silent[-1].recv(6)[0])


class Full(hostile.Node):
    """More associations than there may be."""

    settings = hostile.SETTINGS + ["limits.associations=3", "limits.idle_timeout=1m"]

    def test_the_next_is_refused_for_the_moment(self):
        silent = [socket.create_connection(("127.0.0.1", self.node_.port), h.PATIENCE) for _ in range(20)]
        held = [raw.Association(self.node_.port) for _ in range(3)]
        for _ in range(100):
            self.assertEqual("RJ 2 3 2, closed", self.reaction(REQUEST))
        held.pop().close()
        h.wait_until(self.admitted, "room for another")
        for one in silent + held:
            one.close()

    def admitted(self):
        try:
            raw.Association(self.node_.port).close()
        except raw.Refused:
            return False
        return True


if __name__ == "__main__":
    h.main()
