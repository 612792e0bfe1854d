#!/usr/bin/env python3
"""De-identification between wire and disk, and between disk and wire, over a corpus of planted identities
(tests/deid/plant.py): what a node files and sends is what `sagitta deid` writes, nothing planted lies anywhere in its
folder, and what cannot be de-identified neither goes out nor is lost."""
import json
import re
import sqlite3
import struct
import sys
import tarfile

import pydicom

import harness as h
import raw_dicom as raw

sys.path.insert(0, str(h.ROOT / "tests" / "deid"))
import plant  # noqa: E402

PROFILES = h.ROOT / "config" / "deid"
STUDY_GET = "1.2.840.10008.5.1.4.1.2.2.3"
ENCODINGS = ["utf-8", "latin-1", "iso8859-5", "iso8859-6", "shift_jis", "euc_jp", "utf-16-le"]


def data_set_bytes(part10):
    """What follows the file meta information."""
    length = int.from_bytes(part10[140:144], "little")
    return part10[144 + length:]


def element(group, number, value):
    """Implicit VR Little Endian."""
    data = value.encode() + (b"\0" if number != 0x52 else b" ") * (len(value) % 2)
    return struct.pack("<HHI", group, number, len(data)) + data


def syntax_of(path):
    return str(pydicom.filereader.read_file_meta_info(path).TransferSyntaxUID)


class Deid(h.Case):
    profile = "research-longitudinal"

    def prepare(self, body, sender='[[sender]]\ndeidentify = "project"\n', vault="true"):
        if not plant.FILES.is_dir():
            raise h.Missing("python3-pydicom's test files are not here")
        h.sagitta("deid", "init-key", self.folder / "project.key", check=0)
        config = self.folder / "sagitta.toml"
        config.write_text(f'[deid.project]\nprofile = "{PROFILES}/{self.profile}.toml"\nkey_file = "project.key"\n'
                          f"vault = {vault}\n{sender}\n{body}")
        h.sagitta("config", "check", "-c", config, check=0)
        corpus = self.folder / "corpus"
        plant.main(corpus)
        self.planted = json.loads((corpus / "planted.json").read_text())["strings"]
        (corpus / "planted.json").unlink()
        return corpus, self.node(arguments=["-c", config])

    def offline(self, corpus):
        """New SOP Instance UID: the data set that `sagitta deid` makes with the same key."""
        out = self.folder / "offline"
        h.sagitta("deid", corpus, out, "--profile", PROFILES / f"{self.profile}.toml", "--key",
                  self.folder / "project.key", "--report", self.folder / "offline.json")
        report = json.loads((self.folder / "offline.json").read_text())
        self.refused = {q["sop_instance_uid"] for study in report["studies"] for q in study["quarantined"]}
        self.syntaxes = {path.stem: syntax_of(path) for path in out.rglob("*.dcm")}
        return {path.stem: data_set_bytes(path.read_bytes()) for path in out.rglob("*.dcm")}

    def needles(self, shortest=4):
        found = set()
        for string in self.planted:
            for text in {string, string.upper(), string.lower()}:
                for encoding in ENCODINGS:
                    try:
                        encoded = text.encode(encoding).lower()
                    except UnicodeEncodeError:
                        continue
                    if len(encoded) >= shortest:
                        found.add(encoded)
        return found

    def members(self, node):
        """Of the volumes: SOP Instance UID: file."""
        found = {}
        for volume in node.volumes():
            if volume.stat().st_size == 0:
                continue
            with tarfile.open(volume) as tar:
                for member in tar:
                    if member.name.endswith(".dcm"):
                        found[member.name.split("/")[-1][:-4]] = tar.extractfile(member).read()
        return found

    def without_noise(self, part10):
        path = self.folder / "noise.dcm"
        path.write_bytes(part10)
        for keyword in ("PixelData", "WaveformData"):
            for element in pydicom.dcmread(path).iterall():
                if element.keyword == keyword and isinstance(element.value, bytes) and len(element.value) > 256:
                    part10 = part10.replace(element.value, b"")
        return part10.lower()


