"""Storage commitment (PS3.4 Annex J): in raw PDUs, with Orthanc both ways, and with our own command."""
import contextlib
import json
import socket
import struct
import threading

import pydicom.filebase
import pydicom.filereader

from harness import (Case, OrthancCase, explicit, free_port, main, make_instance, new_uid, sagitta, wait_until,
                     SECONDARY_CAPTURE)
from raw_dicom import EXPLICIT, Association, Connection, item, command, pdu, pdv, status_of

COMMITMENT = "1.2.840.10008.1.20.1"
INSTANCE = "1.2.840.10008.1.20.1.1"


def sequence(group, number, items):
    body = b"".join(struct.pack("<HHI", 0xfffe, 0xe000, len(one)) + one for one in items)
    return explicit(group, number, "SQ", body)


def action_information(transaction, references):
    items = [explicit(8, 0x1150, "UI", sop_class) + explicit(8, 0x1155, "UI", instance)
             for sop_class, instance in references]
    return (explicit(8, 0x1195, "UI", transaction) if transaction else b"") + sequence(8, 0x1199, items)


def read(data):
    source = pydicom.filebase.DicomBytesIO(data)
    source.is_little_endian, source.is_implicit_VR = True, False
    return pydicom.filereader.read_dataset(source, False, True)


def outcome(data):
    """(committed, {failed: reason}) of a report."""
    report = read(data)
    return ([str(one.ReferencedSOPInstanceUID) for one in report.get("ReferencedSOPSequence", [])],
            {str(one.ReferencedSOPInstanceUID): one.FailureReason for one in report.get("FailedSOPSequence", [])})


class Requestor(Association):
    def __init__(self, port, calling=b"RAW"):
        super().__init__(port, contexts=((COMMITMENT, (EXPLICIT,)),), calling=calling)

    def ask(self, information, action=1, instance=INSTANCE):
        self.message_id += 1
        self.context = 1
        self.send_command([(3, "UI", COMMITMENT), (0x100, "US", 0x130), (0x110, "US", self.message_id),
                           (0x800, "US", 0), (0x1001, "UI", instance), (0x1008, "US", action)], 1)
        self.send_data(information, last=True)
        return self.response()

    def event(self):
        """Event type and information, answered with success."""
        request, data = self.message()
        assert struct.unpack("<H", request[0x100])[0] == 0x100, request
        answer_event(self, request, 1)
        return struct.unpack("<H", request[0x1002])[0], data


def answer_event(connection, request, context, status=0):
    number = struct.unpack("<H", request[0x110])[0]
    connection.send(pdu(4, pdv(context, 3, command([(2, "UI", COMMITMENT), (0x100, "US", 0x8100), (0x120, "US", number),
                                                    (0x800, "US", 0x101), (0x900, "US", status),
                                                    (0x1000, "UI", INSTANCE)]))))


class Receiver(threading.Thread):
    """A requestor that takes reports on associations of the SCP's, answering each with the next status."""

    def __init__(self, statuses):
        super().__init__(daemon=True)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.statuses, self.reports, self.roles = list(statuses), [], []
        self.start()

    def run(self):
        with self.server:
            for status in self.statuses:
                self.take(status)

    def accepted(self):
        return self.server.accept()[0]

    def take(self, status):
        connection = Connection.__new__(Connection)
        connection.socket = self.accepted()
        connection.socket.settimeout(60)
        with contextlib.closing(connection):
            kind, request = connection.read_pdu()
            assert kind == 1
            role = item(0x54, struct.pack(">H", len(COMMITMENT)) + COMMITMENT.encode() + b"\0\1")
            self.roles.append(role in request)
            context = item(0x21, b"\1\0\0\0" + item(0x40, EXPLICIT.encode()))
            user = item(0x50, item(0x51, struct.pack(">I", 16384)) + item(0x52, b"2.25.77") + role)
            connection.send(pdu(2, request[:68] + item(0x10, b"1.2.840.10008.3.1.1.1") + context + user))
            message, data = Association.message(connection)
            answer_event(connection, message, 1, status)
            if status == 0:
                self.reports.append((struct.unpack("<H", message[0x1002])[0], data))
            connection.read_pdu()
            connection.send(pdu(6, b"\0" * 4))


