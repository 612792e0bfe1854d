#!/usr/bin/env python3
"""TLS in both directions: DCMTK's +tls tools, openssl s_client, and peers that do it wrong."""
import hashlib
import os
import pathlib
import re
import socket
import ssl
import time

import commitment_test as commitment
import harness as h
import raw_dicom as raw


class Certificates:
    """An authority and what it signed, made by the openssl command."""

    def __init__(self, folder):
        h.need("openssl")
        self.folder = pathlib.Path(folder) / "certificates"
        self.folder.mkdir()
        self.authority("ca")
        self.authority("other")
        self.signed("node", "node", "subjectAltName=IP:127.0.0.1,DNS:localhost")
        self.signed("elsewhere", "elsewhere", "subjectAltName=DNS:pacs.example.org")
        self.signed("scanner", "scanner", "subjectAltName=DNS:scanner.example.org")
        self.signed("second", "second")
        self.signed("expired", "expired", "subjectAltName=IP:127.0.0.1", days=-1)
        self.signed("stranger", "stranger", by="other")

    def path(self, name, kind):
        return self.folder / f"{name}.{kind}"

    def cert(self, name):
        return self.path(name, "crt")

    def key(self, name):
        return self.path(name, "key")

    def fingerprint(self, name):
        der = ssl.PEM_cert_to_DER_cert(self.cert(name).read_text())
        return "sha256:" + hashlib.sha256(der).hexdigest()

    def authority(self, name):
        h.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
              "-subj", f"/CN={name}", "-keyout", self.key(name), "-out", self.cert(name), check=0)
        os.chmod(self.key(name), 0o600)

    def signed(self, name, common_name, extension=None, by="ca", days=2):
        request = self.path(name, "csr")
        h.run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/O=Test/CN={common_name}",
              "-keyout", self.key(name), "-out", request, check=0)
        os.chmod(self.key(name), 0o600)
        words = ["openssl", "x509", "-req", "-in", request, "-CA", self.cert(by), "-CAkey", self.key(by),
                 "-CAcreateserial", "-days", days, "-out", self.cert(name)]
        if extension:
            file = self.path(name, "ext")
            file.write_text(extension + "\n")
            words += ["-extfile", file]
        h.run(*words, check=0)


class TlsNode(h.Node):
    """A node with a port for TLS beside the plain one."""

    def __init__(self, folder, certificates, certificate="node", require=True, ca=True, **options):
        settings = [f"tls.certificate={certificates.cert(certificate)}", f"tls.key={certificates.key(certificate)}",
                    "tls.port=0", f"tls.require_client_certificate={'true' if require else 'false'}"]
        if ca:
            settings.append(f"tls.ca={certificates.cert('ca')}")
        super().__init__(folder, settings=[*settings, *options.pop("settings", [])], **options)

    def start(self):
        super().start()
        self.tls_port = int(self.process.wait_for(r"listening for TLS on \S+?:(\d+)")[1])

    @property
    def tls_address(self):
        return f"{self.aet}@127.0.0.1:{self.tls_port}"


class TlsCase(h.Case):
    def setUp(self):
        super().setUp()
        self.made = Certificates(self.folder)

    def tls_node(self, **options):
        node = TlsNode(self.folder, self.made, **options)
        self.addCleanup(node.kill)
        return node

    def dcmtk(self, who="scanner"):
        """Options of DCMTK's tools that make them speak TLS."""
        return ["+tls", self.made.key(who), self.made.cert(who), "+cf", self.made.cert("ca")]

    def ours(self, who="scanner"):
        return ["--tls", "--tls-ca", self.made.cert("ca"), "--tls-cert", self.made.cert(who), "--tls-key", self.made.key(who)]

    def alive(self, node):
        h.sagitta("echo", node.address, check=0)
        h.sagitta("echo", node.tls_address, *self.ours(), check=0)


