#!/usr/bin/env python3
"""docs/read_archive.py, which knows the format page and nothing of us, reads an archive that a node filled."""
import sys

import harness as h

READER = h.ROOT / "docs" / "read_archive.py"


class Reader(h.Case):
    def read(self, data, *options):
        out = self.folder / "out"
        answer = h.run(sys.executable, "-I", READER, data, "-o", out, *options, check=0)
        files = {path.relative_to(out).as_posix(): path for path in h.files_below(out)} if out.exists() else {}
        self.assertEqual(sorted(files), sorted(line.split("\t")[3] for line in answer.out.decode().splitlines()))
        return {h.parts_of(path).sop_instance: path for path in files.values()}, answer

    def filled(self, count=40, settings=("storage.volume_size=64KiB",)):
        node = self.node(settings=list(settings))
        folder = self.folder / "in"
        folder.mkdir()
        sent = {}
        for n in range(count):
            uid = h.make_instance(folder / f"{n}.dcm", pixels=bytes([n]) * 7001)
            sent[uid] = h.parts_of(folder / f"{n}.dcm").data_set
        h.sagitta("store", node.address, folder, check=0)
        return node, sent

    def test_finds_what_was_stored_byte_for_byte(self):
        node, sent = self.filled()
        got, _ = self.read(node.data)
        node.stop()
        self.assertEqual(sent, {uid: h.parts_of(path).data_set for uid, path in got.items()})
        exported = self.folder / "exported"
        h.sagitta("export", "--data", node.data, "-o", exported, "--all", check=0)
        self.assertEqual({path.name: path.read_bytes() for path in h.files_below(exported)},
                         {path.name: path.read_bytes() for path in got.values()})

    def test_of_several_the_last_is_served(self):
        node = self.node(settings=['storage.on_conflict=replace'])
        uid = h.new_uid()
        for content in (b"first", b"second"):
            h.make_instance(self.folder / "x.dcm", instance=uid, study="2.25.1", series="2.25.2", pixels=content * 10)
            h.sagitta("store", node.address, self.folder / "x.dcm", check=0)
        got, _ = self.read(node.data)
        self.assertEqual([uid], list(got))
        self.assertIn(b"second", got[uid].read_bytes())

    def test_finds_its_way_behind_damage(self):
        node, sent = self.filled(5, settings=())
        node.stop()
        volume, = node.volumes()
        damaged = bytearray(volume.read_bytes())
        damaged[100] ^= 1  # the first header
        volume.write_bytes(damaged[:-1000])  # and a torn end
        got, _ = self.read(node.data)
        self.assertEqual(3, len(got))
        for uid, path in got.items():
            self.assertEqual(sent[uid], h.parts_of(path).data_set)

    def test_checks_sealed_volumes(self):
        node, sent = self.filled()
        node.stop()
        volume = node.volumes()[0]
        damaged = bytearray(volume.read_bytes())
        damaged[5000] ^= 1
        volume.write_bytes(damaged)
        got, answer = self.read(node.data, "--check")
        self.assertEqual(len(sent) - 1, len(got))
        self.assertIn(b"not what the manifest says", answer.err)

    def test_is_short(self):
        self.assertLessEqual(len(READER.read_text().splitlines()), 60)


if __name__ == "__main__":
    h.main()
