"""Modality Performed Procedure Step (PS3.4 Annex F): in raw PDUs, with dcmjs-dimse, and with our own command."""
import json
import pathlib
import struct
import subprocess
import threading

import pydicom.filebase
import pydicom.filereader

from harness import (Case, ENVIRONMENT, Process, ROOT, explicit, free_port, main, make_instance, new_uid, sagitta,
                     wait_for_port, SECONDARY_CAPTURE)
from npm_peer import dcmjs_modules
from raw_dicom import Association, EXPLICIT, IMPLICIT, status_of

MPPS = "1.2.840.10008.3.1.2.3.3"
RETRIEVE = "1.2.840.10008.3.1.2.3.4"
STATUS, END_DATE, END_TIME = (0x40, 0x252), (0x40, 0x250), (0x40, 0x251)
SERIES, SCHEDULED, MODALITY = (0x40, 0x340), (0x40, 0x270), (8, 0x60)


def sequence(group, number, items):
    body = b"".join(struct.pack("<HHI", 0xfffe, 0xe000, len(one)) + one for one in items)
    return explicit(group, number, "SQ", body)


def attributes(elements):
    """(group, element) → (VR, value), or items' bytes of a sequence; None leaves it out."""
    parts = []
    for (group, number), value in sorted(elements.items()):
        if value is None:
            continue
        parts.append(sequence(group, number, value) if isinstance(value, list) else explicit(group, number, *value))
    return b"".join(parts)


def created(study=None, **more):
    """An attribute list with all that Table F.7.2-1 requires. change: as attributes() has it."""
    scheduled = attributes({
        (8, 0x50): ("SH", "A1"), (8, 0x1110): [], (0x20, 0xd): ("UI", study or new_uid()), (0x32, 0x1060): ("LO", ""),
        (0x40, 7): ("LO", ""), (0x40, 8): [], (0x40, 9): ("SH", "SPS1"), (0x40, 0x1001): ("SH", "RP1")})
    elements = {
        MODALITY: ("CS", "CT"), (8, 0x1032): [], (8, 0x1120): [], (0x10, 0x10): ("PN", "Test^Synthetic"),
        (0x10, 0x20): ("LO", "P1"), (0x10, 0x30): ("DA", "19700101"), (0x10, 0x40): ("CS", "O"),
        (0x20, 0x10): ("SH", ""), (0x40, 0x241): ("AE", "RAW"), (0x40, 0x242): ("SH", ""), (0x40, 0x243): ("SH", ""),
        (0x40, 0x244): ("DA", "20240229"), (0x40, 0x245): ("TM", "101530"), END_DATE: ("DA", ""), END_TIME: ("TM", ""),
        STATUS: ("CS", "IN PROGRESS"), (0x40, 0x253): ("SH", "PPS1"), (0x40, 0x254): ("LO", ""),
        (0x40, 0x255): ("LO", ""), (0x40, 0x260): [], SCHEDULED: [scheduled], SERIES: []}
    elements.update(more.get("change", {}))
    return attributes(elements)


def series_item(references, series=None, others=(), **more):
    def items(list_of):
        return [explicit(8, 0x1150, "UI", sop_class) + explicit(8, 0x1155, "UI", one) for sop_class, one in list_of]
    elements = {(8, 0x54): ("AE", "SAGITTA"), (8, 0x103e): ("LO", ""), (8, 0x1050): ("PN", ""),
                (8, 0x1070): ("PN", ""), (8, 0x1140): items(references), (0x18, 0x1030): ("LO", "HEAD"),
                (0x20, 0xe): ("UI", series or new_uid()), (0x40, 0x220): items(others)}
    elements.update(more.get("change", {}))
    return attributes(elements)


def completed(series=None, state="COMPLETED", **more):
    elements = {STATUS: ("CS", state), END_DATE: ("DA", "20240229"), END_TIME: ("TM", "102000"),
                SERIES: [series_item([(SECONDARY_CAPTURE, new_uid())])] if series is None else series}
    elements.update(more.get("change", {}))
    return attributes(elements)


