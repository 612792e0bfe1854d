#!/usr/bin/env python3
"""gdcmscu against our node. The one of Debian 12 ends by an exception of its own, whomever it calls: skipped there."""
import harness as h


class Gdcmscu(h.Case):
    def call(self, node, *words):
        h.need("gdcmscu")
        done = h.run("gdcmscu", *words, "--aetitle", "GDCM", "--call", node.aet, "127.0.0.1", node.port)
        if done.status < 0 and "ProtocolStream as nullptr" in done.text:
            raise h.Missing("this gdcmscu ends by an exception of its own: ProtocolStream as nullptr is invalid")
        self.assertEqual(0, done.status, done.text)
        return done.text

    def test_echo(self):
        self.call(self.node(), "--echo")

    def test_store_and_find(self):
        node = self.node()
        path = self.folder / "a.dcm"
        h.make_instance(path, study="2.25.1")
        self.call(node, "--store", "-i", path)
        self.assertIn("2.25.1", self.call(node, "--find", "--patientroot", "--study", "--key", "0020,000d"))


if __name__ == "__main__":
    h.main()
