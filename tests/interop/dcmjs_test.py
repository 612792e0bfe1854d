#!/usr/bin/env python3
"""dcmjs-dimse of npm, both ways."""
import json
import pathlib
import struct

import harness as h
from npm_peer import dcmjs_modules

PEER = pathlib.Path(__file__).with_name("dcmjs_peer.js")
SUCCESS, PENDING, MOVE_DESTINATION_UNKNOWN = 0, 0xff00, 0xa801


class Dcmjs(h.Case):
    def setUp(self):
        super().setUp()
        self.module = dcmjs_modules() / "dcmjs-dimse"

    def call(self, what, port, *more):
        done = h.run("node", PEER, self.module, what, port, *more, check=0)
        said = [line for line in done.out.decode().splitlines() if line.startswith("{")]
        self.assertEqual(1, len(said), done.text)
        return json.loads(said[0])

    def instances(self):
        source = self.folder / "in"
        source.mkdir()
        # It transcodes whatever it sends, and so wants to know what the pixels are.
        numbers = {2: 1, 0x10: 60, 0x11: 100, 0x100: 8, 0x101: 8, 0x102: 7, 0x103: 0}
        image = [(0x28, number, "US", struct.pack("<H", value)) for number, value in numbers.items()]
        image.append((0x28, 4, "CS", "MONOCHROME2"))
        return {h.make_instance(path, study="2.25.600", series=f"2.25.600.{n}", pixels=bytes([n]) * 6000, more=image): path
                for n, path in ((n, source / f"{n}.dcm") for n in range(3))}


class Scu(Dcmjs):
    """It asks, stores and fetches."""

    def test_echo(self):
        self.assertEqual([SUCCESS], self.call("echo", self.node().port)["statuses"])

    def test_a_wrong_title_is_rejected(self):
        self.assertEqual([1, 1, 7], self.call("stranger", self.node().port)["rejected"])

    def test_store_find_get_move(self):
        with h.StoreScp(self.folder) as destination:
            node = self.node(peers=[f"DEST@127.0.0.1:{destination.port}"])
            made = self.instances()
            self.assertEqual([SUCCESS] * 3, self.call("store", node.port, *made.values())["statuses"])
            found = self.call("find", node.port, "P*")
            self.assertEqual([PENDING, SUCCESS], found["statuses"])
            self.assertEqual("2.25.600", found["matches"][0]["StudyInstanceUID"])
            got = self.call("get", node.port, "2.25.600")
            self.assertEqual(SUCCESS, got["statuses"][-1])
            self.assertEqual(sorted([uid, 6000] for uid in made), sorted(got["stored"]))
            self.assertEqual(SUCCESS, self.call("move", node.port, "DEST", "2.25.600")["statuses"][-1])
            self.assertEqual(sorted(made), sorted(h.by_instance(destination.files())))
            self.assertEqual([MOVE_DESTINATION_UNKNOWN], self.call("move", node.port, "NOWHERE", "2.25.600")["statuses"])


class Scp(Dcmjs):
    """Our commands against its server."""

    def setUp(self):
        super().setUp()
        self.port = h.free_port()
        self.server = h.Process(["node", PEER, self.module, "serve", self.port], self.folder / "dcmjs.log")
        self.addCleanup(self.server.kill)
        h.wait_for_port(self.server, self.port)
        self.address = f"DCMJS@127.0.0.1:{self.port}"

    def test_echo(self):
        h.sagitta("echo", self.address, check=0)
        self.assertIn("called AE title not recognized", h.sagitta("echo", f"NOBODY@127.0.0.1:{self.port}", check=1).text)

    def test_store(self):
        made = self.instances()
        h.sagitta("store", self.address, self.folder / "in", check=0)
        for uid in made:
            self.server.wait_to_say(f"stored {uid}")

    def test_find(self):
        answer = h.sagitta("find", self.address, "--json", "-k", "PatientID=J*", "-k", "PatientName", check=0)
        self.assertEqual(["2.25.9"], [match["0020000D"]["Value"][0] for match in json.loads(answer.out)])


if __name__ == "__main__":
    h.main()