class Dcmtk(TlsCase):
    """DCMTK calls us, and we call it."""

    def test_echo_in_every_profile(self):
        h.need("echoscu")
        node = self.tls_node()
        for profile in ("+py", "+px", "+pz"):
            with self.subTest(profile=profile):
                h.run("echoscu", *self.dcmtk(), profile, "-aec", "SAGITTA", "127.0.0.1", node.tls_port, check=0)

    def test_store_find_get_back_the_same(self):
        h.need("storescu", "findscu")
        node = self.tls_node()
        paths = []
        for n in range(8):
            paths.append(self.folder / f"{n}.dcm")
            h.make_instance(paths[-1], study="2.25.100", series="2.25.101", pixels=os.urandom(400_000))
        h.run("storescu", *self.dcmtk(), "-aec", "SAGITTA", "127.0.0.1", node.tls_port, *paths, check=0)
        found = h.run("findscu", *self.dcmtk(), "-S", "-aec", "SAGITTA", "-k", "QueryRetrieveLevel=IMAGE", "-k",
                      "StudyInstanceUID=2.25.100", "-k", "SeriesInstanceUID=2.25.101", "-k", "SOPInstanceUID", "127.0.0.1",
                      node.tls_port, check=0)
        self.assertEqual(8, len(re.findall(r"\(0008,0018\) UI \[", found.text)))
        out = self.folder / "out"
        h.sagitta("get", node.tls_address, *self.ours(), "-k", "StudyInstanceUID=2.25.100", "-o", out, check=0)
        sent, back = h.by_instance(paths), h.by_instance(h.files_below(out))
        self.assertEqual(sorted(sent), sorted(back))
        for uid, parts in sent.items():
            self.assertEqual(parts.data_set, back[uid].data_set)

    def test_we_store_to_storescp_and_move_to_it(self):
        h.need("storescp")
        scp = h.StoreScp(self.folder, options=self.dcmtk("node"))
        self.addCleanup(scp.process.kill)
        path = self.folder / "one.dcm"
        uid = h.make_instance(path, study="2.25.100", pixels=os.urandom(300_000))
        h.sagitta("store", f"DEST@127.0.0.1:{scp.port}", *self.ours(), path, check=0)
        self.assertEqual(1, len(scp.files()))
        for file in scp.files():
            file.unlink()
        config = self.folder / "node.toml"
        config.write_text(f'[[peer]]\naddress = "DEST@127.0.0.1:{scp.port}"\ntls = true\n')
        node = self.tls_node(arguments=["-c", config])
        h.sagitta("store", node.tls_address, *self.ours(), path, check=0)
        h.sagitta("move", node.tls_address, *self.ours(), "--to", "DEST", "-k", "StudyInstanceUID=2.25.100", check=0)
        back = h.by_instance(scp.files())
        self.assertEqual(h.parts_of(path).data_set, back[uid].data_set)

    def test_every_command_of_ours(self):
        node = self.tls_node()
        path = self.folder / "one.dcm"
        uid = h.make_instance(path, study="2.25.100")
        h.sagitta("store", node.tls_address, *self.ours(), path, check=0)
        found = h.sagitta("find", node.tls_address, *self.ours(), "--level", "study", "-k", "StudyInstanceUID=2.25.100",
                          "--json", check=0)
        self.assertIn("2.25.100", found.text)
        h.sagitta("commit", node.tls_address, *self.ours(), path, check=0)
        h.sagitta("find", node.tls_address, *self.ours(), "--model", "worklist", "-k", "PatientName", check=0)
        self.assertTrue(uid)


class SecureReceiver(commitment.Receiver):
    """Takes reports over TLS, from those that have a certificate."""

    def __init__(self, made, statuses):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(made.cert("node"), made.key("node"))
        self.context.load_verify_locations(made.cert("ca"))
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.subjects = []
        super().__init__(statuses)

    def accepted(self):
        secured = self.context.wrap_socket(super().accepted(), server_side=True)
        self.subjects.append(secured.getpeercert()["subject"])
        return secured


