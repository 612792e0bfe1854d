"""The audit trail: in a file, and at a collector that comes and goes. The messages are read by Python's own parsers."""
import base64
import os
import pwd
import re
import socket
import stat
import threading
import xml.etree.ElementTree as ElementTree

from harness import Case, SAGITTA, free_port, main, make_instance, new_uid, run, sagitta, wait_until


def frames(data):
    """The messages of octet counting (RFC 6587), and what is left."""
    messages = []
    while True:
        data = data.lstrip(b"\n")
        space = data.find(b" ")
        if space < 0 or len(data) < space + 1 + int(data[:space]):
            return messages, data
        end = space + 1 + int(data[:space])
        messages.append(data[space + 1:end])
        data = data[end:]


SYSLOG = re.compile(rb"^<8[45]>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ sagitta \d+ DICOM\+RFC3881 - \xef\xbb\xbf(.*)$",
                    re.DOTALL)


def read(message):
    return ElementTree.fromstring(SYSLOG.match(message)[1].decode("utf-8"))


def name(xml):
    event = xml.find("EventIdentification")
    kind = event.find("EventTypeCode")
    return event.find("EventID").get("originalText") + ("" if kind is None else f"/{kind.get('originalText')}")


def objects(xml):
    return [one.get("ParticipantObjectID") for one in xml.findall("ParticipantObjectIdentification")]


