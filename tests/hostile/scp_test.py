#!/usr/bin/env python3
"""Servers that misbehave, and our commands: exit status 1, one sentence, in bounded time, and nothing left behind."""
import json
import pathlib
import re
import socket
import struct
import threading
import time

import hostile
from hostile import h, raw

COMMITMENT = "1.2.840.10008.1.20.1"
GONE = (OSError, EOFError)
# Long enough for a sanitized program on a busy machine, short enough to be no hang.
LATEST = 40.0


class Server(raw.Connection):
    """One accepted connection, on the side of the SCP."""

    def __init__(self, accepted):
        self.socket = accepted
        self.socket.settimeout(LATEST)
        self.proposed = []
        self.parts = {1: b"", 0: b""}

    def request(self):
        """Reads the A-ASSOCIATE-RQ: (id, abstract syntax, transfer syntaxes) of each context."""
        body, at = self.read_pdu()[1], 68
        while at + 4 <= len(body):
            kind, length = body[at], struct.unpack_from(">H", body, at + 2)[0]
            if kind == 0x20:
                self.proposed.append(self.context(body[at + 4:at + 4 + length]))
            at += 4 + length
        return body

    @staticmethod
    def context(inner):
        number, at, syntaxes, abstract = inner[0], 4, [], b""
        while at + 4 <= len(inner):
            kind, length = inner[at], struct.unpack_from(">H", inner, at + 2)[0]
            value = inner[at + 4:at + 4 + length]
            abstract = value if kind == 0x30 else abstract
            syntaxes += [value] if kind == 0x40 else []
            at += 4 + length
        return number, abstract.decode(), syntaxes

    def accept(self, contexts=None, max_pdu=16384, more=b"", roles=True):
        """contexts: (id, result, transfer syntax) instead of everything that was proposed."""
        body = self.request()
        if contexts is None:
            contexts = [(number, 0, syntaxes[0]) for number, _, syntaxes in self.proposed]
        answer = body[:68] + raw.item(0x10, b"1.2.840.10008.3.1.1.1")
        for number, result, syntax in contexts:
            answer += raw.item(0x21, bytes([number, 0, result, 0]) + raw.item(0x40, syntax))
        user = raw.item(0x51, struct.pack(">I", max_pdu)) + raw.item(0x52, b"2.25.78")
        for _, abstract, _ in self.proposed if roles else []:
            user += raw.item(0x54, struct.pack(">H", len(abstract)) + abstract.encode() + b"\1\1")
        self.send(raw.pdu(2, answer + raw.item(0x50, user) + more))

    def context_of(self, abstract):
        return next(number for number, uid, _ in self.proposed if uid == abstract)

    def message(self):
        """(context, command, data set) of the next message; releases are confirmed."""
        command = None
        while True:
            kind, body = self.read_pdu()
            if kind == 5:
                self.send(raw.pdu(6, b"\0" * 4))
                raise EOFError(b"")
            if kind != 4:
                raise EOFError(b"")
            at = 0
            while at < len(body):
                length, context, header = struct.unpack_from(">IBB", body, at)
                self.parts[header & 1] += body[at + 6:at + 4 + length]
                at += 4 + length
                if not header & 2:
                    continue
                data, self.parts[header & 1] = self.parts[header & 1], b""
                if header & 1:
                    command = raw.parse_command(data)
                if not header & 1 or struct.unpack("<H", command[0x800])[0] == 0x101:
                    return context, command, data

    def respond(self, to, status=0, data=None, field=None, message_id=None, context=None, more=(), without=()):
        number, command, _ = to
        asked = struct.unpack("<H", command[0x100])[0]
        own = struct.unpack("<H", command[0x110])[0]
        elements = [(0x100, "US", field if field is not None else asked | 0x8000),
                    (0x120, "US", message_id if message_id is not None else own),
                    (0x800, "US", 0x101 if data is None else 1), (0x900, "US", status), *more]
        elements = [one for one in elements if one[0] not in without]
        self.send(hostile.message(context or number, elements, data))


class Scp:
    """Listens, and does to everybody the same."""

    def __init__(self, behave):
        self.behave = behave
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.stopped = threading.Event()
        self.errors = []
        self.threads = [threading.Thread(target=self.listen, daemon=True)]
        self.threads[0].start()

    def listen(self):
        while True:
            try:
                accepted, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self.serve, args=(accepted,), daemon=True)
            thread.start()

    def serve(self, accepted):
        with Server(accepted) as server:
            server.stopped = self.stopped
            try:
                self.behave(server)
            except GONE:
                pass  # our command hung up
            except Exception as error:  # a fault of the test's own
                self.errors.append(error)

    def close(self):
        self.stopped.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def silence(server):
    server.stopped.wait(LATEST)