class Commitment(TlsCase):
    def test_reports_go_out_over_tls(self):
        receiver = SecureReceiver(self.made, [0x110, 0])
        config = self.folder / "node.toml"
        config.write_text(f'[[peer]]\naddress = "WAITER@127.0.0.1:{receiver.port}"\ntls = true\n'
                          '[commitment]\nretry = "1s"\n')
        node = self.tls_node(arguments=["-c", config])
        instance = h.make_instance(self.folder / "one.dcm")
        h.sagitta("store", node.tls_address, *self.ours(), self.folder / "one.dcm", check=0)
        with commitment.Requestor(node.port, b"WAITER") as peer:
            peer.ask(commitment.action_information(h.new_uid(), [(h.SECONDARY_CAPTURE, instance)]))
            peer.release(deaf=True)
        h.wait_until(lambda: receiver.reports, "the report that is answered with success")
        self.assertEqual([(kind, commitment.outcome(data)) for kind, data in receiver.reports], [(1, ([instance], {}))])
        self.assertEqual([((("organizationName", "Test"),), (("commonName", "node"),))] * 2, receiver.subjects)


class Versions(TlsCase):
    """openssl s_client shows what is agreed to and what is not."""

    def s_client(self, port, *options, who="scanner"):
        words = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", self.made.cert("ca"), *options]
        if who:
            words += ["-cert", self.made.cert(who), "-key", self.made.key(who)]
        return h.run(*words, stdin=b"").text

    def agreed(self, *options):
        text = self.s_client(self.port, *options)
        found = re.search(r"New, (TLSv[\d.]+), Cipher is (\S+)", text)
        return (found[1], found[2]) if found else None

    def test_versions_and_suites(self):
        node = self.tls_node()
        self.port = node.tls_port
        for suite in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"):
            self.assertEqual(("TLSv1.3", suite), self.agreed("-tls1_3", "-ciphersuites", suite))
        for suite in ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384"):
            self.assertEqual(("TLSv1.2", suite), self.agreed("-tls1_2", "-cipher", suite))
        for suite in ("AES256-GCM-SHA384", "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA", "NULL-SHA256:@SECLEVEL=0",
                      "AECDH-AES256-SHA:@SECLEVEL=0", "AES128-SHA"):
            self.assertIsNone(self.agreed("-tls1_2", "-cipher", suite), suite)
        for old in ("-tls1_1", "-tls1"):
            self.assertIsNone(self.agreed(old, "-cipher", "ALL:@SECLEVEL=0"), old)
        node.process.wait_to_say("no version in common")
        node.process.wait_to_say("no cipher suite in common")
        text = self.s_client(node.tls_port, "-tls1_2")
        self.assertNotIn("TLS session ticket:", text)
        self.assertIn("Compression: NONE", text)
        self.alive(node)

    def test_only_1_3(self):
        node = self.tls_node(settings=["tls.min_version=1.3"])
        self.port = node.tls_port
        self.assertIsNone(self.agreed("-tls1_2"))
        self.assertEqual("TLSv1.3", self.agreed("-tls1_3")[0])


