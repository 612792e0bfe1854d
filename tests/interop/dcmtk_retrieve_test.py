#!/usr/bin/env python3
"""DCMTK's getscu and movescu as clients; what arrives is compared byte by byte."""
import harness as h


class Loaded(h.Case):
    """A node with 12 instances in two series of one study."""

    study = "2.25.100"

    def load(self, **options):
        h.need("dcmsend")
        node = self.node(**options)
        folder = self.folder / "in"
        folder.mkdir()
        self.sent = {}
        for n in range(12):
            path = folder / f"{n:02}.dcm"
            uid = h.make_instance(path, study=self.study, series=f"{self.study}.{n % 2}", pixels=bytes([n]) * 40000)
            self.sent[uid] = h.parts_of(path)
        h.run("dcmsend", "-aec", "SAGITTA", "+sd", "127.0.0.1", node.port, folder, check=0)
        return node

    def same(self, back, expected=None):
        expected = self.sent if expected is None else expected
        self.assertEqual(sorted(expected), sorted(back))
        for uid, parts in expected.items():
            self.assertEqual(parts.data_set, back[uid].data_set, uid)
            self.assertEqual(parts.transfer_syntax, back[uid].transfer_syntax)
            self.assertEqual(parts.sop_class, back[uid].sop_class)


class Get(Loaded):
    def getscu(self, node, *options, model="-S", check=0):
        h.need("getscu")
        out = self.folder / "out"
        out.mkdir()
        h.run("getscu", "-v", "-B", "+xe", model, "-aec", "SAGITTA", "-od", out, *options, "127.0.0.1", node.port, check=check)
        return h.by_instance(h.files_below(out))

    def test_a_study(self):
        node = self.load()
        self.same(self.getscu(node, "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={self.study}"))

    def test_a_series(self):
        node = self.load()
        back = self.getscu(node, "-k", "QueryRetrieveLevel=SERIES", "-k", f"StudyInstanceUID={self.study}", "-k",
                           f"SeriesInstanceUID={self.study}.1")
        self.assertEqual(6, len(back))

    def test_a_list_of_instances(self):
        node = self.load()
        wanted = sorted(self.sent)[:3]
        back = self.getscu(node, "-k", "QueryRetrieveLevel=IMAGE", "-k", f"StudyInstanceUID={self.study}", "-k",
                           f"SeriesInstanceUID={self.study}.0\\{self.study}.1", "-k", "SOPInstanceUID=" + "\\".join(wanted))
        self.same(back, {uid: self.sent[uid] for uid in wanted})

    def test_a_patient(self):
        node = self.load()
        self.same(self.getscu(node, "-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientID=P1", model="-P"))

    def test_nothing_matches(self):
        node = self.load()
        self.assertEqual({}, self.getscu(node, "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=2.25.999"))

    def test_the_unique_key_is_missing(self):
        node = self.load()
        out = self.folder / "none"
        out.mkdir()
        answer = h.run("getscu", "-d", "-S", "-aec", "SAGITTA", "-od", out, "-k", "QueryRetrieveLevel=STUDY", "127.0.0.1",
                       node.port)
        self.assertEqual([], h.files_below(out))
        self.assertRegex(answer.text, r"(?i)a900|Identifier ?does ?not ?match")


class Move(Loaded):
    def movescu(self, node, *options, destination="DEST", model="-S", check=0):
        h.need("movescu")
        return h.run("movescu", "-d", model, "-aec", "SAGITTA", "-aem", destination, *options, "127.0.0.1", node.port,
                     check=check)

    def test_to_storescp(self):
        with h.StoreScp(self.folder) as destination:
            node = self.load(peers=[f"DEST@127.0.0.1:{destination.port}"])
            self.movescu(node, "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={self.study}")
            self.same(h.by_instance(destination.files()))

    def test_one_series_by_the_patient_model(self):
        with h.StoreScp(self.folder) as destination:
            node = self.load(peers=[f"DEST@127.0.0.1:{destination.port}"])
            self.movescu(node, "-k", "QueryRetrieveLevel=SERIES", "-k", "PatientID=P1", "-k",
                         f"StudyInstanceUID={self.study}", "-k", f"SeriesInstanceUID={self.study}.0", model="-P")
            self.assertEqual(6, len(destination.files()))

    def test_cancel(self):
        with h.StoreScp(self.folder) as destination:
            node = self.load(peers=[f"DEST@127.0.0.1:{destination.port}"])
            answer = self.movescu(node, "--cancel", 1, "-k", "QueryRetrieveLevel=STUDY", "-k",
                                  f"StudyInstanceUID={self.study}", check=None)
            self.assertRegex(answer.text, r"(?i)cancel|0xfe00|Success")
            for path in destination.files():
                self.assertEqual(self.sent[h.parts_of(path).sop_instance].data_set, h.parts_of(path).data_set)
            h.run("echoscu", "-aec", "SAGITTA", "127.0.0.1", node.port, check=0)

    def test_unknown_destination(self):
        node = self.load()
        answer = self.movescu(node, "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={self.study}",
                              destination="NOWHERE", check=None)
        self.assertRegex(answer.text, r"(?i)0xa801|MoveDestinationUnknown|Move Destination Unknown")

    def test_destination_that_is_down(self):
        node = self.load(peers=[f"DEST@127.0.0.1:{h.free_port()}"])
        answer = self.movescu(node, "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={self.study}", check=None)
        self.assertNotRegex(answer.text, r"(?i)DIMSE Status\s*: 0x0000: Success")

    def test_missing_unique_key(self):
        with h.StoreScp(self.folder) as destination:
            node = self.load(peers=[f"DEST@127.0.0.1:{destination.port}"])
            answer = self.movescu(node, "-k", "QueryRetrieveLevel=STUDY", check=None)
            self.assertRegex(answer.text, r"(?i)0xa900|Identifier ?does ?not ?match")
            self.assertEqual([], destination.files())


if __name__ == "__main__":
    h.main()