def read(data):
    source = pydicom.filebase.DicomBytesIO(data)
    source.is_little_endian, source.is_implicit_VR = True, False
    return pydicom.filereader.read_dataset(source, False, True)


def tags_of(answer):
    """Attribute Identifier List."""
    return [tuple(struct.unpack_from("<HH", answer.get(0x1005, b""), at)) for at in range(0, len(answer.get(0x1005, b"")), 4)]


def text_of(answer, number):
    return answer.get(number, b"").rstrip(b"\0 ").decode()


class Modality(Association):
    def __init__(self, port, calling=b"RAW"):
        super().__init__(port, contexts=((MPPS, (EXPLICIT,)), (RETRIEVE, (EXPLICIT,)),
                                         ("1.2.840.10008.1.1", (IMPLICIT,))), calling=calling)

    def ask(self, field, instance, data, sop_class=MPPS, context=1, affected=False, more=()):
        self.message_id += 1
        self.context = context
        elements = [(2 if affected else 3, "UI", sop_class), (0x100, "US", field), (0x110, "US", self.message_id),
                    (0x800, "US", 0x101 if data is None else 0), *more]
        if instance is not None:
            elements.append((0x1000 if affected else 0x1001, "UI", instance))
        self.send_command(elements, context)
        if data is not None:
            self.send_data(data, last=True)
        answer, body = self.message()
        assert struct.unpack("<H", answer[0x100])[0] == field | 0x8000, answer
        assert struct.unpack("<H", answer[0x120])[0] == self.message_id, answer
        self.answer, self.body = answer, body
        return status_of(answer)

    def create(self, instance, data, **options):
        return self.ask(0x140, instance, data, affected=True, **options)

    def set(self, instance, data, **options):
        return self.ask(0x120, instance, data, **options)

    def get(self, instance, tags=(), **options):
        wanted = b"".join(struct.pack("<HH", *tag) for tag in tags)
        return self.ask(0x110, instance, None, **{"sop_class": RETRIEVE, "context": 3, **options},
                        more=[(0x1005, "AT", wanted)] if tags else [])