class Sender(Deid):
    """[[sender]]: the original never touches the disk."""

    def test_what_is_filed(self):
        corpus, node = self.prepare("")
        wanted = self.offline(corpus)
        h.sagitta("store", node.address, corpus, check=0)
        filed = self.members(node)
        self.assertEqual(sorted(wanted), sorted(filed))
        for uid, part10 in filed.items():
            self.assertEqual(wanted[uid], data_set_bytes(part10), uid)
        # Again: the same key makes the same, which is stored already.
        h.sagitta("store", node.address, corpus, check=0)
        self.assertEqual(len(filed), len(self.members(node)))
        h.wait_until(lambda: node.process.log_text().count(" released") >= 2, "the end of both associations")

        needles, long_needles = self.needles(), self.needles(8)
        left = set()
        for uid, part10 in filed.items():
            text = self.without_noise(part10)
            left |= {(uid, needle) for needle in needles if needle in text}
        node.stop()  # reports are written
        looked_at = set()
        for path in h.files_below(node.data) + [node.process.log]:
            if path.suffix == ".tar":
                continue
            looked_at.add(path.suffix)
            # Ciphertext holds any four bytes sooner or later.
            secret = path.suffix == ".sealed" or path.name.startswith("vault")
            content = path.read_bytes().lower()
            left |= {(path.name, needle) for needle in (long_needles if secret else needles) if needle in content}
            left |= {(path.name, needle) for needle in self.planted if needle in str(path)}
        self.assertEqual(set(), left)
        self.assertLessEqual({".json", ".txt", ".sqlite", ".sealed", ".log"}, looked_at)

    def test_what_cannot_be_deidentified_is_kept_encrypted(self):
        corpus, node = self.prepare("")
        self.offline(corpus)
        self.assertTrue(self.refused)  # encapsulated documents, by this profile
        h.sagitta("store", node.address, corpus, check=0)
        folder = node.data / "deid" / "project" / "quarantine"
        sealed = sorted(folder.glob("*.sealed"))
        self.assertEqual(sorted(self.refused), sorted(path.name.split("-")[0] for path in sealed))
        self.assertTrue(all(path.stat().st_mode & 0o077 == 0 for path in sealed))
        h.sagitta("store", node.address, corpus, check=0)
        self.assertEqual(sealed, sorted(folder.glob("*.sealed")))  # the same once
        node.process.wait_for(r"could not de-identify: kept encrypted \(.*encapsulated")

        originals = {str(pydicom.dcmread(path).SOPInstanceUID): data_set_bytes(path.read_bytes())
                     for path in corpus.glob("*.dcm")}
        out = self.folder / "originals"
        h.sagitta("deid", "unseal", "--key", self.folder / "project.key", folder, out, check=0)
        opened = sorted(out.glob("*.dcm"))
        self.assertEqual(len(sealed), len(opened))
        for path in opened:
            self.assertEqual(originals[str(pydicom.dcmread(path).SOPInstanceUID)], data_set_bytes(path.read_bytes()))

        h.sagitta("deid", "init-key", self.folder / "other.key", check=0)
        other = h.sagitta("deid", "unseal", "--key", self.folder / "other.key", folder, self.folder / "none", check=1)
        self.assertIn("another key", other.text)
        sealed[0].write_bytes(sealed[0].read_bytes()[:-1] + b"?")
        changed = h.sagitta("deid", "unseal", "--key", self.folder / "project.key", sealed[0], self.folder / "none",
                            check=1)
        self.assertIn("was changed", changed.text)

    def test_the_way_back_survives_a_kill(self):
        """Acknowledged means: the vault knows it, too."""
        corpus, node = self.prepare("")
        h.sagitta("store", node.address, corpus, check=0)
        node.kill()
        filed = self.members(node)
        stored = self.folder / "stored"
        stored.mkdir()
        for uid, part10 in filed.items():
            (stored / f"{uid}.dcm").write_bytes(part10)
        back = self.folder / "back"
        h.sagitta("reidentify", stored, back, "--vault", node.data / "deid/project/vault.sqlite", "--key",
                  self.folder / "project.key", check=0)
        originals = {str(pydicom.dcmread(path).SOPInstanceUID): pydicom.dcmread(path) for path in corpus.glob("*.dcm")}
        files = h.files_below(back)
        self.assertEqual(len(filed), len(files))
        for path in files:
            again = pydicom.dcmread(path)
            original = originals[str(again.SOPInstanceUID)]
            for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "SeriesInstanceUID"):
                self.assertEqual(original[keyword].value, again[keyword].value, path)

    def test_commitment_by_the_uids_that_were_sent(self):
        """What is filed under another UID is committed to by the sender's; what is kept encrypted is not."""
        corpus, node = self.prepare("")
        filed = len(self.offline(corpus))
        h.sagitta("store", node.address, corpus, check=0)
        answer = h.sagitta("commit", node.address, "--json", corpus, check=1)
        told = json.loads(answer.out)
        self.assertEqual(filed, told["committed"], told)
        stranger = h.sagitta("commit", node.address, "--json", plant.FILES / "CT_small.dcm", check=1)
        self.assertEqual(0, json.loads(stranger.out)["committed"])

    def test_no_success_without_the_vault(self):
        corpus, node = self.prepare("")
        with sqlite3.connect(node.data / "deid/project/vault.sqlite") as vault:
            vault.execute("ALTER TABLE mapping RENAME TO gone")
        h.sagitta("store", node.address, corpus, check=1)
        self.assertEqual({}, self.members(node))

    def test_first_match_wins(self):
        corpus, node = self.prepare("", sender="""
[[sender]]
from = ["RESEARCH*", "LAB?"]
match = { Modality = ["CT", "MR"] }
not = { StudyDescription = "*kept as it is*" }
deidentify = "project"
[[sender]]
from = "OPEN"
[[sender]]
deidentify = "project"
""")
        ct = next(path for path in sorted(corpus.glob("*.dcm")) if pydicom.dcmread(path).Modality == "CT")
        data_set = pydicom.dcmread(ct)
        seen = {}
        for number, (calling, description, raw) in enumerate([
                ("RESEARCH1", "x", False), ("LAB1", "x", False), ("OPEN", "x", True), ("OPEN", "kept as it is", True),
                ("RESEARCH1", "kept as it is", False), ("LAB12", "x", False)]):
            uid = f"2.25.99{number}"
            data_set.SOPInstanceUID = data_set.file_meta.MediaStorageSOPInstanceUID = uid
            data_set.StudyDescription = description
            path = self.folder / "one.dcm"
            data_set.save_as(path)
            h.sagitta("store", node.address, path, "--calling", calling, check=0)
            seen[calling, description] = (uid in self.members(node), raw)
        self.assertTrue(all(was == raw for was, raw in seen.values()), seen)
        self.assertEqual(6, len(self.members(node)))