def then(*steps):
    def behave(server):
        for step in steps:
            server.send(step) if isinstance(step, bytes) else step(server)
    return behave


def accepting(step=silence, **options):
    """An association that works; `step` gets each message."""
    def behave(server):
        server.accept(**options)
        if step is silence:
            return silence(server)
        while True:
            step(server, server.message())
    return behave


def answering(*arguments, **options):
    return accepting(lambda server, message: server.respond(message, *arguments, **options))


def saying(data, wait=True):
    """These bytes instead of an answer."""
    def step(server, _):
        server.send(data)
        if wait:
            silence(server)
        raise EOFError(b"")
    return accepting(step)


def reset(server):
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_later(server, _):
    reset(server)
    raise EOFError(b"")


def leave(server, _):
    raise EOFError(b"")


def with_contexts(make, **options):
    """AC with contexts made from those proposed."""
    def behave(server):
        server.accept(contexts=[(1, 0, raw.IMPLICIT.encode())] if make is None else make, **options)
        while True:
            server.respond(server.message())
    return behave


ABORT = raw.pdu(7, b"\0\0\2\1")
RELEASE = hostile.RELEASE
IMPLICIT = raw.IMPLICIT.encode()

# What happens before there is an association is the same for all commands: echo stands for them.
ASSOCIATE = [
    ("closed at once", then()),
    ("reset at once", then(reset)),
    ("silence instead of an answer", silence),
    ("half an answer and the end", then(Server.request, raw.pdu(2, b"\0" * 200)[:50])),
    ("half an answer and silence", then(Server.request, raw.pdu(2, b"\0" * 200)[:50], silence)),
    ("HTTP instead of an answer", then(Server.request, b"HTTP/1.1 400 Bad Request\r\n\r\n", silence)),
    ("an answer of four gigabytes", then(Server.request, b"\2\0\xff\xff\xff\xff" + b"\0" * 4096, silence)),
    ("an answer of its fixed part without contexts", then(Server.request, raw.pdu(2, b"\0\1" + b"\0" * 66), silence)),
    ("an answer cut short in an item", accepting(more=b"\x50\0\xff\xff")),
    ("refused for good", then(Server.request, raw.pdu(3, b"\0\1\1\7"), silence)),
    ("refused for now", then(Server.request, raw.pdu(3, b"\0\2\3\2"), silence)),
    ("refused with numbers that mean nothing", then(Server.request, raw.pdu(3, b"\0\xff\xee\xdd"), silence)),
    ("aborted instead of an answer", then(Server.request, ABORT, silence)),
    ("released instead of an answer", then(Server.request, RELEASE, silence)),
    ("data instead of an answer", then(Server.request, hostile.ECHO, silence)),
    ("our own request back", then(lambda server: server.send(raw.pdu(1, server.request())), silence)),
    ("no context accepted", with_contexts([])),
    ("a context that was never proposed", with_contexts([(99, 0, IMPLICIT)])),
    ("a context twice", with_contexts([(1, 0, IMPLICIT), (1, 0, IMPLICIT)])),
    ("a context of an even id", with_contexts([(2, 0, IMPLICIT)])),
    ("a transfer syntax that was never proposed", with_contexts([(1, 0, b"1.2.840.10008.1.2.4.50")])),
    ("a context with an undefined result", with_contexts([(1, 77, IMPLICIT)])),
    ("a maximum length of 1", with_contexts(None, max_pdu=1)),
]

ECHOES = [
    ("never answered", accepting()),
    ("the end instead of an answer", accepting(leave)),
    ("a reset instead of an answer", accepting(reset_later)),
    ("an abort instead of an answer", saying(ABORT)),
    ("a release instead of an answer", saying(RELEASE)),
    ("noise instead of an answer", saying(b"\xff" * 100)),
    ("another message's answer", answering(message_id=77)),
    ("an answer to another operation", answering(field=0x8020)),
    ("a request instead of an answer", saying(hostile.ECHO)),
    ("an answer without a status", answering(without=(0x900,))),
    ("an answer without a message id", answering(without=(0x120,))),
    ("an answer without a command field", answering(without=(0x100,))),
    ("an answer in a context that was not agreed", answering(context=99)),
    ("a failure status", answering(0x0122)),
    ("an unknown status", answering(0x7777)),
    ("half an answer and the end", saying(hostile.ECHO[:20], wait=False)),
    ("half an answer and silence", saying(hostile.ECHO[:20])),
]