class RawPdus(Case):
    def refused(self, node, ask, status, tags=None, error_id=None):
        """One operation on an association of its own, and what is said of it."""
        with Modality(node.port) as peer:
            self.assertEqual(f"{ask(peer):04x}", f"{status:04x}")
            if tags is not None:
                self.assertEqual(tags_of(peer.answer), tags)
            self.assertEqual(peer.answer.get(0x903), None if error_id is None else struct.pack("<H", error_id))
            self.assertTrue(text_of(peer.answer, 0x902))
            peer.release()

    def test_created_changed_and_completed(self):
        node, instance = self.node(), new_uid()
        with Modality(node.port) as peer:
            self.assertEqual(peer.create(instance, created()), 0)
            self.assertEqual(text_of(peer.answer, 0x1000), instance)
            self.assertEqual(peer.set(instance, attributes({(0x40, 0x254): ("LO", "half")})), 0)
            self.assertEqual(peer.set(instance, completed()), 0)
            self.assertEqual(peer.get(instance), 0)
            step = read(peer.body)
            self.assertEqual((step.PerformedProcedureStepStatus, step.PerformedProcedureStepDescription,
                              step.PerformedProcedureStepEndTime, len(step.PerformedSeriesSequence)),
                             ("COMPLETED", "half", "102000", 1))
            self.assertEqual(peer.get(instance, [STATUS, (8, 0x60)]), 0)
            self.assertEqual([element.keyword for element in read(peer.body)],
                             ["Modality", "PerformedProcedureStepStatus"])
            self.assertEqual(peer.get(instance, [STATUS, (0x18, 0x10)]), 1)
            self.assertEqual(tags_of(peer.answer), [(0x18, 0x10)])
            peer.release()

    def test_a_name_of_ours(self):
        node = self.node()
        with Modality(node.port) as peer:
            self.assertEqual(peer.create(None, created()), 0)
            instance = text_of(peer.answer, 0x1000)
            self.assertTrue(instance.startswith("2.25."))
            self.assertEqual(peer.set(instance, completed(state="DISCONTINUED")), 0)
            peer.release()

    def test_refused_whatever_is_missing_or_not(self):
        node = self.node()
        known, done = new_uid(), new_uid()
        with Modality(node.port) as peer:
            self.assertEqual(peer.create(known, created()), 0)
            self.assertEqual(peer.create(done, created()), 0)
            self.assertEqual(peer.set(done, completed()), 0)
            peer.release()
        bad = [series_item([(SECONDARY_CAPTURE, "1.2'; DROP TABLE step; --")])]
        create, change = (lambda **options: lambda peer: peer.create(new_uid(), created(change=options["change"]))), (
            lambda **options: lambda peer: peer.set(known, completed(**options)))
        for ask, *expected in (
                (lambda peer: peer.create(known, created()), 0x111),
                (lambda peer: peer.create("1.2.x", created()), 0x117),
                (lambda peer: peer.create(new_uid(), None), 0x120, [STATUS]),
                (create(change={STATUS: None}), 0x120, [STATUS]),
                (create(change={STATUS: ("CS", "")}), 0x121, [STATUS]),
                (create(change={STATUS: ("CS", "COMPLETED")}), 0x106, [STATUS]),
                (create(change={STATUS: ("CS", "in progress")}), 0x106, [STATUS]),
                (create(change={SERIES: bad}), 0x106, [(8, 0x1155)]),
                (lambda peer: peer.create(new_uid(), created(study="not a uid")), 0x106, [(0x20, 0xd)]),
                (lambda peer: peer.create(new_uid(), b"\xff" * 40), 0x110),
                (lambda peer: peer.set(new_uid(), completed()), 0x112),
                (lambda peer: peer.set("", completed()), 0x112),
                (lambda peer: peer.set("1.2.x", completed()), 0x117),
                (change(state="FINISHED"), 0x106, [STATUS]),
                (change(state=""), 0x121, [STATUS]),
                (change(series=bad), 0x106, [(8, 0x1155)]),
                (lambda peer: peer.set(known, b"\xff" * 40), 0x110),
                (lambda peer: peer.set(done, completed()), 0x110, [], 0xa710),
                (lambda peer: peer.set(done, completed(state="DISCONTINUED")), 0x110, [], 0xa710),
                (lambda peer: peer.get(new_uid()), 0x112),
                (lambda peer: peer.get(known, sop_class=MPPS, context=1), 0x211),
                (lambda peer: peer.create(new_uid(), created(), sop_class=RETRIEVE, context=3), 0x211),
                (lambda peer: peer.create(new_uid(), created(), sop_class=RETRIEVE), 0x118),
                (lambda peer: peer.set(known, completed(), context=5), 0x122),
                (lambda peer: peer.ask(0x150, known, None), 0x211)):
            self.refused(node, ask, *expected)
        with Modality(node.port) as peer:  # none of it has left a trace
            self.assertEqual(peer.get(known, [STATUS]), 0)
            self.assertEqual(read(peer.body).PerformedProcedureStepStatus, "IN PROGRESS")
            peer.release()

    def test_what_a_scanner_leaves_out_is_taken_unless_strict(self):
        poor = attributes({STATUS: ("CS", "IN PROGRESS")})
        node, instance = self.node(), new_uid()
        with Modality(node.port) as peer:
            self.assertEqual(peer.create(instance, poor), 0)
            self.assertEqual(peer.set(instance, attributes({STATUS: ("CS", "COMPLETED")})), 0)
            peer.release()
        node.process.wait_for(r"mpps=1 taken, though it lacks .*\(0008,0060\)")
        node.process.wait_for(r"mpps=1 taken, though it lacks .*\(0040,0340\)")
        node.stop()
        node.settings = ["mpps.strict=true"]
        node.start()
        known = new_uid()
        with Modality(node.port) as peer:
            self.assertEqual(peer.create(known, created()), 0)
            peer.release()
        for change, status, tag in (({MODALITY: None}, 0x120, MODALITY), ({SCHEDULED: None}, 0x120, SCHEDULED),
                                    ({(0x10, 0x10): None}, 0x120, (0x10, 0x10)),
                                    ({MODALITY: ("CS", "")}, 0x121, MODALITY), ({SCHEDULED: []}, 0x121, SCHEDULED)):
            self.refused(node, lambda peer: peer.create(new_uid(), created(change=change)), status, [tag])
        no_uid, no_protocol = (series_item([], change={tag: value}) for tag, value in (
            ((0x20, 0xe), None), ((0x18, 0x1030), ("LO", ""))))
        for data, status, tag in ((completed(change={END_DATE: None}), 0x121, END_DATE),
                                  (completed(series=[]), 0x121, SERIES),
                                  (completed(series=[no_uid]), 0x120, (0x20, 0xe)),
                                  (completed(series=[no_protocol]), 0x121, (0x18, 0x1030)),
                                  (completed(change={MODALITY: ("CS", "MR")}), 0x105, MODALITY)):
            self.refused(node, lambda peer: peer.set(known, data), status, [tag])

    def test_what_may_not_be_set_stays(self):
        node, instance = self.node(), new_uid()
        with Modality(node.port) as peer:
            self.assertEqual(peer.create(instance, created()), 0)
            same = completed(state="IN PROGRESS", change={MODALITY: ("CS", "CT"), (0x10, 0x20): ("LO", "P1")})
            self.assertEqual(peer.set(instance, same), 0)
            other = attributes({(0x10, 0x20): ("LO", "P2"), (0x40, 0x254): ("LO", "new")})
            self.assertEqual(peer.set(instance, other), 0x107)
            self.assertEqual(tags_of(peer.answer), [(0x10, 0x20)])
            self.assertEqual(peer.get(instance, [(0x10, 0x20), (0x40, 0x254)]), 0)
            step = read(peer.body)
            self.assertEqual((step.PatientID, step.PerformedProcedureStepDescription), ("P1", "new"))
            peer.release()

    def test_texts_of_two_character_sets(self):
        node, instance = self.node(), new_uid()
        with Modality(node.port) as peer:
            first = created(change={(8, 5): ("CS", "ISO_IR 100"), (0x10, 0x10): ("PN", b"M\xfcller^A")})
            self.assertEqual(peer.create(instance, first), 0)
            second = attributes({(8, 5): ("CS", "ISO_IR 144"), (0x40, 0x254): ("LO", "\u041c\u043e".encode("iso8859-5"))})
            self.assertEqual(peer.set(instance, second), 0)
            self.assertEqual(peer.get(instance), 0)
            step = read(peer.body)
            step.decode()
            self.assertEqual((step.SpecificCharacterSet, str(step.PatientName), step.PerformedProcedureStepDescription),
                             ("ISO_IR 192", "M\xfcller^A", "\u041c\u043e"))
            peer.release()

    def test_values_of_any_kind(self):
        node, instance = self.node(), new_uid()
        evil = b"x'); DROP TABLE step; --\x00\x1b[31m\r\n\xff"
        with Modality(node.port, calling=b"A'; DROP--") as peer:
            self.assertEqual(peer.create(instance, created(change={(0x40, 0x253): ("SH", evil[:16]), (0x10, 0x10): ("PN", evil)})), 0)
            self.assertEqual(peer.get(instance, [(0x10, 0x10)]), 0)
            self.assertIn(evil, peer.body)
            peer.release()
        self.assertNotIn("\x1b", node.process.log_text())
        self.assertNotIn("DROP TABLE", node.process.log_text())

    def test_deep_and_long(self):
        node = self.node()
        deep = b""
        for _ in range(200):
            deep = sequence(0x40, 0x340, [deep])
        references = [(SECONDARY_CAPTURE, new_uid()) for _ in range(10_000)]
        instance = new_uid()
        with Modality(node.port) as peer:
            self.assertEqual(peer.create(new_uid(), created()[:-8] + deep), 0x110)
            self.assertEqual(peer.create(instance, created()), 0)
            self.assertEqual(peer.set(instance, completed([series_item(references)])), 0)
            self.assertEqual(peer.get(instance, [SERIES]), 0)
            self.assertEqual(len(read(peer.body).PerformedSeriesSequence[0].ReferencedImageSequence), 10_000)
            peer.release()

    def test_limits(self):
        node = self.node(settings=("mpps.max_in_progress=2", "mpps.max_object=16KiB"))
        instances = [new_uid(), new_uid()]
        with Modality(node.port) as peer:
            for instance in instances:
                self.assertEqual(peer.create(instance, created()), 0)
            self.assertEqual(peer.create(new_uid(), created()), 0x213)
            self.assertEqual(peer.set(instances[0], completed()), 0)
            self.assertEqual(peer.create(new_uid(), created()), 0)
            self.assertEqual(peer.create(new_uid(), created() + b"\0" * 20_000), 0x213)
            # Neither part is too long, both together are.
            for tag, status in (((0x40, 0x280), 0), ((0x40, 0x310), 0x213)):
                long = explicit(*tag, "ST", b"x" * 10_000)
                self.assertEqual(peer.set(instances[1], long), status)
            peer.release()

    def test_killed_between_create_and_set(self):
        node, instance = self.node(), new_uid()
        with Modality(node.port) as peer:
            self.assertEqual(peer.create(instance, created()), 0)
            node.kill()
        node.start()
        with Modality(node.port) as peer:
            self.assertEqual(peer.set(instance, completed()), 0)
            node.kill()
        node.start()
        with Modality(node.port) as peer:
            self.assertEqual(peer.get(instance, [STATUS]), 0)
            self.assertEqual(read(peer.body).PerformedProcedureStepStatus, "COMPLETED")
            self.assertEqual(peer.set(instance, completed()), 0x110)
            peer.release()

    def test_the_index_is_rebuilt_without_them(self):
        node, instance = self.node(), new_uid()
        with Modality(node.port) as peer:
            self.assertEqual(peer.create(instance, created()), 0)
            peer.release()
        node.stop()
        sagitta("reindex", "--data", node.data, check=0)
        node.start()
        with Modality(node.port) as peer:
            self.assertEqual(peer.set(instance, completed()), 0)
            peer.release()

    def test_two_that_finish_the_same_step(self):
        node = self.node()
        for _ in range(10):
            instance, statuses = new_uid(), []
            with Modality(node.port) as one, Modality(node.port) as other:
                self.assertEqual(one.create(instance, created()), 0)
                ends = [threading.Thread(target=lambda peer=peer, state=state: statuses.append(
                    peer.set(instance, completed(state=state)))) for peer, state in ((one, "COMPLETED"), (other, "DISCONTINUED"))]
                for end in ends:
                    end.start()
                for end in ends:
                    end.join(60)
                self.assertEqual(sorted(statuses), [0, 0x110])
                one.release()
                other.release()

    def test_where_originals_are_not_kept(self):
        sagitta("deid", "init-key", self.folder / "project.key", check=0)
        config = self.folder / "node.toml"
        config.write_text(f'[deid.project]\nprofile = "{ROOT}/config/deid/research-longitudinal.toml"\n'
                          'key_file = "project.key"\n[[sender]]\nfrom = "CT*"\ndeidentify = "project"\n'
                          '[[peer]]\naddress = "AI@127.0.0.1:104"\ndeidentify = "project"\n')
        node, instance = self.node(arguments=("-c", config)), new_uid()
        with Modality(node.port, calling=b"CT1") as peer:
            self.assertEqual(peer.create(instance, created()), 0x124)
            peer.release()
        with Modality(node.port) as peer:
            self.assertEqual(peer.create(instance, created()), 0)
            self.assertEqual(peer.get(instance), 0)
            peer.release()
        with Modality(node.port, calling=b"AI") as peer:
            self.assertEqual(peer.get(instance), 0x124)
            self.assertEqual(peer.body, b"")
            peer.release()

    def test_who_may(self):
        words = ["echo", "store"]
        config = self.folder / "node.toml"
        config.write_text(f'[node]\nbind = "0.0.0.0"\n[[peer]]\naddress = "RAW@127.0.0.1:104"\nallow = {words}\n'
                          '[[peer]]\naddress = "CT1@127.0.0.1:104"\nallow = ["mpps"]\n'.replace("'", '"'))
        node = self.node(arguments=("-c", config))
        with Modality(node.port) as peer:
            self.assertEqual(peer.contexts(), {1: 3, 3: 3, 5: 0})
            peer.release()
        with Modality(node.port, calling=b"CT1") as peer:
            self.assertEqual(peer.contexts(), {1: 0, 3: 0, 5: 3})
            peer.release()


