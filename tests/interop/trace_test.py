"""Traces of associations: what they show, what they must not, and where they stop."""
import stat

from harness import Case, main, make_instance, new_uid, run, sagitta, SAGITTA

NAME, PATIENT = "Hidden^Person", "SECRET77"


class Trace(Case):
    def traces(self, folder):
        return sorted(folder.iterdir())

    def test_both_sides(self):
        theirs, ours = self.folder / "node", self.folder / "tool"
        node = self.node(settings=(f"log.trace={theirs}",))
        instance, study = new_uid(), new_uid()
        make_instance(self.folder / "one.dcm", instance=instance, study=study, patient=PATIENT, name=NAME,
                      pixels=b"\0" * 600_000)
        sagitta("store", node.address, self.folder / "one.dcm", "--trace", ours, check=0)
        sagitta("find", node.address, "--trace", ours, "-k", "PatientName=Hidden*", "-k", f"StudyInstanceUID={study}",
                "-k", "PatientID", check=0)
        sagitta("get", node.address, "--trace", ours, "-k", f"StudyInstanceUID={study}", "-o", self.folder / "got", check=0)
        node.stop()
        for folder in (theirs, ours):
            self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o700)
            texts = [path.read_text("utf-8") for path in self.traces(folder)]
            for path in self.traces(folder):
                self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            everything = "".join(texts)
            for secret in ("Hidden", "SECRET"):
                self.assertNotIn(secret, everything)
            self.assertNotIn("not understood", everything)
            for expected in ("A-ASSOCIATE-RQ", "A-ASSOCIATE-AC", "1.2.840.10008.5.1.4.1.1.7 SecondaryCaptureImageStorage",
                             "1.2.840.10008.1.2.1 ExplicitVRLittleEndian", f"AffectedSOPInstanceUID: {instance}",
                             "PatientName: 7 characters, 1 wildcard", f"StudyInstanceUID: {study}", "C-STORE-RQ",
                             "C-FIND-RSP", "C-GET-RQ", "Status: FF00", "data set of C-STORE-RQ: 60", "A-RELEASE-RP", "ended: released"):
                self.assertIn(expected, everything, folder)
        self.assertTrue(all(path.name.endswith("-in.trace.txt") for path in self.traces(theirs)))
        self.assertTrue(all(path.name.endswith("-out.trace.txt") for path in self.traces(ours)))

    def test_user_and_rejection(self):
        folder = self.folder / "traces"
        passcode = self.folder / "passcode"
        passcode.write_text("open sesame\n")
        node = self.node(aet="OTHER")
        run(SAGITTA, "echo", f"WRONG@127.0.0.1:{node.port}", "--user", "anna", "--passcode-file", passcode, "--trace", folder, check=1)
        text = self.traces(folder)[0].read_text("utf-8")
        self.assertIn("user identity of type 2 'anna', with a passcode", text)
        self.assertNotIn("sesame", text)
        self.assertIn("called AE title not recognized", text)
        self.assertIn("ended: rejected", text)

    def test_a_folder_that_cannot_be(self):
        blocked = self.folder / "file"
        blocked.write_text("")
        run(SAGITTA, "echo", "X@127.0.0.1:1", "--trace", blocked, check=2)


if __name__ == "__main__":
    main()