ONE_MATCH = b"\x20\0\x0d\0\4\0\0\x001.2\0"

FINDS = [
    ("never answered", accepting()),
    ("a failure status", answering(0xa700)),
    ("a pending answer without a match", answering(0xff00)),
    ("a match of noise", answering(0xff00, b"\xff" * 99)),
    ("a match of 20 MB", accepting(lambda server, message: server.send(
        hostile.message(message[0], [(0x100, "US", 0x8020), (0x120, "US", 1), (0x800, "US", 1), (0x900, "US", 0xff00)]) +
        raw.pdu(4, raw.pdv(message[0], 0, b"\0" * 200000)) * 100 + raw.pdu(4, raw.pdv(message[0], 2, b""))))),
    ("a match in a context that was not agreed", answering(0xff00, b"", context=99)),
    ("one match and silence", answering(0xff00, ONE_MATCH)),
    ("1,000 matches and the end", accepting(lambda server, message: (
        [server.respond(message, 0xff00, ONE_MATCH) for _ in range(1000)], leave(server, message)))),
]

def without_end(data=None):
    """Pending answers until the peer hangs up, cancels or not."""
    def step(server, message):
        answer = hostile.message(message[0], [
            (0x100, "US", struct.unpack("<H", message[1][0x100])[0] | 0x8000), (0x120, "US", 1),
            (0x800, "US", 0x101 if data is None else 1), (0x900, "US", 0xff00)], data)
        until = time.monotonic() + 3.0
        while time.monotonic() < until:
            server.send(answer * 100)
        leave(server, message)
    return accepting(step)


WHOLE = h.make_data_set(instance="2.25.1", study="2.25.2", series="2.25.3")
SC = raw.SECONDARY_CAPTURE


def sub_store(instance="2.25.1", data=WHOLE, sop_class=SC, context=SC, announce=1, count=1):
    """Sends C-STORE-RQs and says that all went well, whatever was answered."""
    def step(server, message):
        for number in range(count):
            where = server.context_of(context) if isinstance(context, str) else context or message[0]
            server.send(hostile.message(where, [
                (2, "UI", sop_class), (0x100, "US", 1), (0x110, "US", 500 + number), (0x700, "US", 0), (0x800, "US", announce),
                (0x1000, "UI", instance)], data))
            server.message()
        server.respond(message, 0, more=[(0x1021, "US", count), (0x1022, "US", 0), (0x1023, "US", 0)])
    return accepting(step)


def half_a_store(after):
    def step(server, message):
        where = server.context_of(SC)
        whole = hostile.message(where, [(2, "UI", SC), (0x100, "US", 1), (0x110, "US", 9), (0x700, "US", 0), (0x800, "US", 1),
                                        (0x1000, "UI", "2.25.1")], WHOLE)
        server.send(whole[:-40])
        after(server, message)
    return accepting(step)


GETS = [
    ("never answered", accepting()),
    ("refused", answering(0xa702)),
    ("an instance UID that leads elsewhere", sub_store("../../../evil")),
    ("an absolute instance UID", sub_store("/tmp/evil-sagitta-test")),
    ("no instance UID", sub_store("")),
    ("an instance of another class", sub_store(sop_class="1.2.840.10008.5.1.4.1.1.2")),
    ("an instance in the context of the query", sub_store(context=None)),
    ("an instance in a context that was not agreed", sub_store(context=201)),
    ("an instance without a data set", sub_store(data=None, announce=0x101)),
    ("half an instance and the end", half_a_store(leave)),
    ("half an instance and silence", half_a_store(lambda server, _: silence(server))),
    ("half an instance and an abort", half_a_store(lambda server, _: (server.send(ABORT), silence(server)))),
    ("a request that is no store", saying(hostile.ECHO)),
    ("pending answers and silence", accepting(lambda server, message: (server.respond(message, 0xff00), silence(server)))),
    ("pending answers without end", without_end()),
    ("half of them failed", answering(0xb000, more=[(0x1021, "US", 1), (0x1022, "US", 1), (0x1023, "US", 0)])),
]

