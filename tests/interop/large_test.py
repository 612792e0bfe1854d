#!/usr/bin/env python3
"""Objects that are written as they arrive: with a limit of 64 KiB, files of any size are large ones."""
import os
import random
import re
import struct

import harness as h
import raw_dicom as raw

LIMIT = 65536


class LargeCase(h.Case):
    layout = "volumes"

    def setUp(self):
        super().setUp()
        self.node = h.Node(self.folder, settings=["storage.stream_above=64KiB", f"storage.layout={self.layout}"])
        self.addCleanup(self.node.stop)

    def incoming(self):
        return sorted((self.node.data / "incoming").iterdir())

    def associate(self):
        association = raw.Association(self.node.port)
        self.addCleanup(association.close)
        return association

    def served(self, study):
        out = self.folder / f"out-{h.new_uid()}"
        h.sagitta("get", self.node.address, "-k", f"StudyInstanceUID={study}", "-o", out, check=0)
        return {uid: parts.data_set for uid, parts in h.by_instance(h.files_below(out)).items()}

    def listed(self, instance):
        return h.findscu(self.node, "IMAGE", {"StudyInstanceUID": "", "SeriesInstanceUID": "", "SOPInstanceUID": instance})

    def data_set(self, instance, length, **options):
        return h.make_data_set(instance=instance, pixels=random.Random(length).randbytes(length), **options)


class Sizes(LargeCase):
    def test_every_size_around_the_limit_comes_back_as_it_was_sent_and_once(self):
        study, series = h.new_uid(), h.new_uid()
        overhead = len(self.data_set(h.new_uid(), 0, study=study, series=series))
        lengths = [LIMIT - overhead + at for at in range(-6, 8, 2)] + [1000, 300_000, 1_048_576, 5_000_002]
        sent = {}
        association = self.associate()
        for length in lengths:
            instance = h.new_uid()
            sent[instance] = self.data_set(instance, length, study=study, series=series)
            self.assertEqual(0, raw.status_of(association.store(sent[instance], raw.SECONDARY_CAPTURE, instance)))
        h.wait_until(lambda: not self.incoming(), "what was taken or refused being gone")
        self.assertEqual(sent, self.served(study))
        stored = sum(volume.stat().st_size for volume in h.files_below(self.node.data / self.layout))
        for instance, data_set in sent.items():
            self.assertEqual(0, raw.status_of(association.store(data_set, raw.SECONDARY_CAPTURE, instance)))
        self.assertEqual(stored, sum(volume.stat().st_size for volume in h.files_below(self.node.data / self.layout)))
        h.wait_until(lambda: not self.incoming(), "what was taken or refused being gone")
        association.release()
        association.close()
        self.node.stop()
        verified = h.sagitta("verify", "--data", self.node.data, check=0)
        self.assertIn(str(len(sent)), verified.text)
        self.node.start()
        self.assertEqual(sent, self.served(study))

    def test_another_data_set_under_the_same_uid_goes_to_quarantine(self):
        study, instance = h.new_uid(), h.new_uid()
        first, second = (self.data_set(instance, length, study=study, series=study) for length in (200_000, 300_000))
        association = self.associate()
        for data_set in (first, second):
            self.assertEqual(0, raw.status_of(association.store(data_set, raw.SECONDARY_CAPTURE, instance)))
        self.assertEqual({instance: first}, self.served(study))
        aside = h.by_instance((self.node.data / "quarantine").iterdir())
        self.assertEqual(second, aside[instance].data_set)
        h.wait_until(lambda: not self.incoming(), "what was taken or refused being gone")


class SizesInFiles(Sizes):
    layout = "files"


