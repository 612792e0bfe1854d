#!/usr/bin/env python3
"""Deletion as an operator and a quota do it: what peers find then, what a crash leaves, what others read."""
import json
import sys
import time

import harness as h

READER = h.ROOT / "docs" / "read_archive.py"


class Kept(h.Case):
    layout = "volumes"

    def node(self, settings=(), **options):
        return super().node(settings=[*settings, f"storage.layout={self.layout}"], **options)

    def stored(self, node):
        return [path for folder in ("volumes", "files", "deleted") for path in h.files_below(node.data / folder)]

    def store(self, node, studies, instances=3, size=20_000, first=0, check=0):
        """Sends each study by itself; answers {study: {instance: data set}}."""
        sent = {}
        for n in range(first, first + studies):
            folder = self.folder / f"in{n}"
            folder.mkdir(exist_ok=True)
            study, series = f"2.25.77{n}", f"2.25.77{n}.1"
            sent[study] = {}
            for i in range(instances):
                uid = f"2.25.77{n}.1.{i}"
                h.make_instance(folder / f"{i}.dcm", instance=uid, study=study, series=series, patient=f"P{n}",
                                pixels=f"study {n} instance {i} ".encode() * (size // 20))
                sent[study][uid] = h.parts_of(folder / f"{i}.dcm").data_set
            h.sagitta("store", node.address, folder, check=check)
        return sent

    def studies(self, node):
        return set(h.texts(h.findscu(node, "STUDY", {"StudyInstanceUID": "", "PatientID": "P*"}), "StudyInstanceUID"))

    def get(self, node, study):
        out = self.folder / f"out{time.monotonic_ns()}"
        h.sagitta("get", node.address, "-k", f"StudyInstanceUID={study}", "-o", out)
        return {h.parts_of(path).sop_instance: h.parts_of(path).data_set for path in h.files_below(out)} if out.exists() else {}

    def read(self, data):
        if self.layout == "files":
            return {path.relative_to(data / "files").parts[0] for path in h.files_below(data / "files")}
        answer = h.run(sys.executable, "-I", READER, data, check=0)
        return {line.split("\t")[3].split("/")[0] for line in answer.out.decode().splitlines()}

    def delete(self, node, *options, check=0):
        return self.sagitta("delete", node, *options, check=check)

    def sagitta(self, command, node, *options, check=0):
        return h.sagitta(command, "--data", node.data, *options, check=check)


class Retention(Kept):
    def test_the_first_rule_that_applies_decides(self):
        file = self.folder / "sagitta.toml"
        file.write_text("""
[storage]
undelete_for = "1d"
[[storage.retention]]
match = { PatientID = "P1" }
keep_for = "forever"
[[storage.retention]]
match = { PatientID = ["P0", "P1", "P2"] }
keep_for = "2s"
[[storage.retention]]
match = { ModalitiesInStudy = "OT" }
keep_for = "10d"
""")
        node = self.node(arguments=["-c", file])
        sent = self.store(node, 5)
        node.stop()
        over = {study for n, study in enumerate(sent) if n in (0, 2)}
        spared = sorted(over)[1]
        self.sagitta("protect", node, spared)
        time.sleep(3)
        node.start()    # it looks at once, then every minute
        h.wait_until(lambda: self.studies(node) == set(sent) - over | {spared}, "the end of one study")
        node.process.wait_to_say("retention: deleted studies=1 instances=3")
        node.stop()
        gone, = over - {spared}
        self.assertIn(gone, self.delete(node, "--list").text)
        self.delete(node, "--study", gone, "--undo")
        h.sagitta("verify", "--data", node.data, check=0)


class Commands(Kept):
    def test_a_deleted_study_is_gone_for_everybody_and_comes_back(self):
        node = self.node(settings=["storage.volume_size=64KiB"])
        sent = self.store(node, 6)
        gone, kept = list(sent)[2], list(sent)[3]
        node.stop()
        self.assertIn("deleted", json.loads(self.delete(node, "--study", gone, "--json").out))
        self.assertIn(gone, self.delete(node, "--list").text)
        node.start()
        self.assertEqual(set(sent) - {gone}, self.studies(node))
        self.assertEqual(sent[kept], self.get(node, kept))
        self.assertEqual(set(sent) - {gone}, self.read(node.data))
        self.assertIn('"kind":"deleted"', h.sagitta("events", "--data", node.data, "--json", check=0).text)
        node.stop()
        h.sagitta("verify", "--data", node.data, check=0)
        h.sagitta("reindex", "--data", node.data, check=0)
        self.delete(node, "--study", gone, "--undo")
        node.start()
        self.assertEqual(sent[gone], self.get(node, gone))
        self.assertEqual(set(sent), self.read(node.data))

    def test_purged_bytes_are_nowhere_and_give_room_back(self):
        node = self.node()
        sent = self.store(node, 3, size=400_000)
        node.stop()
        def blocks():
            return sum(path.stat().st_blocks * 512 for path in self.stored(node))
        before, gone = blocks(), list(sent)[1]
        self.delete(node, "--study", gone)
        self.delete(node, "--purge")
        self.assertIn(b"study 1 instance", b"".join(path.read_bytes() for path in self.stored(node)))
        self.delete(node, "--purge", "--at-once")
        self.assertNotIn(b"study 1 instance", b"".join(path.read_bytes() for path in self.stored(node)))
        self.assertLess(blocks(), before - 1_000_000)
        self.delete(node, "--study", gone, "--undo", check=1)
        h.sagitta("verify", "--data", node.data, check=0)
        for volume in node.volumes():
            self.assertEqual(b"", h.run("tar", "tf", volume, check=0).err)
        node.start()
        self.assertEqual(set(sent) - {gone}, self.studies(node))
        self.assertEqual(set(sent) - {gone}, self.read(node.data))
        self.store(node, 1, first=1, size=400_000)
        self.assertEqual(sent[gone], self.get(node, gone), "stored again")

    def test_protected_studies_stay(self):
        node = self.node()
        sent = self.store(node, 2)
        node.stop()
        study = list(sent)[0]
        self.sagitta("protect", node, study)
        self.assertIn(study, self.sagitta("protect", node).text)
        self.delete(node, "--patient", "P0", check=1)
        self.sagitta("unprotect", node, study)
        self.delete(node, "--patient", "P0")
        self.delete(node, check=2)


class Quota(Kept):
    def bytes_of(self, node):
        return sum(int(m.NumberOfStudyRelatedInstances) for m in
                   h.findscu(node, "STUDY", {"StudyInstanceUID": "", "NumberOfStudyRelatedInstances": ""})) * 20_000

    def test_the_oldest_studies_are_recycled_and_a_kill_changes_nothing(self):
        node = self.node(settings=["storage.quota=1MB", "storage.quota_policy=recycle", "storage.volume_size=256KiB"])
        sent = self.store(node, 2)
        node.stop()
        spared = list(sent)[0]
        self.sagitta("protect", node, spared)
        node.start()
        for first in (2, 14, 26):
            sent.update(self.store(node, 12, first=first))
            node.kill()
            node.start()
            newest = list(sent)[-1]
            self.assertEqual(sent[newest], self.get(node, newest), "acknowledged before the kill")
        h.wait_until(lambda: self.bytes_of(node) <= 1_000_000, "the quota is kept")
        left = self.studies(node)
        self.assertIn(spared, left)
        newest = sorted(left - {spared}, key=lambda study: int(study[7:]))
        self.assertEqual(list(sent)[-len(newest):], newest, "the oldest went")
        self.assertGreater(len(newest), 10)
        for study in left:
            self.assertEqual(sent[study], self.get(node, study))
        node.stop()
        h.sagitta("verify", "--data", node.data, check=0)
        self.assertEqual(left, self.read(node.data))
        h.sagitta("reindex", "--data", node.data, check=0)
        node.start()
        self.assertEqual(left, self.studies(node))

    def test_beyond_the_quota_is_refused_and_the_rest_stays(self):
        node = self.node(settings=["storage.quota=200KB"])
        sent = self.store(node, 2)
        answer = h.sagitta("store", node.address, self.folder / "in0")
        self.assertEqual(0, answer.status, "what is stored already is no more")
        self.store(node, 3, first=2, check=None)
        self.assertIn(list(sent)[0], self.studies(node))
        self.assertLessEqual(self.bytes_of(node), 200_000)
        folder = self.folder / "last"
        folder.mkdir()
        h.make_instance(folder / "x.dcm", pixels=b"x" * 150_000)
        answer = h.sagitta("store", node.address, folder, check=1)
        self.assertIn(b"A700", (answer.out + answer.err).upper())

    def test_instances_of_one_study_are_no_studies(self):
        node = self.node(settings=["storage.quota_studies=5"])
        sent = self.store(node, 1, instances=4)
        time.sleep(2)  # the quota is looked at each second
        sent.update(self.store(node, 4, first=1, instances=1))
        self.assertEqual(set(sent), self.studies(node))

    def test_of_studies_no_more_begin_and_those_that_are_there_grow(self):
        node = self.node(settings=["storage.quota_studies=2"])
        sent = self.store(node, 2)
        node.process.wait_for("the quota is reached: what would begin a study is refused")
        folder = self.folder / "more"
        folder.mkdir()
        h.make_instance(folder / "x.dcm", study=list(sent)[0])
        h.sagitta("store", node.address, folder, check=0)
        h.make_instance(folder / "y.dcm")
        answer = h.sagitta("store", node.address, folder, check=1)
        self.assertIn(b"A700", (answer.out + answer.err).upper())
        self.assertEqual(set(sent), self.studies(node))
        stats = json.loads(h.sagitta("stats", "--data", node.data, "--json", check=0).out)
        self.assertEqual((2, 0), (stats["studies"], stats["deleted"]["count"]))
        node.stop()
        self.delete(node, "--study", list(sent)[1])
        stats = json.loads(h.sagitta("stats", "--data", node.data, "--json", check=0).out)
        self.assertEqual(1, stats["studies"])
        self.assertGreater(stats["deleted"]["count"], 0)
        node.start()
        h.sagitta("store", node.address, folder, check=0)

class CommandsWithFiles(Commands):
    layout = "files"


class QuotaWithFiles(Quota):
    layout = "files"


class RetentionWithFiles(Retention):
    layout = "files"


if __name__ == "__main__":
    h.main()