class Peer(Deid):
    """`deidentify` of a [[peer]]: the original never leaves."""

    def prepare_stored(self, **options):
        with_port = f'[[peer]]\naddress = "LAB@127.0.0.1:{options.get("port", 104)}"\ndeidentify = "project"\n'
        corpus, node = self.prepare(with_port, sender="")
        h.sagitta("store", node.address, corpus, check=0)
        return corpus, node, self.offline(corpus)

    def check(self, paths, wanted):
        received = {str(pydicom.dcmread(path).SOPInstanceUID): path for path in paths}
        self.assertEqual(sorted(wanted), sorted(received))
        needles = self.needles()
        same = 0
        for uid, path in received.items():
            part10 = path.read_bytes()
            if syntax_of(path) == self.syntaxes[uid]:
                same += 1
                self.assertEqual(wanted[uid], data_set_bytes(part10), uid)
            text = self.without_noise(part10)
            self.assertEqual(set(), {needle for needle in needles if needle in text})
        self.assertGreater(same, len(wanted) // 2)

    def studies(self, node):
        found = h.sagitta("find", node.address, "--level", "study", "-k", "StudyInstanceUID", "-k", "PatientID",
                          "--json", check=0)
        return sorted({study["0020000D"]["Value"][0] for study in json.loads(found.out)})

    def test_get(self):
        _, node, wanted = self.prepare_stored()
        out = self.folder / "out"
        failed = 0
        for study in self.studies(node):
            answer = h.sagitta("get", node.address, "--calling", "LAB", "-k", f"StudyInstanceUID={study}", "-o", out)
            failed += answer.status != 0
        self.assertEqual(len(plant.PEOPLE), failed)  # each has a document that is refused
        self.check([path for path in h.files_below(out) if path.suffix == ".dcm"], wanted)

    def test_move(self):
        h.need("movescu")
        with h.StoreScp(self.folder, aet="LAB") as destination:
            _, node, wanted = self.prepare_stored(port=destination.port)
            for study in self.studies(node):
                moved = h.run("movescu", "-d", "-S", "-aec", "SAGITTA", "-aem", "LAB", "-aet", "LAB", "-k",
                              "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}", "127.0.0.1", node.port)
                self.assertRegex(moved.text, r"NumberOfFailedSubOperations[^\n]*\n|Failed Suboperations *: 1")
            self.check(destination.files(), wanted)
        h.wait_until(lambda: "deidentified=project" in node.process.log_text(), "the log line")
        node.stop()
        self.assertTrue(list((node.data / "deid/project/reports").rglob("*.json")))

    def test_no_original_uid_in_failures(self):
        """C-GET by a peer that is to know pseudonyms only: the Failed SOP Instance UID List holds those."""
        corpus, node, _ = self.prepare_stored()
        document = next(pydicom.dcmread(path) for path in sorted(corpus.glob("*.dcm"))
                        if "EncapsulatedDocument" in pydicom.dcmread(path))
        keys = b"".join(element(*key) for key in [
            (0x0008, 0x0052, "IMAGE"), (0x0008, 0x0018, document.SOPInstanceUID),
            (0x0020, 0x000D, document.StudyInstanceUID), (0x0020, 0x000E, document.SeriesInstanceUID)])
        with raw.Association(node.port, calling=b"LAB", contexts=((STUDY_GET, (raw.IMPLICIT,)),)) as association:
            association.send_command([(2, "UI", STUDY_GET), (0x100, "US", 0x10), (0x110, "US", 1),
                                      (0x700, "US", 0), (0x800, "US", 1)], 1)
            association.send(raw.pdu(4, raw.pdv(1, 2, keys)))
            said = b""
            while b"2.25." not in said:
                kind, body = association.read_pdu()
                self.assertEqual(4, kind)
                said += body
            association.release()
        self.assertNotIn(document.SOPInstanceUID.encode(), said)
        self.assertTrue(any(uid.encode() in said for uid in self.refused), said)

    def test_such_a_peer_may_not_query(self):
        _, node, _ = self.prepare_stored()
        refused = h.sagitta("find", node.address, "--calling", "LAB", "--level", "study", "-k", "PatientName", check=1)
        self.assertNotRegex(refused.text, "|".join(map(re.escape, self.planted)))


class Configuration(h.Case):
    """What is wrong with [deid.NAME], [[sender]] and `deidentify` is told with its line, before anything starts."""

    def test_problems(self):
        h.sagitta("deid", "init-key", self.folder / "good.key", check=0)
        (self.folder / "broken.toml").write_text('optoins = []\n')
        good = f'[deid.p]\nprofile = "{PROFILES}/basic.toml"\nkey_file = "good.key"\n'
        for text, said in [
                ('[[sender]]\ndeidentify = "p"\n', r"sagitta.toml:2: deidentify: there is no \[deid.p\]"),
                ('[[peer]]\naddress = "A@b:1"\ndeidentify = "q"\n' + good, r"sagitta.toml:3: deidentify: there is no \[deid.q\]"),
                (good + "vaults = true\n", r"sagitta.toml:4: unknown key vaults in \[deid.p\], did you mean vault\?"),
                (good + '[[sender]]\nmatch = { Modalty = "CT" }\n', r"sagitta.toml:5: .*'Modalty' is no keyword.*'Modality'"),
                (good + '[[sender]]\nmatch = { StudyDate = "2024-13" }\n', r"sagitta.toml:5: sender.match"),
                (good + "[[sender]]\nfrom = 7\n", r"sagitta.toml:5: sender.from must hold text"),
                (good + '[sender]\nfrom = "A"\n', r"sagitta.toml:4: .*\[\[sender\]\], in double brackets"),
                ('[deid.p]\nprofile = "x.toml"\n', r"sagitta.toml:1: \[deid.p\] has no key_file"),
                ('[deid."../p"]\nprofile = "x"\nkey_file = "y"\n', r"sagitta.toml:1: the NAME"),
                (good.replace("good.key", "none.key"), r"\[deid.p\]: .*none.key"),
                ('[deid.p]\nprofile = "broken.toml"\nkey_file = "good.key"\n', r"\[deid.p\]: .*broken.toml:1: .*optoins"),
                ('[deid.p]\nprofile = "none.toml"\nkey_file = "good.key"\n', r"\[deid.p\]: .*none.toml: cannot be read")]:
            config = self.folder / "sagitta.toml"
            config.write_text(text)
            with self.subTest(text):
                self.assertRegex(h.sagitta("config", "check", "-c", config, check=2).text, said)
        (self.folder / "sagitta.toml").write_text(good.replace("good.key", "none.key"))
        started = h.run(h.SAGITTA, "serve", "-c", self.folder / "sagitta.toml", "--port", 0, "--data",
                        self.folder / "archive", check=1)
        self.assertIn("none.key", started.text)


if __name__ == "__main__":
    h.main()