class Collector:
    """Takes syslog over TCP until it is closed; starts again on the same port with what it has kept."""

    def __init__(self, port=0):
        self.port, self.data, self.done, self.open_sockets = port or free_port(), [], b"", []
        self.start()

    def start(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.open_sockets.append(connection)
            chunks = [b""]
            self.data.append(chunks)
            threading.Thread(target=self.receive, args=(connection, chunks), daemon=True).start()

    def receive(self, connection, chunks):
        try:
            while got := connection.recv(65536):
                chunks[0] += got
        except OSError:
            pass

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for one in self.open_sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
        self.open_sockets.clear()

    def messages(self):
        return [message for chunks in self.data for message in frames(chunks[0])[0]]


class File(Case):
    def test_what_a_node_does(self):
        trail = self.folder / "audit.log"
        node = self.node(peers=("KNOWN@127.0.0.1:11112",),
                         settings=(f"audit.file={trail}", "node.bind=0.0.0.0"))
        study = new_uid()
        for number in range(2):
            make_instance(self.folder / f"{number}.dcm", study=study, patient='P&1<"', name="Hidden^Person")
        sagitta("store", node.address, "--calling", "KNOWN", *self.folder.glob("*.dcm"), check=0)
        sagitta("find", node.address, "--calling", "KNOWN", "-k", "PatientID=P*", check=0)
        sagitta("get", node.address, "--calling", "KNOWN", "-k", f"StudyInstanceUID={study}", "-o", self.folder / "got", check=0)
        run(SAGITTA, "echo", node.address, "--calling", "STRANGER", check=1)
        node.stop()
        self.assertEqual(stat.S_IMODE(trail.stat().st_mode), 0o600)
        messages, rest = frames(trail.read_bytes())
        self.assertEqual(rest, b"")
        found = [read(message) for message in messages]
        names = [name(one) for one in found]
        self.assertEqual(names[0], "Application Activity/Application Start")
        self.assertEqual(names[-1], "Application Activity/Application Stop")
        self.assertEqual(names[1:3], ["Begin Transferring DICOM Instances", "DICOM Instances Transferred"])
        transferred = found[2]
        self.assertEqual(objects(transferred), [study, 'P&1<"'])
        self.assertEqual(transferred.find(".//SOPClass").get("NumberOfInstances"), "2")
        self.assertEqual([one.get("UserID") for one in transferred.findall("ActiveParticipant")], ["KNOWN", "SAGITTA"])
        query = found[names.index("Query")]
        identifier = base64.b64decode(query.find(".//ParticipantObjectQuery").text)
        self.assertIn(b"P*", identifier)
        alert = found[names.index("Security Alert/Node Authentication")]
        self.assertEqual(alert.find("ActiveParticipant").get("UserID"), "STRANGER")
        self.assertEqual(alert.find("EventIdentification").get("EventOutcomeIndicator"), "8")
        sent = [one for one, what in zip(found, names) if what == "DICOM Instances Transferred"][-1]
        self.assertEqual(sent.find("EventIdentification").get("EventActionCode"), "R")
        self.assertNotIn("Hidden", trail.read_text("utf-8"))

    def test_who_deleted_what(self):
        trail = self.folder / "audit.log"
        node = self.node(settings=(f"audit.file={trail}", "storage.quota_studies=2", "storage.quota_policy=recycle"))
        studies = [new_uid() for _ in range(3)]
        for number, study in enumerate(studies):
            folder = self.folder / f"in{number}"
            folder.mkdir()
            for n in range(number + 1):
                make_instance(folder / f"{n}.dcm", study=study, patient=f"P{number}")
            sagitta("store", node.address, folder, check=0)
        node.process.wait_for("recycled studies=1")
        node.stop()
        config = self.folder / "node.toml"
        config.write_text(f'[node]\ndata = "{node.data}"\n[audit]\nfile = "{trail}"\n')
        sagitta("protect", "-c", config, studies[1], check=0)
        sagitta("delete", "-c", config, "--study", studies[1], check=1)
        sagitta("delete", "-c", config, "--patient", "P2", check=0)
        messages, rest = frames(trail.read_bytes())
        self.assertEqual(rest, b"")
        deleted = [one for one in map(read, messages) if name(one) == "DICOM Study Deleted"]
        self.assertEqual([objects(one) for one in deleted], [[studies[0], "P0"], [studies[2], "P2"]])
        self.assertEqual([one.find(".//SOPClass").get("NumberOfInstances") for one in deleted], ["1", "3"])
        account = pwd.getpwuid(os.getuid()).pw_name
        self.assertEqual([one.find("ActiveParticipant").get("UserID") for one in deleted], ["SAGITTA", account])

    def test_wrong_configuration(self):
        done = run(SAGITTA, "config", "check", "-c", self.toml('[audit]\ncollector = "http://x"\n'), check=2)
        self.assertIn("udp://HOST:PORT", done.text)

    def toml(self, text):
        path = self.folder / "wrong.toml"
        path.write_text(text)
        return path


class Remote(Case):
    def numbered(self, messages):
        """The calling AE titles of security alerts, in order."""
        titles = []
        for message in messages:
            xml = read(message)
            if name(xml).startswith("Security Alert"):
                titles.append(xml.find("ActiveParticipant").get("UserID"))
        return titles

    def start(self, collector, *more):
        return self.node(peers=("KNOWN@127.0.0.1:11112",),
                         settings=(f"audit.collector={collector}", "node.bind=0.0.0.0", *more))

    def alert(self, node, title):
        run(SAGITTA, "echo", node.address, "--calling", title, check=1)

    def test_a_collector_that_goes_and_comes_gets_all_in_order(self):
        collector = Collector()
        self.addCleanup(lambda: collector.stop())
        node = self.start(f"tcp://127.0.0.1:{collector.port}")
        self.alert(node, "N00")
        wait_until(lambda: self.numbered(collector.messages()) == ["N00"], "the first message")
        collector.stop()
        for number in range(1, 6):
            self.alert(node, f"N{number:02}")
        node.process.wait_for("audit: the collector cannot be reached")
        wait_until(lambda: b"N05" in (node.data / "audit-spool").read_bytes(), "the spool")
        node.kill()
        node.start()
        self.alert(node, "N06")
        wait_until(lambda: b"N06" in (node.data / "audit-spool").read_bytes(), "the spool")
        self.assertEqual(stat.S_IMODE((node.data / "audit-spool").stat().st_mode), 0o600)
        collector.start()
        everything = [f"N{number:02}" for number in range(7)]
        wait_until(lambda: len(self.numbered(collector.messages())) >= 7, "what was spooled")
        self.assertEqual(self.numbered(collector.messages()), everything)
        node.stop()
        self.assertEqual((node.data / "audit-spool").stat().st_size, 0)

    def test_datagrams(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
            collector.bind(("127.0.0.1", 0))
            collector.settimeout(30)
            node = self.start(f"udp://127.0.0.1:{collector.getsockname()[1]}")
            self.assertEqual(name(read(collector.recv(65536))), "Application Activity/Application Start")
            self.alert(node, "N01")
            self.assertEqual(self.numbered([collector.recv(65536)]), ["N01"])
            node.stop()

    def test_a_full_spool_is_told_and_the_node_goes_on(self):
        node = self.start(f"tcp://127.0.0.1:{free_port()}", "audit.spool_size=64KiB")
        for _ in range(100):
            if "messages are lost" in node.process.log_text():
                break
            self.alert(node, "A" * 16)
        node.process.wait_for("audit: the audit spool is full: messages are lost from now on")
        self.assertLessEqual((node.data / "audit-spool").stat().st_size, 64 * 1024)
        run(SAGITTA, "echo", node.address, "--calling", "KNOWN", check=0)
        node.stop()


if __name__ == "__main__":
    main()