MOVES = [
    ("never answered", accepting()),
    ("the destination is unknown", answering(0xa801)),
    ("a pending answer and the end", accepting(lambda server, message: (server.respond(message, 0xff00), leave(server, message)))),
    ("pending answers without end", without_end()),
    ("another message's answer", answering(message_id=77)),
    ("an instance on the association of the move", saying(hostile.message(1, [
        (2, "UI", SC), (0x100, "US", 1), (0x110, "US", 9), (0x700, "US", 0), (0x800, "US", 1), (0x1000, "UI", "2.25.1")], WHOLE))),
]


def refusing(server):
    server.request()
    contexts = [(number, 3, syntaxes[0]) for number, _, syntaxes in server.proposed]
    server.send(raw.pdu(2, b"\0\1" + b"\0" * 66 + raw.item(0x10, b"1.2.840.10008.3.1.1.1") + b"".join(
        raw.item(0x21, bytes([number, 0, result, 0]) + raw.item(0x40, syntax)) for number, result, syntax in contexts) +
        raw.item(0x50, raw.item(0x51, b"\0\0\x40\0"))))
    silence(server)


def dripping(server, message):
    """The answer, a byte now and then: a peer that is never silent and never done."""
    whole, send = [], server.send
    server.send = whole.append
    server.respond(message)
    for byte in b"".join(whole):
        send(bytes([byte]))
        time.sleep(0.2)
    silence(server)


STORES = [
    ("never answered", accepting()),
    ("an answer byte by byte", accepting(dripping)),
    ("every context refused", refusing),
    ("a failure status", answering(0xc000)),
    ("another message's answer", answering(message_id=77)),
    ("an answer without a status", answering(without=(0x900,))),
    ("an abort in the middle of the data set", then(Server.accept, Server.read_pdu, ABORT, silence)),
    ("the end in the middle of the data set", then(Server.accept, Server.read_pdu)),
    ("a reset in the middle of the data set", then(Server.accept, Server.read_pdu, reset)),
    ("a release in the middle of the data set", then(Server.accept, Server.read_pdu, RELEASE, silence)),
]

def reporting(information):
    """Agrees to the request and then reports something else."""
    def step(server, message):
        if 0x110 not in message[1]:
            return  # the response to our report
        server.respond(message)
        server.send(hostile.message(message[0], [
            (2, "UI", COMMITMENT), (0x100, "US", 0x100), (0x110, "US", 1), (0x800, "US", 0x101 if information is None else 1),
            (0x1000, "UI", COMMITMENT + ".1"), (0x1002, "US", 1)], information))
    return accepting(step)


COMMITS = [
    ("never answered", accepting()),
    ("refused", answering(0x0110)),
    ("an answer byte by byte", accepting(dripping)),
    ("no report", answering(0)),
    ("a report of noise", reporting(b"\xff" * 99)),
    ("a report of another transaction", reporting(h.explicit(8, 0x1195, "UI", "2.25.666"))),
    ("a report without a data set", reporting(None)),
]


class Command(h.Case):
    """One command of ours against a server that misbehaves."""

    words = ()

    def arguments(self, port):
        path = self.folder / "image.dcm"
        h.make_instance(path, instance="2.25.1", pixels=b"\0" * 1000000)
        out = self.folder / "out"
        return [str(word).format(peer=f"BAD@127.0.0.1:{port}", file=path, out=out) for word in self.words]

    def check(self, behave, _):
        scp = Scp(behave)
        self.addCleanup(scp.close)
        before = time.monotonic()
        answer = h.sagitta(*self.arguments(scp.port), timeout=LATEST)
        self.assertLess(time.monotonic() - before, LATEST)
        self.assertEqual([], scp.errors)
        self.assertEqual(1, answer.status, answer.text)
        said = [line for line in answer.err.decode().splitlines() if not re.fullmatch(r"\d+ match(es)?", line)]
        self.assertEqual(1, len(said), answer.text)
        self.assertRegex(said[0], r"^(sagitta|failed): .{8,}$")
        self.assertTrue(said[0].isprintable(), said)
        self.assertEqual([], h.files_below(self.folder / "out"))
        self.assertEqual({"image.dcm", "out"} | {path.name for path in self.folder.iterdir()}, {"image.dcm", "out"})
        self.assertFalse(pathlib.Path("/tmp/evil-sagitta-test.dcm").exists())


def with_nothing(table):
    return [(name, behave, None) for name, behave in table]


@hostile.cases(with_nothing(ASSOCIATE))
class Associate(Command):
    words = ("echo", "{peer}", "--timeout", "1s")