class Refused(LargeCase):
    """What is not whole or not what was announced leaves nothing."""

    def refused(self, data_set, instance, status):
        association = self.associate()
        answer = association.store(data_set, raw.SECONDARY_CAPTURE, instance)
        self.assertEqual(status, raw.status_of(answer) & (0xff00 if status == 0xa900 else 0xf000))
        h.wait_until(lambda: not self.incoming(), "what was taken or refused being gone")
        self.assertEqual([], self.listed(instance))
        self.assertEqual(0, raw.status_of(association.echo()))
        return raw.comment_of(answer)

    def test_truncated(self):
        instance = h.new_uid()
        self.refused(self.data_set(instance, 300_000)[:-2], instance, 0xc000)

    def test_other_instance_than_announced(self):
        self.refused(self.data_set(h.new_uid(), 300_000), h.new_uid(), 0xa900)

    def test_no_study(self):
        instance = h.new_uid()
        self.refused(self.data_set(instance, 300_000, more=[(0x20, 0xd, "UI", None)]), instance, 0xc000)

    def test_longer_than_the_limit(self):
        self.node.stop()
        self.node.settings.append("limits.max_object=1MiB")
        self.node.start()
        instance = h.new_uid()
        self.refused(self.data_set(instance, 3_000_000), instance, 0xa000)

    def test_a_sop_class_that_is_not_the_context_s(self):
        association = self.associate()
        instance = h.new_uid()
        answer = association.store(self.data_set(instance, 3_000_000), "1.2.840.10008.5.1.4.1.1.2", instance)
        self.assertEqual(0xa900, raw.status_of(answer))
        h.wait_until(lambda: not self.incoming(), "what was taken or refused being gone")


class Vanishing(LargeCase):
    def halfway(self, length=5_000_000):
        association = self.associate()
        instance = h.new_uid()
        association.begin_store(raw.SECONDARY_CAPTURE, instance)
        association.send_data(self.data_set(instance, length)[:length // 2], last=False)
        h.wait_until(lambda: self.incoming(), "a file of what has come so far")
        return association, instance

    def gone(self, instance):
        h.wait_until(lambda: not self.incoming(), "that nothing is left of it")
        self.assertEqual([], self.listed(instance))

    def test_who_closes_the_connection(self):
        association, instance = self.halfway()
        association.close()
        self.gone(instance)

    def test_who_aborts(self):
        association, instance = self.halfway()
        association.send(raw.pdu(7, b"\0\0\0\0"))
        self.gone(instance)

    def test_who_sends_a_message_in_between(self):
        association, instance = self.halfway()
        association.send_command([(2, "UI", raw.VERIFICATION), (0x100, "US", 0x30), (0x110, "US", 9),
                                  (0x800, "US", 0x101)], 3)
        self.gone(instance)

    def test_thirty_who_announce_much_and_stay_silent(self):
        held = [self.halfway(400_000)[0] for _ in range(30)]
        h.wait_until(lambda: len(self.incoming()) == 30, "a file of each of them")
        instance = h.new_uid()
        data_set = self.data_set(instance, 2_000_000)
        self.assertEqual(0, raw.status_of(self.associate().store(data_set, raw.SECONDARY_CAPTURE, instance)))
        for association in held:
            association.close()
        h.wait_until(lambda: not self.incoming(), "that nothing is left of them")

    def test_a_node_that_is_killed_forgets_what_was_not_whole(self):
        _, instance = self.halfway()
        self.node.kill()
        self.assertEqual(1, len(self.incoming()))
        self.node.start()
        h.wait_until(lambda: not self.incoming(), "what was taken or refused being gone")
        self.assertEqual([], self.listed(instance))


def resident_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) / 1024


class Memory(h.Case):
    def test_an_object_takes_no_more_memory_than_the_limit_and_a_little(self):
        node = h.Node(self.folder, settings=["storage.stream_above=1MiB"])
        self.addCleanup(node.stop)
        instance = h.new_uid()
        association = raw.Association(node.port)
        self.addCleanup(association.close)
        before = resident_mib(node.pid)
        size = 256 << 20
        head = h.make_data_set(instance=instance, pixels=b"")
        data_set = head[:-4] + struct.pack("<I", size)
        association.begin_store(raw.SECONDARY_CAPTURE, instance)
        association.send_data(data_set, last=False)
        piece = os.urandom(16000)
        left = size
        while left:
            part = piece[:min(left, len(piece))]
            left -= len(part)
            association.send_data(part, last=not left)
        self.assertEqual(0, association.response_status())
        if not h.SANITIZED:  # freed memory is kept in quarantine there
            self.assertLess(resident_mib(node.pid) - before, 48)


if __name__ == "__main__":
    h.main()
