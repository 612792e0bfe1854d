"""PDUs by hand, for peers that misbehave: just enough of PS3.8 to say things no library would say."""
import socket
import struct

VERIFICATION = "1.2.840.10008.1.1"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"


class Refused(Exception):
    """An A-ASSOCIATE-RJ: (result, source, reason)."""


class Aborted(Exception):
    """An A-ABORT: (source, reason)."""


def item(kind, body):
    return struct.pack(">BBH", kind, 0, len(body)) + body


def associate_rq(contexts=((VERIFICATION, (IMPLICIT,)), (SECONDARY_CAPTURE, (EXPLICIT,))), called=b"SAGITTA",
                 calling=b"RAW", max_pdu=16384, version=1, application=b"1.2.840.10008.3.1.1.1", user=b""):
    """user: further sub-items of User Information."""
    body = struct.pack(">HH", version, 0) + called.ljust(16) + calling.ljust(16) + b"\0" * 32
    body += item(0x10, application)
    for number, (abstract, transfers) in enumerate(contexts):
        inner = bytes([2 * number + 1, 0, 0, 0]) + item(0x30, abstract.encode())
        inner += b"".join(item(0x40, transfer.encode()) for transfer in transfers)
        body += item(0x20, inner)
    body += item(0x50, item(0x51, struct.pack(">I", max_pdu)) + item(0x52, b"2.25.77") + user)
    return pdu(1, body)


def extended(sop_class, information):
    """SOP Class Extended Negotiation (PS3.7 D.3.3.5)."""
    return item(0x56, struct.pack(">H", len(sop_class)) + sop_class.encode() + bytes(information))


def pdu(kind, body):
    return struct.pack(">BBI", kind, 0, len(body)) + body


def pdv(context, header, data):
    return struct.pack(">IBB", len(data) + 2, context, header) + data


def command(elements):
    """A command set: (element, 'UI' | 'US' | 'AE', value) of group 0000, Implicit VR Little Endian. Bytes stand as
    they are."""
    body = b""
    for number, kind, value in sorted(elements):
        data = value if isinstance(value, bytes) else struct.pack("<H", value) if kind == "US" else value.encode()
        if len(data) % 2:
            data += b"\0" if kind == "UI" else b" "
        body += struct.pack("<HHI", 0, number, len(data)) + data
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def parse_command(data):
    """element → bytes"""
    found, at = {}, 0
    while at + 8 <= len(data):
        group, number, length = struct.unpack_from("<HHI", data, at)
        found[number] = data[at + 8:at + 8 + length]
        at += 8 + length
    return found


