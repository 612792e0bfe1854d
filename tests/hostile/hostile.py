"""Peers that misbehave, as tables: (name, what the peer does, what it must see in return).

What the peer does is bytes, a function of the connection, or a list of these; `ANSWER` reads one
message. What it sees is one line: "AC 1:0 3:0, C-ECHO-RSP 0000, ABORT 2 6, closed".
"""
import pathlib
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))

import harness as h  # noqa: E402
import raw_dicom as raw  # noqa: E402

# The node hangs up by itself after ARTIM; no case may need longer than this.
ARTIM = 1.0
SETTINGS = ["limits.artim_timeout=1s", "limits.idle_timeout=3s", "limits.response_timeout=3s"]
RELEASE = raw.pdu(5, b"\0" * 4)
RELEASED = "RELEASE-RP, closed"
# The contexts every case has unless it says otherwise: 1 Verification, 3 Secondary Capture, 5 FIND, 7 MOVE, 9 GET.
STUDY_GET = "1.2.840.10008.5.1.4.1.2.2.3"
CONTEXTS = ((raw.VERIFICATION, (raw.IMPLICIT,)), (raw.SECONDARY_CAPTURE, (raw.EXPLICIT,)),
            (raw.STUDY_FIND, (raw.IMPLICIT,)), (raw.STUDY_MOVE, (raw.IMPLICIT,)), (STUDY_GET, (raw.IMPLICIT,)))
ALL_ACCEPTED = "AC 1:0 3:0 5:0 7:0 9:0"

FIELDS = {0x0001: "C-STORE-RQ", 0x8001: "C-STORE-RSP", 0x8010: "C-GET-RSP", 0x8020: "C-FIND-RSP", 0x8021: "C-MOVE-RSP",
          0x8030: "C-ECHO-RSP", 0x0100: "N-EVENT-REPORT-RQ", 0x8130: "N-ACTION-RSP"}


class Peer(raw.Connection):
    """A connection that writes down what the other side says."""

    def __init__(self, port):
        super().__init__(port, h.PATIENCE)
        self.own_port = self.socket.getsockname()[1]
        self.said = []
        self.commands = []
        self.accept = b""
        self.parts = {1: b"", 0: b""}
        self.waiting = None

    def answer(self):
        """Reads PDUs until one more thing was said."""
        count = len(self.said)
        while len(self.said) == count:
            self.take(*self.read_pdu())

    def take(self, kind, body):
        if kind == 4:
            self.take_data(body)
        elif kind == 2:
            self.accept = body
            self.said.append("AC " + " ".join(f"{n}:{result}" for n, result in self.contexts()))
        elif kind == 3:
            self.said.append("RJ {} {} {}".format(*body[1:4]))
        elif kind == 7:
            self.said.append("ABORT {} {}".format(*body[2:4]))
        else:
            self.said.append({5: "RELEASE-RQ", 6: "RELEASE-RP"}.get(kind, f"PDU {kind}"))

    def contexts(self):
        at = 68
        while at + 4 <= len(self.accept):
            kind, length = self.accept[at], struct.unpack_from(">H", self.accept, at + 2)[0]
            if kind == 0x21:
                yield self.accept[at + 4], self.accept[at + 6]
            at += 4 + length

    def take_data(self, body):
        at = 0
        while at < len(body):
            length, header = struct.unpack_from(">I", body, at)[0], body[at + 5]
            self.parts[header & 1] += body[at + 6:at + 4 + length]
            at += 4 + length
            if not header & 2:
                continue
            if header & 1:
                command, self.parts[1] = raw.parse_command(self.parts[1]), b""
                self.commands.append(command)
                field = struct.unpack("<H", command[0x100])[0]
                status = f" {raw.status_of(command):04X}" if 0x900 in command else ""
                self.waiting = FIELDS.get(field, f"{field:04X}") + status
                if struct.unpack("<H", command[0x800])[0] == 0x101:
                    self.said.append(self.waiting)
            else:
                self.said.append(self.waiting + " +")
                self.last_data_set, self.parts[0] = self.parts[0], b""

    def hear_out(self):
        """Until the other side hangs up: by itself, or because we do after its last word."""
        began = time.monotonic()
        try:
            while True:
                self.take(*self.read_pdu())
                if self.said[-1:] and self.said[-1].startswith(("ABORT", "RJ", "RELEASE-RP")):
                    self.socket.shutdown(1)
        except EOFError as error:
            self.said.append("closed" if error.args[0] in (b"", ()) else "closed inside of a PDU")
        except ConnectionResetError:
            self.said.append("closed")
        except OSError as error:
            self.said.append(str(error))
        return time.monotonic() - began