@hostile.cases(with_nothing(ECHOES))
class Echo(Command):
    words = ("echo", "{peer}", "--timeout", "1s")


@hostile.cases(with_nothing(FINDS))
class Find(Command):
    words = ("find", "{peer}", "--timeout", "1s", "-k", "StudyInstanceUID")

    def test_matches_without_end(self):
        """Cancelled at the limit; what then still comes is heard for the timeout and no longer."""
        scp = Scp(without_end(ONE_MATCH))
        self.addCleanup(scp.close)
        words = ("find", f"BAD@127.0.0.1:{scp.port}", "--timeout", "1s", "-k", "StudyInstanceUID")
        for limit in ([], ["--limit", "7"]):
            before = time.monotonic()
            answer = h.sagitta(*words, *limit, timeout=LATEST)
            self.assertLess(time.monotonic() - before, LATEST)
            self.assertEqual(1, answer.status, answer.text)
            self.assertIn("go on long after C-CANCEL" if limit else "", answer.err.decode())

    def test_no_more_than_wanted(self):
        def step(server, message):
            for number in range(10):
                server.respond(message, 0xff00, ONE_MATCH)
            cancelled = server.message()
            server.respond(message, 0xfe00 if cancelled[1][0x100] == b"\xff\x0f" else 0xa700)
        scp = Scp(accepting(step))
        self.addCleanup(scp.close)
        answer = h.sagitta("find", f"BAD@127.0.0.1:{scp.port}", "--json", "--limit", "7", "-k", "StudyInstanceUID", check=0)
        self.assertEqual(7, len(json.loads(answer.out)))

    def test_what_terminals_would_obey(self):
        match = struct.pack("<HHI", 0x10, 0x10, 12) + b"\x1b[2JEvil\x9b\x07\r\n" + b"\x20\0\x0d\0\4\0\0\x001.2\0"

        def step(server, message):
            server.respond(message, 0xff00, match)
            server.respond(message, 0)
        scp = Scp(accepting(step))
        self.addCleanup(scp.close)
        for form in ([], ["--json"]):
            answer = h.sagitta("find", f"BAD@127.0.0.1:{scp.port}", "-k", "PatientName", *form, check=0)
            self.assertIn(b"Evil", answer.out)
            self.assertFalse(set(answer.out) & (set(range(32)) - {9, 10} | {0x7f}), answer.out)


@hostile.cases(with_nothing(GETS))
class Get(Command):
    words = ("get", "{peer}", "--timeout", "1s", "--sop-class", SC, "-k", "StudyInstanceUID=2.25.2", "-o", "{out}")


@hostile.cases(with_nothing(MOVES))
class Move(Command):
    words = ("move", "{peer}", "--timeout", "1s", "--to", "DEST", "-k", "StudyInstanceUID=2.25.2")


@hostile.cases(with_nothing(STORES))
class Store(Command):
    words = ("store", "{peer}", "--timeout", "1s", "-q", "{file}")


class StoreToSlowReaders(h.Case):
    """An object larger than what the kernels between us hold."""

    def store_to(self, take):
        def behave(server):
            server.accept()
            while take(server):
                pass
        path = self.folder / "large.dcm"
        h.make_instance(path, instance="2.25.1", pixels=b"\0" * 32_000_000)
        scp = Scp(behave)
        self.addCleanup(scp.close)
        before = time.monotonic()
        answer = h.sagitta("store", f"BAD@127.0.0.1:{scp.port}", "--timeout", "1s", "-q", path, timeout=LATEST)
        self.assertLess(time.monotonic() - before, LATEST)
        self.assertEqual([], scp.errors)
        self.assertEqual(1, answer.status, answer.text)
        self.assertRegex(answer.err.decode(), r"^(sagitta|failed): .{8,}\n$")

    def test_nothing_is_taken(self):
        self.store_to(lambda server: not server.stopped.wait(LATEST))

    def test_a_byte_now_and_then(self):
        def take(server):
            self.assertEqual(1, len(server.socket.recv(1)) if not server.stopped.wait(0.02) else 1)
            return not server.stopped.is_set()
        self.store_to(take)

    def test_the_beginning_and_then_nothing(self):
        def take(server):
            server.read(200_000)
            return not server.stopped.wait(LATEST)
        self.store_to(take)


@hostile.cases(with_nothing(COMMITS))
class Commit(Command):
    words = ("commit", "{peer}", "--timeout", "1s", "--wait", "1s", "{file}")


if __name__ == "__main__":
    h.main()