class RawPdus(Case):
    def stored(self, node):
        instance = make_instance(self.folder / "one.dcm")
        sagitta("store", node.address, self.folder / "one.dcm", check=0)
        return instance

    def test_reported_on_the_same_association(self):
        node = self.node()
        good, unknown = self.stored(node), new_uid()
        with Requestor(node.port) as peer:
            self.assertEqual(status_of(peer.ask(action_information(new_uid(), [(SECONDARY_CAPTURE, good)]))), 0)
            kind, data = peer.event()
            self.assertEqual((kind, outcome(data)), (1, ([good], {})))
            references = [(SECONDARY_CAPTURE, good), (SECONDARY_CAPTURE, unknown), ("1.2.840.10008.5.1.4.1.1.2", good)]
            self.assertEqual(status_of(peer.ask(action_information(new_uid(), references))), 0)
            kind, data = peer.event()
            self.assertEqual((kind, outcome(data)), (2, ([good], {unknown: 0x112, good: 0x119})))
            peer.release()

    def test_an_archive_of_files(self):
        node = self.node(settings=("storage.layout=files",))
        instance = self.stored(node)
        for committed, failed in (([instance], {}), ([], {instance: 0x110})):
            with Requestor(node.port) as peer:
                peer.ask(action_information(new_uid(), [(SECONDARY_CAPTURE, instance)]))
                self.assertEqual(outcome(peer.event()[1]), (committed, failed))
                peer.release()
            file = next((node.data / "files").rglob("*.dcm"))
            file.write_bytes(file.read_bytes()[:-1])

    def test_damage_is_not_committed_to(self):
        node = self.node()
        marker = b"\x5a" * 64
        instance = make_instance(self.folder / "one.dcm", pixels=marker)
        sagitta("store", node.address, self.folder / "one.dcm", check=0)
        volume = next((node.data / "volumes").iterdir())
        with open(volume, "r+b") as file:
            file.seek(file.read().index(marker))
            file.write(b"\x5b")
        with Requestor(node.port) as peer:
            peer.ask(action_information(new_uid(), [(SECONDARY_CAPTURE, instance)]))
            self.assertEqual(outcome(peer.event()[1]), ([], {instance: 0x110}))

    def test_wrong_requests(self):
        node = self.node()
        good = [(SECONDARY_CAPTURE, new_uid())]
        for options, information, status in (
                ({}, action_information("", good), 0x115), ({}, action_information(new_uid(), []), 0x115),
                ({}, b"\xff" * 40, 0x110), ({"action": 2}, action_information(new_uid(), good), 0x123),
                ({"instance": "1.2.3"}, action_information(new_uid(), good), 0x112)):
            with Requestor(node.port) as peer:
                self.assertEqual(status_of(peer.ask(information, **options)), status, options)
                peer.release()

    def test_limits_and_repetitions(self):
        node = self.node(settings=("commitment.max_instances=2",))
        good, transaction = self.stored(node), new_uid()
        three = [(SECONDARY_CAPTURE, new_uid()) for _ in range(3)]
        with Requestor(node.port) as peer:
            self.assertEqual(status_of(peer.ask(action_information(new_uid(), three))), 0x213)
            # Nobody answers the first report: the request is open when it comes again.
            self.assertEqual(status_of(peer.ask(action_information(transaction, [(SECONDARY_CAPTURE, good)]))), 0)
            peer.message()
            peer.close()
        with Requestor(node.port) as peer:
            self.assertEqual(status_of(peer.ask(action_information(transaction, three[:1]))), 0x115)
            self.assertEqual(status_of(peer.ask(action_information(transaction, [(SECONDARY_CAPTURE, good)]))), 0)
            self.assertEqual(outcome(peer.event()[1]), ([good], {}))
            peer.release()

    def test_killed_after_its_answer(self):
        receiver = Receiver([0])
        node = self.node(peers=(f"WAITER@127.0.0.1:{receiver.port}",))
        instances = [self.stored(node) for _ in range(5)]
        with Requestor(node.port, b"WAITER") as peer:
            answer = peer.ask(action_information(new_uid(), [(SECONDARY_CAPTURE, one) for one in instances]))
            node.kill()
            self.assertEqual(status_of(answer), 0)
        self.assertEqual(receiver.reports, [])
        node.start()
        wait_until(lambda: receiver.reports, "the report, from the log")
        self.assertEqual([(kind, outcome(data)) for kind, data in receiver.reports], [(1, (instances, {}))])

    def test_reported_anew_and_again_and_after_a_restart(self):
        receiver = Receiver([0x110, 0])
        node = self.node(peers=(f"WAITER@127.0.0.1:{receiver.port}",), settings=("commitment.retry=1h",))
        instance = self.stored(node)
        with Requestor(node.port, b"WAITER") as peer:
            peer.ask(action_information(new_uid(), [(SECONDARY_CAPTURE, instance)]))
            peer.socket.settimeout(10)  # far less than the node would wait for the answer to a report
            peer.release(deaf=True)
        wait_until(lambda: receiver.roles, "a first report")
        node.stop()
        node.start()
        wait_until(lambda: receiver.reports, "the report that is answered with success")
        self.assertEqual([(kind, outcome(data)) for kind, data in receiver.reports], [(1, ([instance], {}))])
        self.assertEqual(receiver.roles, [True, True])
        node.process.wait_for(r"commitment=\d+ reported")

    def test_a_release_instead_of_an_answer(self):
        node = self.node(settings=("commitment.retry=1h",))
        instance = self.stored(node)
        with Requestor(node.port, b"WAITER") as peer:
            peer.socket.settimeout(30)
            peer.ask(action_information(new_uid(), [(SECONDARY_CAPTURE, instance)]))
            self.assertEqual(peer.read_pdu()[0], 4)  # the report
            peer.release(deaf=True)
        node.process.wait_for(r"commitment=\d+ not reported")

    def test_our_own_command(self):
        node = self.node()
        self.stored(node)
        sagitta("commit", node.address, self.folder / "one.dcm", check=0)
        make_instance(self.folder / "two.dcm")
        answer = sagitta("commit", node.address, "--json", self.folder / "one.dcm", self.folder / "two.dcm", check=1)
        told = json.loads(answer.out)
        self.assertEqual(told["committed"], 1)
        self.assertIn("two.dcm", told["failed"][0]["path"])
        self.assertIn("0112", told["failed"][0]["why"])


