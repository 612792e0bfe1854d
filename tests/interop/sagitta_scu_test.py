#!/usr/bin/env python3
"""The `sagitta` commands against DCMTK's servers."""
import json

import harness as h


def value(match, tag):
    return (match.get(tag, {}).get("Value") or [""])[0]


class AgainstDcmqrscp(h.Case):
    def setUp(self):
        super().setUp()
        self.destination = h.StoreScp(self.folder)
        self.addCleanup(self.destination.process.kill)
        self.scp = h.DcmQrScp(self.folder, hosts=[("DEST", self.destination.port)])
        self.addCleanup(self.scp.process.kill)
        folder = self.folder / "in"
        folder.mkdir()
        self.sent = {}
        for n in range(6):
            path = folder / f"{n}.dcm"
            uid = h.make_instance(path, study="2.25.200", series=f"2.25.200.{n % 2}", pixels=bytes([n]) * 30000,
                                  name="Doe^Jane")
            self.sent[uid] = h.parts_of(path)
        h.sagitta("store", self.scp.address, folder, check=0)

    def test_echo(self):
        h.sagitta("echo", self.scp.address, check=0)

    def test_store_arrived(self):
        self.assertEqual(6, len([p for p in self.scp.store.iterdir() if p.name != "index.dat" and p.is_file()]))

    def test_find(self):
        answer = h.sagitta("find", self.scp.address, "--level", "study", "--json", "-k", "PatientName=Doe*", "-k",
                           "StudyInstanceUID", check=0)
        matches = json.loads(answer.out)
        self.assertEqual(["2.25.200"], [value(match, "0020000D") for match in matches])
        answer = h.sagitta("find", self.scp.address, "--level", "image", "--json", "-k", "StudyInstanceUID=2.25.200", "-k",
                           "SeriesInstanceUID=2.25.200.1", "-k", "SOPInstanceUID", check=0)
        found = {value(match, "00080018") for match in json.loads(answer.out)}
        self.assertEqual(3, len(found))
        self.assertLessEqual(found, set(self.sent))

    def test_find_nothing(self):
        answer = h.sagitta("find", self.scp.address, "--level", "study", "--json", "-k", "PatientName=Nobody", check=0)
        self.assertEqual([], json.loads(answer.out))

    def test_get(self):
        out = self.folder / "out"
        h.sagitta("get", self.scp.address, "-k", "StudyInstanceUID=2.25.200", "-o", out, check=0)
        back = h.by_instance(h.files_below(out))
        self.assertEqual(sorted(self.sent), sorted(back))

    def test_move(self):
        h.sagitta("move", self.scp.address, "--to", "DEST", "-k", "StudyInstanceUID=2.25.200", check=0)
        self.assertEqual(sorted(self.sent), sorted(h.by_instance(self.destination.files())))

    def test_move_to_an_unknown_destination_fails(self):
        answer = h.sagitta("move", self.scp.address, "--to", "NOWHERE", "-k", "StudyInstanceUID=2.25.200")
        self.assertEqual(1, answer.status, answer.text)


class AgainstStorescp(h.Case):
    def test_store_keeps_the_bytes(self):
        with h.StoreScp(self.folder) as scp:
            path = self.folder / "a.dcm"
            h.make_instance(path, pixels=bytes(range(256)) * 4096)
            h.sagitta("store", f"{scp.aet}@127.0.0.1:{scp.port}", path, check=0)
            back, = scp.files()
            self.assertEqual(h.parts_of(path).data_set, h.parts_of(back).data_set)

    def test_small_pdus(self):
        with h.StoreScp(self.folder, options=["-pdu", "4096"]) as scp:
            path = self.folder / "a.dcm"
            h.make_instance(path, pixels=bytes(range(256)) * 1024)
            h.sagitta("store", f"{scp.aet}@127.0.0.1:{scp.port}", path, check=0)
            back, = scp.files()
            self.assertEqual(h.parts_of(path).data_set, h.parts_of(back).data_set)

    def test_refused_association_says_why(self):
        with h.StoreScp(self.folder, options=["--refuse"]) as scp:
            answer = h.sagitta("echo", f"{scp.aet}@127.0.0.1:{scp.port}")
            self.assertEqual(1, answer.status)
            self.assertIn("reject", answer.text.lower())

    def test_nobody_listens(self):
        answer = h.sagitta("echo", f"X@127.0.0.1:{h.free_port()}")
        self.assertEqual(1, answer.status)
        self.assertNotEqual("", answer.text.strip())

    def test_wrong_usage_is_exit_2(self):
        self.assertEqual(2, h.sagitta("echo", "no-port").status)
        self.assertEqual(2, h.run(h.SAGITTA, "no-such-command").status)


class AgainstItself(h.Case):
    def test_echo_store_find_get_move(self):
        with h.StoreScp(self.folder) as scp:
            node = self.node(peers=[f"DEST@127.0.0.1:{scp.port}"])
            h.sagitta("echo", node.address, check=0)
            path = self.folder / "a.dcm"
            uid = h.make_instance(path, study="2.25.300", name="Müller^Jürgen")
            h.sagitta("store", node.address, path, check=0)
            answer = h.sagitta("find", node.address, "--level", "study", "--json", "-k", "PatientName=müller*", "-k",
                               "StudyInstanceUID", check=0)
            match, = json.loads(answer.out)
            self.assertEqual("2.25.300", value(match, "0020000D"))
            self.assertEqual("Müller^Jürgen", value(match, "00100010")["Alphabetic"])
            h.sagitta("move", node.address, "--to", "DEST", "-k", "StudyInstanceUID=2.25.300", check=0)
            self.assertEqual([uid], list(h.by_instance(scp.files())))


if __name__ == "__main__":
    h.main()
