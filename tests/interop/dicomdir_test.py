#!/usr/bin/env python3
"""File-sets: `sagitta store` of a DICOMDIR, against a node."""
import shutil

import harness as h


class Store(h.Case):
    def setUp(self):
        super().setUp()
        self.media = self.folder / "media"
        shutil.copytree(h.shared("dicomdir"), self.media)

    def store(self, path, check=0):
        node = h.Node(self.mkdir(f"node{len(list(self.folder.iterdir()))}"))
        self.addCleanup(node.kill)
        done = h.sagitta("store", node.address, path, "--json", check=check)
        found = h.findscu(node, "IMAGE", {"StudyInstanceUID": "", "SeriesInstanceUID": "", "SOPInstanceUID": ""})
        node.stop()
        return done, h.texts(found, "SOPInstanceUID")

    def mkdir(self, name):
        folder = self.folder / name
        folder.mkdir()
        return folder

    def uids(self):
        files = [path for path in h.files_below(self.media) if not path.name.startswith("DICOMDIR")]
        return sorted(h.parts_of(path).sop_instance for path in files)

    def test_sends_the_files_it_refers_to(self):
        shutil.copy(next(iter(h.files_below(h.shared("charset")))), self.media / "STRANGER")
        for name in ("DICOMDIR", "DICOMDIR-implicit", "DICOMDIR-reordered"):
            done, found = self.store(self.media / name)
            (self.media / "STRANGER").unlink(missing_ok=True)
            self.assertEqual(self.uids(), found, name)
            self.assertEqual(31, len(found))

    def test_finds_them_in_lower_case(self):
        for folder in sorted(self.media.rglob("*"), reverse=True):
            if not folder.name.startswith("DICOMDIR"):
                folder.rename(folder.with_name(folder.name.lower() + (";1" if folder.is_file() else "")))
        _, found = self.store(self.media / "DICOMDIR")
        self.assertEqual(31, len(found))

    def test_says_which_are_missing(self):
        gone = self.media / "77654033" / "CR1" / "6154"
        gone.unlink()
        done, found = self.store(self.media / "DICOMDIR", check=1)
        self.assertEqual(30, len(found))
        self.assertIn("directory record at byte", done.text)
        done, found = self.store(self.media)  # a folder: what is there is what was asked for
        self.assertEqual(30, len(found))
        self.assertIn("1 of its files are not there", done.text)


if __name__ == "__main__":
    h.main()