class ClientCertificates(TlsCase):
    def echo(self, node, *options, check=0):
        return h.sagitta("echo", node.tls_address, *options, check=check).text

    def test_required(self):
        node = self.tls_node()
        anonymous = ["--tls", "--tls-ca", self.made.cert("ca")]
        self.echo(node, *anonymous, check=1)
        node.process.wait_to_say("the peer has no certificate, and one is required")
        self.echo(node, *self.ours("stranger"), check=1)
        node.process.wait_to_say("unable to get local issuer certificate")
        self.echo(node, *self.ours("expired"), check=1)
        node.process.wait_to_say("certificate has expired")
        self.alive(node)

    def test_optional(self):
        node = self.tls_node(require=False)
        self.echo(node, "--tls", "--tls-ca", self.made.cert("ca"))
        self.echo(node, *self.ours())
        self.echo(node, *self.ours("stranger"), check=1)

    def test_identity_authorizes(self):
        for n, identity in enumerate((self.made.fingerprint("scanner"), "scanner.example.org", "scanner")):
            with self.subTest(identity=identity):
                folder = self.folder / str(n)
                folder.mkdir()
                config = folder / "node.toml"
                config.write_text(f'[[peer]]\naddress = "CT@127.0.0.1:104"\nallow = ["echo"]\ncertificate = "{identity}"\n')
                node = TlsNode(folder, self.made, arguments=["-c", config])
                self.addCleanup(node.kill)
                self.echo(node, *self.ours(), "--calling", "CT")
                self.assertRegex(self.echo(node, *self.ours("second"), "--calling", "CT", check=1), "(?i)calling AE title")
                h.sagitta("echo", node.address, "--calling", "CT", check=1)
                h.sagitta("echo", node.address, "--calling", "OTHER", check=0)
                node.process.wait_to_say("has not its certificate")
                node.stop()

    def test_we_check_whom_we_call(self):
        node = self.tls_node(certificate="elsewhere", require=False, ca=False)
        base = ["--tls", "--tls-ca", self.made.cert("ca")]
        self.assertRegex(self.echo(node, *base, check=1), "not trusted: (IP address|hostname) mismatch")
        self.echo(node, *base, "--tls-peer", "pacs.example.org")
        self.echo(node, *base, "--tls-peer", self.made.fingerprint("elsewhere"))
        self.assertIn("not the one configured", self.echo(node, *base, "--tls-peer", "other.example.org", check=1))
        self.assertIn("not trusted: unable to get local issuer certificate",
                      self.echo(node, "--tls", "--tls-ca", self.made.cert("other"), check=1))
        self.assertIn("whoever answers is believed", self.echo(node, "--tls", "--tls-insecure"))
        node.stop()
        with TlsNode(self.folder / "certificates", self.made, certificate="expired", require=False, ca=False) as expired:
            expired.process.wait_to_say("the certificate has expired")
            self.assertIn("certificate has expired", self.echo(expired, *base, check=1))

    def test_wrong_port(self):
        node = self.tls_node()
        self.assertIn("speaks plain DICOM", h.sagitta("echo", node.address, *self.ours(), check=1).text)
        node.process.wait_to_say("the peer speaks TLS, this side plain DICOM")
        h.sagitta("echo", node.tls_address, "--timeout", "5s", check=1)
        node.process.wait_to_say("the peer speaks plain DICOM")
        h.sagitta("echo", node.address, "--tls-insecure", check=2)
        self.alive(node)


