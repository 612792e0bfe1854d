"""`sagitta doctor` beside peers that work, that refuse, and that are something else altogether."""
import http.server
import json
import socket
import threading
import urllib.request

from harness import (Case, DcmQrScp, Process, free_port, main, make_instance, need, need_command, run, sagitta,
                     SAGITTA, wait_for_port)

PATIENT, NAME = "SECRET77", "Hidden^Person"


class Doctor(Case):
    def setUp(self):
        super().setUp()
        need_command("doctor")

    def examine(self, peer, *options, status, timeout="20s"):
        done = run(SAGITTA, "doctor", peer, "--json", "--timeout", timeout, *options, check=status)
        self.assertNotIn(b"SECRET", done.out + done.err)
        self.assertNotIn(b"Hidden", done.out + done.err)
        told = json.loads(done.out)
        self.assertEqual(told["good"], status == 0)
        return told, {step["step"]: step for step in told["steps"]}

    def make_instances(self, count=3):
        paths = []
        for number in range(count):
            path = self.folder / f"made{number}.dcm"
            make_instance(path, patient=f"{PATIENT}{number}", name=NAME)
            paths.append(path)
        return paths

    def row(self, told, keyword, where="storage"):
        return next(row for row in told[where] if row["keyword"] == keyword)


class Working(Doctor):
    def test_our_own_node_does_everything(self):
        port = free_port()
        node = self.node(peers=(f"DOC@127.0.0.1:{port}",))
        sagitta("store", node.address, *self.make_instances(), "--calling", "DOC", check=0)
        told, steps = self.examine(node.address, "--calling", "DOC", "--receive-port", port, status=0)
        for step in ("resolve", "connect", "associate", "echo", "services", "storage", "query", "move", "get"):
            self.assertEqual(steps[step]["verdict"], "works", steps[step])
            self.assertIn("ms", steps[step])
        self.assertIn("C-CANCEL", steps["query"]["what"])  # three matches may be out before it
        ct = self.row(told, "CTImageStorage")
        self.assertIn("1.2.840.10008.1.2.4.70", ct["transfer_syntaxes"])
        self.assertTrue(ct["scp_role"])
        self.assertGreater(told["associations"], 50)
        self.assertEqual(told["traits"]["max_pdu_bytes"], 256 * 1024)
        self.assertGreater(told["traits"]["operations_window"], 1)

    def test_nothing_is_stored_unless_asked(self):
        node = self.node(peers=("DOC@127.0.0.1:11112",))
        _, steps = self.examine(node.address, "--calling", "DOC", "--skip", "storage", status=0)
        self.assertNotIn("store", steps)
        self.assertEqual(steps["query"]["what"], "answers; the peer has no study")
        self.assertEqual(steps["move"]["verdict"], "not tried")
        _, steps = self.examine(node.address, "--calling", "DOC", "--skip", "storage", "--skip", "move", "--store", status=0)
        self.assertEqual(steps["store"]["verdict"], "works")
        self.assertIn("remove patient SAGITTA-DOCTOR", steps["store"]["advice"][0])
        found = json.loads(sagitta("find", node.address, "--json", "-k", "PatientID", check=0).out)
        self.assertEqual(len(found), 1)

    def test_dcmqrscp(self):
        port = free_port()
        with DcmQrScp(self.folder, hosts=(("DOC", port),)) as peer:
            sagitta("store", peer.address, *self.make_instances(), check=0)
            told, steps = self.examine(peer.address, "--calling", "DOC", "--receive-port", port, status=0)
        for step in ("echo", "query", "move", "get"):
            self.assertEqual(steps[step]["verdict"], "works", steps[step])
        self.assertIn("OFFIS", told["traits"]["implementation_version_name"])

    def test_storescp_takes_only_objects(self):
        need("storescp")
        port = free_port()
        process = Process(["storescp", "-aet", "DEST", "-od", self.folder, "+x=", port], self.folder / "scp.log")
        self.addCleanup(process.kill)
        wait_for_port(process, port)
        told, steps = self.examine(f"DEST@127.0.0.1:{port}", status=0)
        self.assertEqual(steps["query"]["verdict"], "not offered")
        self.assertEqual(steps["move"]["verdict"], "not offered")
        ct = self.row(told, "CTImageStorage")
        self.assertEqual(set(ct["transfer_syntaxes"]),
                         {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"})
        text = run(SAGITTA, "doctor", f"DEST@127.0.0.1:{port}", check=0).text
        self.assertIn("ExplicitVRLittleEndian", text)
        self.assertIn("Everything that was tried works.", text)


class Orthanc(Doctor):
    def orthanc(self, modalities):
        need("Orthanc")
        self.dicom, self.http = free_port(), free_port()
        configuration = {"Name": "TEST", "StorageDirectory": str(self.folder / "orthanc"), "DicomAet": "ORTHANC",
                         "IndexDirectory": str(self.folder / "orthanc"), "DicomPort": self.dicom,
                         "HttpPort": self.http, "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
                         "DicomAlwaysAllowFind": True, "DicomAlwaysAllowGet": True, "DicomAlwaysAllowMove": True,
                         "Plugins": [], "DicomModalities": modalities}
        path = self.folder / "orthanc.json"
        path.write_text(json.dumps(configuration))
        process = Process(["Orthanc", path], self.folder / "orthanc.log")
        self.addCleanup(process.kill)
        process.wait_for("Orthanc has started")
        for made in self.make_instances():
            urllib.request.urlopen(f"http://127.0.0.1:{self.http}/instances", made.read_bytes(), timeout=60).close()
        return f"ORTHANC@127.0.0.1:{self.dicom}"

    def test_knows_us(self):
        port = free_port()
        peer = self.orthanc({"doc": ["DOC", "127.0.0.1", port]})
        told, steps = self.examine(peer, "--calling", "DOC", "--receive-port", port, status=0)
        for step in ("echo", "storage", "query", "move", "get"):
            self.assertEqual(steps[step]["verdict"], "works", steps[step])
        self.assertIn("OFFIS", told["traits"]["implementation_version_name"])
        self.assertIn("1.2.840.10008.1.2.4.90", self.row(told, "CTImageStorage")["transfer_syntaxes"])

    def test_does_not_know_us_for_moves(self):
        peer = self.orthanc({})
        _, steps = self.examine(peer, "--calling", "STRANGER", "--skip", "storage", status=1)
        self.assertEqual(steps["move"]["verdict"], "fails")
        advice = " ".join(steps["move"]["advice"])
        self.assertIn("does not know us as a destination", advice)
        self.assertIn("STRANGER at 127.0.0.1 port", advice)

    def test_its_web_port(self):
        self.orthanc({})
        _, steps = self.examine(f"ORTHANC@127.0.0.1:{self.http}", status=1)
        self.assertIn("HTTP", steps["associate"]["what"])


class Refusing(Doctor):
    def test_closed_port(self):
        port = free_port()
        _, steps = self.examine(f"X@127.0.0.1:{port}", status=1)
        self.assertEqual(steps["connect"]["verdict"], "fails")
        self.assertIn("nothing listens", steps["connect"]["what"])
        self.assertIn("start its DICOM service", steps["connect"]["advice"][0])

    def test_unknown_host(self):
        _, steps = self.examine("X@no-such-host.invalid:104", status=1)
        self.assertEqual(steps["resolve"]["verdict"], "fails")
        self.assertNotIn("connect", steps)

    def serve(self, talk):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def loop():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        talk(connection)
                    except OSError:
                        pass
        threading.Thread(target=loop, daemon=True).start()
        return listener.getsockname()[1]

    def test_web_server(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
        server.RequestHandlerClass.log_message = lambda *_: None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        _, steps = self.examine(f"X@127.0.0.1:{server.server_address[1]}", status=1, timeout="2s")
        self.assertIn("web server (HTTP)", steps["associate"]["what"])
        self.assertIn("DICOM port", steps["associate"]["advice"][0])

    def test_secure_shell(self):
        def talk(connection):
            connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            connection.recv(4096)
        _, steps = self.examine(f"X@127.0.0.1:{self.serve(talk)}", status=1)
        self.assertIn("(SSH)", steps["associate"]["what"])

    def test_tls(self):
        def talk(connection):
            said = connection.recv(4096)
            connection.sendall(b"\x15\x03\x01\0\2\2\x28" if said else b"")
        _, steps = self.examine(f"X@127.0.0.1:{self.serve(talk)}", status=1)
        self.assertIn("TLS speaks", steps["associate"]["what"])

    def test_closes_at_once(self):
        _, steps = self.examine(f"X@127.0.0.1:{self.serve(lambda _: None)}", status=1)
        self.assertIn("closes every connection", steps["associate"]["what"])

    def test_names_not_known(self):
        node = self.node(peers=("KNOWN@127.0.0.1:11112",), settings=("node.bind=0.0.0.0",))
        _, steps = self.examine(node.address, "--calling", "STRANGER", status=1)
        self.assertIn("calling AE title not recognized", steps["associate"]["what"])
        self.assertIn("Add STRANGER with 127.0.0.1", steps["associate"]["advice"][0])
        _, steps = self.examine(f"WRONG@127.0.0.1:{node.port}", "--calling", "KNOWN", status=1)
        self.assertIn("called AE title not recognized", steps["associate"]["what"])
        self.assertIn("does not answer to the name WRONG", steps["associate"]["advice"][0])

    def test_move_to_an_unknown_destination(self):
        node = self.node()
        sagitta("store", node.address, *self.make_instances(1), check=0)
        _, steps = self.examine(node.address, "--calling", "NOBODY", "--skip", "storage", status=1)
        self.assertIn("A801", steps["move"]["what"])
        self.assertIn("Add NOBODY at 127.0.0.1 port", steps["move"]["advice"][0])
        self.assertEqual(steps["get"]["verdict"], "works")

    def test_move_that_goes_elsewhere(self):
        elsewhere = free_port()
        node = self.node(peers=(f"DOC@127.0.0.1:{elsewhere}",))
        sagitta("store", node.address, *self.make_instances(1), "--calling", "DOC", check=0)
        _, steps = self.examine(node.address, "--calling", "DOC", "--skip", "storage", status=1)
        self.assertIn("nothing arrived", steps["move"]["what"])
        self.assertIn("sends it elsewhere", steps["move"]["advice"][0])

    def test_usage(self):
        run(SAGITTA, "doctor", "no-address", check=2)
        run(SAGITTA, "doctor", "X@127.0.0.1:1", "--skip", "tea", check=2)


if __name__ == "__main__":
    main()
