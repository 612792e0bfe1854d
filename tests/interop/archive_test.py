#!/usr/bin/env python3
"""The archive on disk as others see it: tar, a second node, verify and reindex; stopping mid-store."""
import json
import tarfile

import harness as h
import raw_dicom as raw


class Volumes(h.Case):
    def load(self, node, count=20):
        folder = self.folder / "in"
        folder.mkdir(exist_ok=True)
        sent = {}
        for n in range(count):
            uid = h.make_instance(folder / f"{n}.dcm", study=f"2.25.400{n % 3}", patient=f"P{n % 3}", pixels=bytes([n]) * 9001)
            sent[uid] = h.parts_of(folder / f"{n}.dcm")
        h.sagitta("store", node.address, folder, check=0)
        return sent

    def listing(self, node):
        names = []
        for volume in node.volumes():
            answer = h.run("tar", "tf", volume, check=0)
            self.assertEqual(b"", answer.err, "tar warns")
            names += [name for name in answer.out.decode().split("\n") if name.endswith(".dcm")]
        return names

    def members(self, node):
        found = {}
        for volume in node.volumes():
            with tarfile.open(volume) as tar:
                for member in tar:
                    if member.isfile() and member.name.endswith(".dcm"):
                        self.assertEqual(0, member.offset_data % 512)
                        parts = h.FileParts(tar.extractfile(member).read())
                        found[parts.sop_instance] = parts
                        self.assertEqual(parts.sop_instance, member.name.rsplit("/", 1)[1][:-4])
        return found

    def answers(self, node):
        keys = {"StudyInstanceUID": "", "PatientID": "", "PatientName": "", "StudyDate": "", "ModalitiesInStudy": "",
                "NumberOfStudyRelatedInstances": "", "NumberOfStudyRelatedSeries": ""}
        return sorted("\n".join(map(str, match)) for match in h.findscu(node, "STUDY", keys))

    def test_tar_lists_the_volumes_while_the_node_runs_and_after(self):
        node = self.node()
        sent = self.load(node)
        self.assertEqual(20, len(self.listing(node)))
        self.assertEqual({uid: parts.data_set for uid, parts in sent.items()},
                         {uid: parts.data_set for uid, parts in self.members(node).items()})
        node.stop()
        self.assertEqual(20, len(self.listing(node)))

    def test_small_volumes_are_sealed_and_readable(self):
        node = self.node(settings=["storage.volume_size=64KiB"])
        sent = self.load(node, 40)
        self.assertGreater(len(node.volumes()), 2)
        self.assertEqual(sorted(sent), sorted(self.members(node)))
        node.stop()
        h.sagitta("verify", "--data", node.data, check=0)

    def test_verify_and_reindex_change_no_answer(self):
        node = self.node()
        self.load(node)
        before = self.answers(node)
        self.assertEqual(3, len(before))
        node.stop()
        h.sagitta("verify", "--data", node.data, check=0)
        h.sagitta("reindex", "--data", node.data, check=0)
        h.sagitta("verify", "--data", node.data, check=0)
        node.start()
        self.assertEqual(before, self.answers(node))

    def test_statistics_beside_the_node(self):
        """The same numbers as tar gives."""
        node = self.node()
        self.load(node)
        told = json.loads(h.sagitta("stats", "--data", node.data, "--json", check=0).out)
        sizes = [member.size for volume in node.volumes() for member in tarfile.open(volume) if member.name.endswith(".dcm")]
        self.assertEqual(len(sizes), told["instances"])
        self.assertEqual(sum(sizes), told["bytes"])
        self.assertEqual(3, told["studies"])
        for shares in ("modalities", "sop_classes", "transfer_syntaxes"):
            self.assertEqual(len(sizes), sum(one["instances"] for one in told[shares]))
        self.assertEqual(sum(volume.stat().st_size for volume in node.volumes()), told["volumes"]["bytes"])

    def test_a_lost_index_is_rebuilt(self):
        node = self.node()
        self.load(node)
        before = self.answers(node)
        node.stop()
        for path in node.data.iterdir():
            if path.is_file() and ("index" in path.name or "sqlite" in path.name or path.suffix in (".db", ".db-wal", ".db-shm")):
                path.unlink()
        h.sagitta("reindex", "--data", node.data, check=0)
        node.start()
        self.assertEqual(before, self.answers(node))

    def test_verify_finds_a_flipped_bit(self):
        node = self.node()
        self.load(node)
        node.stop()
        volume = node.volumes()[0]
        data = bytearray(volume.read_bytes())
        at = data.index(bytes([7]) * 9000) + 4000
        data[at] ^= 1
        volume.write_bytes(data)
        answer = h.sagitta("verify", "--data", node.data)
        self.assertEqual(1, answer.status, answer.text)

    def test_restart_keeps_everything(self):
        node = self.node()
        self.load(node)
        before = self.answers(node)
        for _ in range(3):
            node.stop()
            node.start()
        self.assertEqual(before, self.answers(node))


class OneNodePerArchive(h.Case):
    def test_a_second_node_is_refused(self):
        node = self.node()
        answer = h.run(*node.command())
        self.assertEqual(1, answer.status, answer.text)
        self.assertNotIn("listening on", answer.text)
        h.run("echoscu", "-aec", "SAGITTA", "127.0.0.1", node.port, check=0)

    def test_after_a_kill_the_archive_is_free(self):
        node = self.node()
        node.kill()
        node.start()
        node.stop()


class Termination(h.Case):
    def test_sigterm_during_a_store_finishes_it(self):
        node = self.node()
        uid = h.new_uid()
        data_set = h.make_data_set(instance=uid, study="2.25.500", pixels=b"\x5a" * 3_000_000)
        with raw.Association(node.port) as association:
            half = len(data_set) // 2
            association.begin_store(h.SECONDARY_CAPTURE, uid)
            association.send_data(data_set[:half], last=False)
            node.process.process.terminate()
            h.wait_until(lambda: self.closed_to_others(node), "the listener to close")
            association.send_data(data_set[half:], last=True)
            self.assertEqual(0x0000, association.response_status())
            association.release()
        self.assertEqual(0, node.process.process.wait(h.PATIENCE), node.process.log_text())
        node.start()
        match, = h.findscu(node, "IMAGE", {"StudyInstanceUID": "2.25.500", "SeriesInstanceUID": "", "SOPInstanceUID": ""})
        self.assertEqual(uid, match.SOPInstanceUID)

    @staticmethod
    def closed_to_others(node):
        """Refused by TCP, or by a transient A-ASSOCIATE-RJ."""
        try:
            with raw.Association(node.port):
                return False
        except (OSError, raw.Refused):
            return True

    def test_sigterm_with_nothing_to_do(self):
        node = self.node()
        node.stop()


if __name__ == "__main__":
    h.main()