class Evidence(Case):
    """What a step names, beside what has come."""

    def steps(self, node, *options):
        answer = sagitta("mpps", "list", "--data", node.data, "--json", *options, check=0)
        return [json.loads(line) for line in answer.out.splitlines()]

    def test_counted_while_they_come(self):
        node, study, instance = self.node(settings=("mpps.patience=1s",)), new_uid(), new_uid()
        made = [make_instance(self.folder / f"{n}.dcm", study=study) for n in range(3)]
        with Modality(node.port) as peer:
            self.assertEqual(peer.create(instance, created(study)), 0)
            images = [(SECONDARY_CAPTURE, one) for one in made[:2]]
            others = [(SECONDARY_CAPTURE, made[2])]
            self.assertEqual(peer.set(instance, completed([series_item(images, others=others)])), 0)
            peer.release()
        sagitta("store", node.address, self.folder / "0.dcm", check=0)
        node.process.wait_for("mpps=1 COMPLETED: [23] of 3 instances are missing")
        [step] = self.steps(node)
        self.assertEqual((step["state"], step["expected"], step["present"], step["studies"], step["arrived"]),
                         ("COMPLETED", 3, 1, [study], 0))
        self.assertIn("not proven complete", sagitta("mpps", "list", "--data", node.data, "--study", study, check=0).text)
        shown = json.loads(sagitta("mpps", "show", "--data", node.data, "--json", instance, check=0).out)
        self.assertEqual(sorted(shown["missing"]), sorted(made[1:]))
        self.assertEqual(shown["attributes"]["00080060"]["Value"], ["CT"])
        node.stop()  # what is awaited is known after a restart
        node.start()
        sagitta("store", node.address, self.folder / "1.dcm", self.folder / "2.dcm", check=0)
        node.process.wait_for("mpps=1 COMPLETED: all 3 instances are here")
        [step] = self.steps(node, "--study", study)[:1]
        self.assertEqual(step["present"], 3)
        self.assertGreater(step["arrived"], 0)
        self.assertIn("complete by its", sagitta("mpps", "list", "--data", node.data, "--study", study, check=0).text)
        self.assertIn("no such step", sagitta("mpps", "show", "--data", node.data, "1.2.3", check=1).text)
        feed = [json.loads(line) for line in sagitta("events", "--data", node.data, "--json", check=0).out.splitlines()]
        self.assertEqual(["stored"] * 3 + ["completed"], [event["kind"] for event in feed])
        self.assertEqual((instance, study), (feed[3]["sop_instance_uid"], feed[3]["study_instance_uid"]))
        node.stop()
        sagitta("reindex", "--data", node.data, check=0)
        again = sagitta("events", "--data", node.data, "--json", check=0).out.splitlines()
        self.assertEqual(feed, [json.loads(line) for line in again])

    def test_a_folder_without_steps(self):
        self.assertIn("no procedure step", sagitta("mpps", "list", "--data", self.folder, check=1).text)