class Hostile(TlsCase):
    """Whatever comes to the port, the next one is served."""

    def test_garbage_and_half_handshakes(self):
        node = self.tls_node()
        hello = self.client_hello()
        for junk in (b"\x01\0\0\0\0\x10" + b"\0" * 16, b"GET / HTTP/1.0\r\n\r\n", os.urandom(3000), b"\x16\x03\x01\xff\xff" + b"a" * 70000,
                     hello[:30], hello[:5], hello + os.urandom(500), b""):
            with self.subTest(junk=junk[:8]):
                with socket.create_connection(("127.0.0.1", node.tls_port), 10) as peer:
                    try:
                        peer.sendall(junk)
                        peer.shutdown(socket.SHUT_WR)
                        while peer.recv(4096):
                            pass
                    except OSError:
                        pass
                self.alive(node)

    def client_hello(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        speaker = context.wrap_bio(incoming, outgoing)
        with self.assertRaises(ssl.SSLWantReadError):
            speaker.do_handshake()
        return outgoing.read()

    def context(self, who="scanner"):
        context = ssl.create_default_context(cafile=self.made.cert("ca"))
        context.load_cert_chain(self.made.cert(who), self.made.key(who))
        return context

    def test_garbage_inside_and_sudden_ends(self):
        node = self.tls_node()
        for what in (b"\xff" * 1000, raw.associate_rq()[:40], raw.associate_rq()):
            with socket.create_connection(("127.0.0.1", node.tls_port), 10) as plain:
                peer = self.context().wrap_socket(plain, server_hostname="127.0.0.1")
                peer.sendall(what)
                if what[0] == 0xff:
                    self.assertEqual(7, peer.recv(1)[0], "A-ABORT comes inside TLS")
                os.close(peer.detach())
            self.alive(node)
        with socket.create_connection(("127.0.0.1", node.tls_port), 10) as plain:
            peer = self.context().wrap_socket(plain, server_hostname="127.0.0.1")
            plain_again = socket.socket(fileno=peer.detach())
            plain_again.settimeout(10)
            plain_again.sendall(b"not encrypted any more")
            self.assertNotEqual(b"", plain_again.recv(1000), "an alert")
            plain_again.close()
        self.alive(node)

    def test_handshakes_end_with_artim(self):
        node = self.tls_node(settings=["limits.artim_timeout=1s"])
        hello = self.client_hello()
        for start in (b"", hello[:20], hello):
            with socket.create_connection(("127.0.0.1", node.tls_port), 10) as peer:
                peer.sendall(start)
                began = time.monotonic()
                while peer.recv(4096):
                    pass
                self.assertLess(time.monotonic() - began, 5)
        self.alive(node)

    def test_many_silent_connections(self):
        node = self.tls_node()
        silent = [socket.create_connection(("127.0.0.1", node.tls_port), 10) for _ in range(200)]
        self.alive(node)
        for one in silent:
            one.close()


class Configuration(TlsCase):
    def check(self, text, status):
        file = self.folder / "sagitta.toml"
        file.write_text(text)
        return h.sagitta("config", "check", "-c", file, check=status).text

    def tls(self, **keys):
        named = {"certificate": "certificates/node.crt", "key": "certificates/node.key", "ca": "certificates/ca.crt", **keys}
        return "[tls]\n" + "".join(f'{key} = "{value}"\n' for key, value in named.items() if value is not None)

    def test_what_would_happen(self):
        self.assertIn("listens for TLS 1.2 and 1.3 on 127.0.0.1 port 2762", self.check(self.tls(), 0))
        self.assertIn("the certificate has expired",
                      self.check(self.tls(certificate="certificates/expired.crt", key="certificates/expired.key"), 0))
        self.assertIn("does not belong to the certificate", self.check(self.tls(key="certificates/second.key"), 2))
        self.assertIn("nothing.crt", self.check(self.tls(certificate="nothing.crt"), 2))
        self.assertIn("needs tls.ca", self.check(self.tls(ca=None), 2))
        self.assertIn("one of them is missing", self.check(self.tls(key=None), 2))
        self.assertIn("nothing would listen", self.check("[tls]\nplain = false\n", 2))
        os.chmod(self.made.key("node"), 0o644)
        self.assertIn("is not its owner's alone", self.check(self.tls(), 0))
        peer = '[[peer]]\naddress = "CT@10.0.0.1:104"\ncertificate = "sha256:12"\n'
        self.assertIn("64 hexadecimal digits", self.check(self.tls() + peer, 2))

    def test_tls_alone(self):
        port = h.free_port()
        words = [f"tls.{key}={value}" for key, value in (("certificate", self.made.cert("node")), ("key", self.made.key("node")),
                                                         ("ca", self.made.cert("ca")), ("plain", "false"), ("port", port))]
        command = [h.SAGITTA, "serve", "--port", h.free_port(), "--data", self.folder / "archive"]
        for word in words:
            command += ["--set", word]
        process = h.Process(command, self.folder / "node.log")
        self.addCleanup(process.kill)
        process.wait_for(r"listening for TLS on")
        h.sagitta("echo", f"SAGITTA@127.0.0.1:{port}", *self.ours(), check=0)
        h.sagitta("echo", f"SAGITTA@127.0.0.1:{command[3]}", check=1)
        self.assertEqual(0, process.stop())


if __name__ == "__main__":
    h.main()