class Connection:
    def __init__(self, port, timeout=30):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        self.socket.sendall(data)

    def read(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError(data)
            data += piece
        return data

    def read_pdu(self):
        head = self.read(6)
        return head[0], self.read(struct.unpack(">I", head[2:])[0])

    def read_to_end(self):
        """Everything until the other side closes."""
        data = b""
        try:
            while True:
                piece = self.socket.recv(65536)
                if not piece:
                    return data
                data += piece
        except ConnectionResetError:
            return data

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Association(Connection):
    """Agreed contexts, and messages over them."""

    def __init__(self, port, **options):
        super().__init__(port)
        try:
            self.send(associate_rq(**options))
            kind, body = self.read_pdu()
        except (OSError, EOFError) as error:
            self.close()
            raise Refused(str(error)) from error
        if kind == 3:
            self.close()
            raise Refused(tuple(body[1:4]))
        if kind == 7:
            self.close()
            raise Aborted(tuple(body[2:4]))
        if kind != 2:
            raise AssertionError(f"PDU {kind} instead of an answer to A-ASSOCIATE-RQ")
        self.accept = body
        self.message_id = 0

    def contexts(self):
        """context id → result"""
        found, at = {}, 68
        while at + 4 <= len(self.accept):
            kind, length = self.accept[at], struct.unpack_from(">H", self.accept, at + 2)[0]
            if kind == 0x21:
                found[self.accept[at + 4]] = self.accept[at + 6]
            at += 4 + length
        return found

    def user_items(self):
        """(type, body) of each sub-item of User Information in the answer."""
        found, at = [], 68
        while at + 4 <= len(self.accept):
            kind, length = self.accept[at], struct.unpack_from(">H", self.accept, at + 2)[0]
            inner = self.accept[at + 4:at + 4 + length] if kind == 0x50 else b""
            while len(inner) >= 4:
                size = struct.unpack_from(">H", inner, 2)[0]
                found.append((inner[0], inner[4:4 + size]))
                inner = inner[4 + size:]
            at += 4 + length
        return found

    def extended_answers(self):
        """SOP class → bytes"""
        answers = {}
        for kind, body in self.user_items():
            if kind == 0x56:
                size = struct.unpack_from(">H", body)[0]
                answers[body[2:2 + size].decode()] = tuple(body[2 + size:])
        return answers

    def find(self, sop_class, identifier, context=1):
        """Final status, and the matches' bytes."""
        self.message_id += 1
        self.context = context
        self.send_command([(2, "UI", sop_class), (0x100, "US", 0x20), (0x110, "US", self.message_id),
                           (0x700, "US", 0), (0x800, "US", 0)], context)
        self.send_data(identifier, last=True)
        matches = []
        while True:
            answer, data_set = self.message()
            if status_of(answer) not in (0xff00, 0xff01):
                return status_of(answer), matches
            matches.append(data_set)

    def message(self):
        """The next command's elements, and its data set's bytes."""
        parts, done = {1: b"", 0: b""}, set()
        answer = None
        while True:
            kind, body = self.read_pdu()
            if kind == 7:
                raise Aborted(tuple(body[2:4]))
            if kind != 4:
                raise AssertionError(f"PDU {kind} instead of a message")
            at = 0
            while at < len(body):
                length, header = struct.unpack_from(">I", body, at)[0], body[at + 5]
                parts[header & 1] += body[at + 6:at + 4 + length]
                if header & 2:
                    done.add(header & 1)
                at += 4 + length
            if 1 in done:
                answer = parse_command(parts[1])
                if struct.unpack("<H", answer[0x800])[0] == 0x101 or 0 in done:
                    return answer, parts[0]

    def send_command(self, elements, context):
        self.send(pdu(4, pdv(context, 3, command(elements))))

    def begin_store(self, sop_class, sop_instance, context=3):
        self.message_id += 1
        self.context = context
        self.send_command([(2, "UI", sop_class), (0x100, "US", 1), (0x110, "US", self.message_id), (0x700, "US", 0),
                           (0x800, "US", 0), (0x1000, "UI", sop_instance)], context)

    def send_data(self, data, last, piece=16000):
        for at in range(0, len(data), piece):
            end = last and at + piece >= len(data)
            self.send(pdu(4, pdv(self.context, 2 if end else 0, data[at:at + piece])))

    def store(self, data_set, sop_class, sop_instance, context=3):
        """Answers the response's elements."""
        self.begin_store(sop_class, sop_instance, context)
        self.send_data(data_set, last=True)
        return self.response()

    def echo(self, context=1):
        self.message_id += 1
        self.send_command([(2, "UI", VERIFICATION), (0x100, "US", 0x30), (0x110, "US", self.message_id),
                           (0x800, "US", 0x101)], context)
        return self.response()

    def response(self):
        data = b""
        while True:
            kind, body = self.read_pdu()
            if kind == 7:
                raise Aborted(tuple(body[2:4]))
            if kind != 4:
                raise AssertionError(f"PDU {kind} instead of a response")
            at = 0
            while at < len(body):
                length = struct.unpack_from(">I", body, at)[0]
                header = body[at + 5]
                if header & 1:
                    data += body[at + 6:at + 4 + length]
                    if header & 2:
                        return parse_command(data)
                at += 4 + length

    def response_status(self):
        return status_of(self.response())

    def release(self, deaf=False):
        """`deaf`: what is still on its way to us is not heard (PS3.8, AR-6)."""
        self.send(pdu(5, b"\0" * 4))
        kind, _ = self.read_pdu()
        while deaf and kind == 4:
            kind, _ = self.read_pdu()
        if kind != 6:
            raise AssertionError(f"PDU {kind} instead of A-RELEASE-RP")


def status_of(response):
    return struct.unpack("<H", response[0x900])[0]


def offending(response):
    """Offending Element (0000,0901)."""
    return list(struct.iter_unpack("<HH", response.get(0x901, b"")))


def comment_of(response):
    return response.get(0x902, b"").decode("ascii", "replace").strip()