class OurCommand(Case):
    def test_reports_to_a_node(self):
        node, study = self.node(settings=("mpps.strict=true",)), new_uid()
        series = self.folder / "series"
        series.mkdir()
        made = [make_instance(series / f"{n}.dcm", study=study, series="1.2.3.4") for n in range(2)]
        instance = sagitta("mpps", "create", node.address, "--study", study, "-s", "Modality=CT", "-s",
                           "PatientName=M\xfcller^Test", check=0).out.decode().strip()
        sagitta("mpps", "set", node.address, instance, "-s", "PerformedProcedureStepDescription=half", check=0)
        sagitta("mpps", "set", node.address, instance, "--completed", series, check=0)
        step = json.loads(sagitta("mpps", "get", node.address, instance, check=0).out)
        self.assertEqual(step["00400252"]["Value"], ["COMPLETED"])
        self.assertEqual(step["00100010"]["Value"][0]["Alphabetic"], "M\xfcller^Test")
        [performed] = step["00400340"]["Value"]
        self.assertEqual(performed["0020000E"]["Value"], ["1.2.3.4"])
        self.assertEqual(sorted(one["00081155"]["Value"][0] for one in performed["00081140"]["Value"]), sorted(made))
        late = sagitta("mpps", "set", node.address, instance, "--discontinued", check=1)
        self.assertIn("0110", late.text)
        self.assertIn("may no longer be updated", late.text)
        told = json.loads(sagitta("mpps", "create", node.address, "--uid", instance, "--json", check=1).out)
        self.assertEqual(told["status"], "0111")
        sagitta("mpps", "set", node.address, instance, check=2)
        sagitta("mpps", "set", node.address, "not-a-uid", "--completed", check=2)
        sagitta("mpps", "set", node.address, instance, "--completed", "-s", "NoSuchKeyword=1", check=2)

    def test_begins_with_an_item_of_the_worklist(self):
        node = self.node()
        item = self.folder / "item.json"
        item.write_text(json.dumps({
            "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Doe^Jane"}]}, "00100020": {"vr": "LO", "Value": ["4711"]},
            "00080050": {"vr": "SH", "Value": ["A1"]}, "0020000D": {"vr": "UI", "Value": ["1.2.3.99"]},
            "00400100": {"vr": "SQ", "Value": [{"00080060": {"vr": "CS", "Value": ["MR"]},
                                                "00400009": {"vr": "SH", "Value": ["SPS7"]}}]}}))
        instance = sagitta("mpps", "create", node.address, "--item", item, "--calling", "MR1", check=0).out.decode().strip()
        step = json.loads(sagitta("mpps", "get", node.address, instance, check=0).out)
        [scheduled] = step["00400270"]["Value"]
        self.assertEqual([scheduled[tag]["Value"][0] for tag in ("0020000D", "00080050", "00400009")],
                         ["1.2.3.99", "A1", "SPS7"])
        self.assertEqual([step[tag]["Value"][0] for tag in ("00080060", "00100020", "00400241", "00400252")],
                         ["MR", "4711", "MR1", "IN PROGRESS"])