def play(peer, script):
    for step in script if isinstance(script, list) else [script]:
        if isinstance(step, (bytes, bytearray)):
            peer.send(bytes(step))
        else:
            step(peer)


ANSWER = Peer.answer


def associated(*script, **options):
    """The script behind an association that was accepted."""
    options.setdefault("contexts", CONTEXTS)
    return [raw.associate_rq(**options), ANSWER, *script]


def message(context, elements, data=None):
    """A command and its data set, each in one PDV of its own PDU."""
    sent = raw.pdu(4, raw.pdv(context, 3, raw.command(elements)))
    return sent if data is None else sent + raw.pdu(4, raw.pdv(context, 2, data))


def echo(message_id=1, sop_class=raw.VERIFICATION):
    return [(2, "UI", sop_class), (0x100, "US", 0x30), (0x110, "US", message_id), (0x800, "US", 0x101)]


ECHO = message(1, echo())
ECHOED = "C-ECHO-RSP 0000"


class Node(h.Case):
    """One node for the cases of a class; after each of them it must still be well."""

    settings = SETTINGS
    peers = ()

    @classmethod
    def setUpClass(cls):
        h.need_sagitta()
        folder = h.temporary_folder()
        cls.addClassCleanup(folder.cleanup)
        cls.node_ = h.Node(folder.name, settings=cls.settings, peers=cls.peers)
        cls.addClassCleanup(cls.node_.kill)
        cls.descriptors = None

    @classmethod
    def tearDownClass(cls):
        cls.node_.stop()
        cls.no_fault()

    @classmethod
    def no_fault(cls):
        """No sanitizer has said anything."""
        for fault in ("ERROR: AddressSanitizer", "runtime error:", "LeakSanitizer", "ThreadSanitizer"):
            if fault in cls.node_.process.log_text():
                raise AssertionError(cls.node_.process.log_text()[-8000:])

    def reaction(self, script):
        """What the node said to a peer that did this; the association must have ended in the log too."""
        with Peer(self.node_.port) as peer:
            try:
                play(peer, script)
            except (EOFError, ConnectionError):
                pass  # hung up upon: what was said before counts
            peer.hear_out()
        self.ended(peer.own_port)
        return ", ".join(peer.said)

    def ended(self, port):
        """The log tells of the end of the connection from that port."""
        def told():
            log = self.node_.process.log_text()
            if f"ended peer=127.0.0.1:{port}:" in log:
                return True
            at = log.find(f" open peer=127.0.0.1:{port} ")
            number = log[log.rfind("association=", 0, at):at] if at >= 0 else None
            return number is not None and f"{number} released" in log
        h.wait_until(told, f"the end of the connection from port {port} in the log")

    def alive(self):
        self.assertIsNone(self.node_.process.process.poll(), "the node is gone")
        with raw.Association(self.node_.port) as association:
            self.assertEqual(0, raw.status_of(association.echo()))
            association.release()

    def check(self, script, expected):
        self.assertEqual(expected, self.reaction(script))
        self.alive()


def cases(table):
    """Makes each row of the table a test."""
    def fill(cls):
        for name, script, expected in table:
            def test(self, script=script, expected=expected):
                self.check(script, expected)
            method = "test_" + "".join(c if c.isalnum() else "_" for c in name)
            if hasattr(cls, method):
                raise ValueError(f"two cases are called {name}")
            setattr(cls, method, test)
        return cls
    return fill