class Orthanc(OrthancCase):
    def test_orthanc_asks_us(self):
        node = self.node(peers=(f"ORTHANC@127.0.0.1:{self.dicom}",), settings=("commitment.retry=1s",))
        self.orthanc(node.port)
        instance = make_instance(self.folder / "one.dcm")
        sagitta("store", node.address, self.folder / "one.dcm", check=0)
        for asked, status in ((instance, "Success"), (new_uid(), "Failure")):
            transaction = self.rest("/modalities/sagitta/storage-commitment",
                                    {"DicomInstances": [{"SOPClassUID": SECONDARY_CAPTURE, "SOPInstanceUID": asked}]})
            wait_until(lambda: self.rest(transaction["Path"])["Status"] != "Pending", "our report")
            self.assertEqual(self.rest(transaction["Path"])["Status"], status)

    def test_we_ask_orthanc(self):
        self.orthanc(self.ours)
        make_instance(self.folder / "one.dcm")
        self.rest("/instances", (self.folder / "one.dcm").read_bytes())
        address = f"ORTHANC@127.0.0.1:{self.dicom}"
        ask = ("commit", address, "--calling", "SAGITTA", "--listen", self.ours, "--wait", "60s")
        sagitta(*ask, self.folder / "one.dcm", check=0)
        make_instance(self.folder / "two.dcm")
        told = json.loads(sagitta(*ask, "--json", self.folder / "two.dcm", check=1).out)
        self.assertIn("0112", told["failed"][0]["why"])


if __name__ == "__main__":
    main()