PEER = pathlib.Path(__file__).resolve().parent / "mpps_peer.js"


class DcmjsScp:
    """dcmjs-dimse listening; what it was asked."""

    def __init__(self, folder, *statuses, port=None):
        environment = {**ENVIRONMENT, "NODE_PATH": str(dcmjs_modules())}
        self.port = port or free_port()
        self.process = Process(["node", PEER, "scp", self.port, *statuses], folder / "dcmjs.log", env=environment)
        wait_for_port(self.process, self.port)

    def requests(self):
        lines = self.process.log_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]


class Dcmjs(Case):
    def scu(self, port, operations):
        environment = {**ENVIRONMENT, "NODE_PATH": str(dcmjs_modules())}
        done = subprocess.run(["node", PEER, "scu", "127.0.0.1", str(port), json.dumps(operations)],
                              capture_output=True, env=environment, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [(one["status"], one["uid"]) for one in json.loads(done.stdout.splitlines()[-1])]

    def test_dcmjs_reports_to_us(self):
        node, instance, study, image = self.node(), new_uid(), new_uid(), new_uid()
        begin = {"SpecificCharacterSet": "ISO_IR 192", "Modality": "CT", "PatientName": "Test^Dcmjs", "PatientID": "P1",
                 "PerformedProcedureStepID": "PPS1", "PerformedStationAETitle": "DCMJS",
                 "PerformedProcedureStepStartDate": "20240229", "PerformedProcedureStepStartTime": "101530",
                 "PerformedProcedureStepStatus": "IN PROGRESS", "ScheduledStepAttributesSequence": [{"StudyInstanceUID": study}]}
        end = {"PerformedProcedureStepStatus": "COMPLETED", "PerformedProcedureStepEndDate": "20240229",
               "PerformedProcedureStepEndTime": "102000",
               "PerformedSeriesSequence": [{"SeriesInstanceUID": new_uid(), "ProtocolName": "HEAD",
                                            "ReferencedImageSequence": [{"ReferencedSOPClassUID": SECONDARY_CAPTURE,
                                                                         "ReferencedSOPInstanceUID": image}]}]}
        self.assertEqual(self.scu(node.port, [{"create": instance, "attributes": begin}]), [(0, instance)])
        node.kill()
        node.start()
        self.assertEqual(self.scu(node.port, [{"set": instance, "attributes": end}, {"set": instance, "attributes": end},
                                              {"create": instance, "attributes": begin},
                                              {"set": new_uid(), "attributes": end}])[:3],
                         [(0, instance), (0x110, instance), (0x111, instance)])
        shown = json.loads(sagitta("mpps", "show", "--data", node.data, "--json", instance, check=0).out)
        self.assertEqual((shown["step"]["state"], shown["step"]["studies"], shown["missing"]),
                         ("COMPLETED", [study], [image]))

    def test_we_report_to_dcmjs(self):
        peer = DcmjsScp(self.folder, 0, 0, 0x110)
        self.addCleanup(peer.process.kill)
        address = f"DCMJS@127.0.0.1:{peer.port}"
        instance = new_uid()
        made = make_instance(self.folder / "one.dcm")
        told = sagitta("mpps", "create", address, "--uid", instance, "-s", "PatientID=P1", check=0).out.decode().strip()
        self.assertEqual(told, instance)
        sagitta("mpps", "set", address, instance, "--completed", self.folder / "one.dcm", check=0)
        self.assertIn("0110", sagitta("mpps", "set", address, instance, "--discontinued", check=1).text)
        begin, end = peer.requests()[:2]
        self.assertEqual((begin["kind"], begin["uid"], begin["sop_class"]), ("create", instance, MPPS))
        self.assertEqual((begin["attributes"]["PerformedProcedureStepStatus"], begin["attributes"]["PatientID"]),
                         ("IN PROGRESS", "P1"))
        self.assertEqual((end["kind"], end["attributes"]["PerformedProcedureStepStatus"]), ("set", "COMPLETED"))
        self.assertIn(made, json.dumps(end["attributes"]))


if __name__ == "__main__":
    main()
