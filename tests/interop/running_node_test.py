#!/usr/bin/env python3
"""What an administrator does beside a running node that receives meanwhile, and who may not."""
import json
import os
import pwd
import re
import signal
import socket
import stat
import subprocess
import tarfile
import threading
import time

import harness as h


class Receiving:
    """Somebody sends new studies to the node as long as this lasts; `sent` is {instance: data set}."""

    def __init__(self, node, folder):
        self.node, self.folder, self.sent, self.failures = node, folder / "receiving", {}, []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        for n in range(10_000):
            folder = self.folder / str(n)
            folder.mkdir(parents=True)
            made = {}
            for i in range(20):
                uid = h.make_instance(folder / f"{i}.dcm", study=f"2.25.99{n}", series=f"2.25.99{n}.1", patient="RECEIVED",
                                      pixels=f"{n} {i} ".encode() * 500)
                made[uid] = h.parts_of(folder / f"{i}.dcm").data_set
            done = h.run(h.SAGITTA, "store", self.node.address, folder)
            if done.status != 0:
                self.failures.append(done.text)
                return
            self.sent.update(made)
            if self.ended.is_set():
                return

    def __enter__(self):
        self.thread.start()
        h.wait_until(lambda: self.sent or self.failures, "the first study to be received")
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        if self.failures:
            raise AssertionError(f"a C-STORE failed meanwhile: {self.failures[0]}")


class Beside(h.Case):
    layout = "volumes"

    def node(self, settings=(), **options):
        return super().node(settings=[*settings, f"storage.layout={self.layout}"], **options)

    def make(self, name, count=3, **options):
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        made = {}
        for n in range(count):
            uid = h.make_instance(folder / f"{n}.dcm", **{"pixels": f"{name} {n} ".encode() * 900, **options})
            made[uid] = h.parts_of(folder / f"{n}.dcm").data_set
        return folder, made

    def store(self, node, name, study, **options):
        folder, made = self.make(name, study=study, series=study + ".1", **options)
        h.sagitta("store", node.address, folder, check=0)
        return made

    def sagitta(self, command, node, *options, check=0):
        words = command.split()
        return h.sagitta(*words, "--data", node.data, *options, check=check)

    def get(self, node, study):
        out = self.folder / f"out{time.monotonic_ns()}"
        h.sagitta("get", node.address, "-k", f"StudyInstanceUID={study}", "-o", out)
        return {h.parts_of(path).sop_instance: h.parts_of(path).data_set for path in h.files_below(out)} if out.exists() else {}

    def studies(self, node):
        return set(h.texts(h.findscu(node, "STUDY", {"StudyInstanceUID": "", "PatientID": ""}), "StudyInstanceUID"))

    def everything(self, node):
        """All that is stored, by an export beside the node."""
        out = self.folder / f"all{time.monotonic_ns()}"
        self.sagitta("export", node, "-o", out, "--all")
        return {h.parts_of(path).sop_instance: h.parts_of(path).data_set for path in h.files_below(out)}

    def stop_and_verify(self, node):
        node.stop()
        h.sagitta("verify", "--data", node.data, check=0)


class Deleting(Beside):
    def test_deleting_undoing_listing_and_purging(self):
        node = self.node()
        gone, kept = "2.25.1001", "2.25.1002"
        sent = {study: self.store(node, study, study, patient=f"P{study}") for study in (gone, kept)}
        with Receiving(node, self.folder) as receiving:
            told = json.loads(self.sagitta("delete", node, "--study", gone, "--json").out)
            self.assertEqual((3, 1), (told["deleted"]["instances"], told["deleted"]["studies"]))
            self.assertEqual({}, self.get(node, gone))
            listed = json.loads(self.sagitta("delete", node, "--list", "--json").out)
            self.assertEqual((gone, 3), (listed["study_instance_uid"], listed["instances"]))
            self.assertIn("3 instances of 1 studies restored", self.sagitta("delete", node, "--study", gone, "--undo").text)
            self.assertEqual(sent[gone], self.get(node, gone))
            self.assertEqual(b"", self.sagitta("delete", node, "--list").out)
            self.sagitta("delete", node, "--patient", f"P{gone}")
            self.assertEqual(0, json.loads(self.sagitta("delete", node, "--purge", "--json").out)["purged"]["members"])
            h.wait_until(lambda: b'"being_read":0' in self.sagitta("delete", node, "--purge", "--at-once", "--json").out,
                         "nobody to be sent to")
            self.sagitta("delete", node, "--study", gone, "--undo", check=1)
            self.sagitta("delete", node, "--study", "2.25.1", check=1)
        self.assertEqual({**sent[kept], **receiving.sent}, self.everything(node))
        stored = b"".join(path.read_bytes() for path in h.files_below(node.data))
        self.assertNotIn(f"{gone} 1 {gone} 1 ".encode(), stored)
        self.assertIn(f"{kept} 1 {kept} 1 ".encode(), stored)
        self.stop_and_verify(node)

    def test_protecting(self):
        node = self.node()
        study = "2.25.1003"
        sent = self.store(node, "in", study)
        with Receiving(node, self.folder):
            self.sagitta("protect", node, study)
            self.assertEqual(study, self.sagitta("protect", node).text.strip())
            refused = self.sagitta("delete", node, "--study", study, check=1)
            self.assertIn(f"study {study} is protected", refused.text)
            self.assertEqual(sent, self.get(node, study))
            self.sagitta("unprotect", node, study)
            self.assertEqual(b"", self.sagitta("protect", node).out)
            self.sagitta("protect", node, study)
            self.sagitta("delete", node, "--study", study, "--force")
        self.assertEqual({}, self.get(node, study))
        self.sagitta("protect", node, "no uid", check=1)

    def test_what_was_told_survives_a_kill(self):
        node = self.node()
        gone, kept = "2.25.1004", "2.25.1005"
        sent = {study: self.store(node, study, study) for study in (gone, kept)}
        self.sagitta("protect", node, kept)
        self.sagitta("delete", node, "--study", gone)
        node.kill()
        node.start()
        self.assertEqual({kept}, self.studies(node))
        self.assertEqual(sent[kept], self.get(node, kept))
        self.assertEqual(kept, self.sagitta("protect", node).text.strip())
        self.sagitta("delete", node, "--study", gone, "--undo")
        self.assertEqual({gone, kept}, self.studies(node))

    def test_the_audit_trail_names_who_deleted(self):
        trail = self.folder / "audit.log"
        node = self.node(settings=(f"audit.file={trail}",))
        study = "2.25.1006"
        self.store(node, "in", study, patient="PAT42")
        self.sagitta("delete", node, "--study", study)
        account = pwd.getpwuid(os.getuid()).pw_name
        h.wait_until(lambda: b"DICOM Study Deleted" in trail.read_bytes(), "the deletion in the trail")
        message = trail.read_text("utf-8", "replace").split("DICOM Study Deleted")[1]
        self.assertIn(f'UserID="{account}"', message)
        self.assertIn(study, message)
        self.assertIn("PAT42", message)
        self.assertNotIn("PAT42", node.process.log_text())
        self.assertNotIn(study, node.process.log_text())


class DeletingWithFiles(Deleting):
    layout = "files"


class Quarantine(Beside):
    def conflict(self, node, number):
        """The data sets that are served and kept, and the name of the latter's file."""
        uid, sets = f"2.25.200{number}", {}
        before = set((node.data / "quarantine").glob("*.dcm"))
        for which in ("first", "second"):
            folder, made = self.make(f"{which}{number}", 1, instance=uid, study=uid + ".1", series=uid + ".2")
            h.sagitta("store", node.address, folder)
            sets[which] = made[uid]
        name, = set((node.data / "quarantine").glob("*.dcm")) - before
        return uid, sets["first"], sets["second"], name.name

    def quarantined(self, node):
        return {h.parts_of(path).data_set for path in (node.data / "quarantine").glob("*.dcm")}

    def test_accepting_and_dropping(self):
        node = self.node()
        uid, first, second, name = self.conflict(node, 1)
        with Receiving(node, self.folder):
            self.assertEqual({uid: first}, self.get(node, uid + ".1"))
            self.assertIn("what was served before is in quarantine", self.sagitta("quarantine accept", node, name).text)
            self.assertEqual({uid: second}, self.get(node, uid + ".1"))
            self.assertEqual({first}, self.quarantined(node))
            self.sagitta("quarantine accept", node, name, check=1)
            other, = (path.name for path in (node.data / "quarantine").glob("*.dcm"))
            self.sagitta("quarantine accept", node, other)
            self.assertEqual(({uid: first}, {second}), (self.get(node, uid + ".1"), self.quarantined(node)))
            self.sagitta("quarantine drop", node, name)
            self.assertEqual(set(), self.quarantined(node))
            self.sagitta("quarantine drop", node, name, check=1)
            self.sagitta("quarantine drop", node, "../index.sqlite", check=1)
        node.kill()
        node.start()
        self.assertEqual({uid: first}, self.get(node, uid + ".1"))
        self.stop_and_verify(node)


class QuarantineWithFiles(Quarantine):
    layout = "files"

    def test_accepting_and_dropping(self):
        node = self.node()
        uid, first, second, name = self.conflict(node, 2)
        refused = self.sagitta("quarantine accept", node, name, check=1)
        self.assertIn("delete what is served first", refused.text)
        self.assertEqual(({uid: first}, {second}), (self.get(node, uid + ".1"), self.quarantined(node)))
        self.sagitta("delete", node, "--instance", uid)
        self.assertIn("served now", self.sagitta("quarantine accept", node, name).text)
        self.assertEqual(({uid: second}, set()), (self.get(node, uid + ".1"), self.quarantined(node)))
        self.stop_and_verify(node)


class Importing(Beside):
    def test_a_folder_with_a_conflict_and_a_bad_file(self):
        node = self.node()
        known, _ = self.make("known", 1, instance="2.25.3001", study="2.25.30")
        h.sagitta("store", node.address, known, check=0)
        folder, made = self.make("new", 40)
        h.make_instance(folder / "conflict.dcm", instance="2.25.3001", study="2.25.30", pixels=b"other" * 20)
        whole = (folder / "0.dcm").read_bytes()
        (folder / "bad.dcm").write_bytes(whole[:-100])
        (folder / "notes.txt").write_text("no image")
        (folder / os.fsdecode(b"no utf-8 \xe9.dcm")).write_bytes(whole[:-50])
        with Receiving(node, self.folder) as receiving:
            answer = h.sagitta("import", "--json", "--data", node.data, "new", "absent", check=1, cwd=self.folder)
            report = json.loads(answer.out.decode("utf-8", "replace"))
        self.assertEqual((40, 0, 1, 1, 3), tuple(report[name] for name in
                         ("imported", "already_there", "conflicts", "passed_over", "failed")))
        self.assertFalse(report["interrupted"])
        self.assertEqual([str(folder / "conflict.dcm")], [one["path"] for one in report["conflict_list"]])
        told = {one["path"] for one in report["failure_list"]}
        self.assertLessEqual({str(folder / "bad.dcm"), str(self.folder / "absent")}, told)
        stored = self.everything(node)
        self.assertEqual({**made, **receiving.sent}, {uid: data for uid, data in stored.items() if uid != "2.25.3001"})
        again = json.loads(h.sagitta("import", "--json", "--data", node.data, folder / "1.dcm", check=0).out)
        self.assertEqual((0, 1), (again["imported"], again["already_there"]))
        self.stop_and_verify(node)
        config = self.folder / "alone.toml"
        config.write_text(f'[storage]\nlayout = "{self.layout}"\n')
        alone = h.sagitta("import", "--json", "-c", config, "--data", node.data, "new", "absent", check=1, cwd=self.folder)
        for name in (b"conflict_list", b"failure_list"):
            entries = [sorted(re.findall(rb'\{"path[^}]*\}', out[out.index(name):])) for out in (answer.out, alone.out)]
            self.assertEqual(*entries, "told as it is without a node, byte for byte")

    def start(self, node, folder):
        """One that would take longer than anybody waits here: the folder again and again."""
        before = node.process.log_text().count("asks for import")
        process = subprocess.Popen([h.SAGITTA, "import", "--json", "--threads", "1", "--data", node.data, *[folder] * 4000],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=h.ENVIRONMENT)
        h.wait_until(lambda: node.process.log_text().count("asks for import") > before and self.bytes_of(node) > 10_000,
                     "the first to be imported")
        return process

    def bytes_of(self, node):
        return sum(path.stat().st_size for path in (*node.volumes(), node.data / "files.tsv") if path.exists())

    def test_an_interruption_is_told_and_the_rest_can_follow(self):
        node = self.node()
        folder, made = self.make("new", 600)
        process = self.start(node, folder)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=h.PATIENCE)
        first = json.loads(out)
        self.assertTrue(first["interrupted"], err)
        self.assertEqual(1, process.returncode)
        self.assertEqual(first["imported"], json.loads(self.sagitta("stats", node, "--json").out)["instances"])
        process = self.start(node, folder)
        process.kill()
        process.communicate()
        def ended():
            answer = self.sagitta("import", node, folder / "0.dcm", check=None)
            return answer.status == 0
        h.wait_until(ended, "the end of the import whose client was killed")
        report = json.loads(self.sagitta("import", node, "--json", folder).out)
        self.assertEqual(600, report["imported"] + report["already_there"])
        self.assertEqual(made, self.everything(node))

    def test_a_node_that_stops_ends_it_and_loses_nothing(self):
        node = self.node()
        folder, made = self.make("new", 600)
        process = self.start(node, folder)
        node.stop()
        report = json.loads(process.communicate(timeout=h.PATIENCE)[0])
        self.assertTrue(report["interrupted"])
        h.sagitta("verify", "--data", node.data, check=0)
        node.start()
        self.assertEqual(report["imported"], json.loads(self.sagitta("stats", node, "--json").out)["instances"])


class ImportingWithFiles(Importing):
    layout = "files"


class Exporting(Beside):
    def test_all_of_it_while_more_comes(self):
        node = self.node(settings=["storage.volume_size=256KiB"])
        sent = self.store(node, "in", "2.25.4001", count=30)
        with Receiving(node, self.folder):
            for number, name in enumerate(("a", "b.zip", "c.tar")):
                out = self.folder / name
                report = json.loads(self.sagitta("export", node, "--json", "-o", out, "-k", "StudyInstanceUID=2.25.4001",
                                                 "-k", "DeviceSerialNumber=").out)
                self.assertEqual((30, 0), (report["exported"], report["failed"]), number)
            self.sagitta("export", node, "-o", self.folder / "cd", "--dicomdir", "-k", "StudyInstanceUID=2.25.4001")
        found = {h.parts_of(path).sop_instance: h.parts_of(path).data_set for path in h.files_below(self.folder / "a")}
        self.assertEqual(sent, found)
        with tarfile.open(self.folder / "c.tar") as box:
            parts = [h.FileParts(box.extractfile(member).read()) for member in box]
        self.assertEqual(sent, {one.sop_instance: one.data_set for one in parts})
        self.assertEqual(31, len(h.files_below(self.folder / "cd")))

    def test_what_is_purged_meanwhile_never_gives_wrong_bytes(self):
        node = self.node(settings=["storage.volume_size=1MiB"])
        sent = {}
        for n in range(12):
            study = f"2.25.41{n}"
            sent.update(self.store(node, study, study, count=25, pixels=study.encode() * 3000))
        for attempt in range(3):
            out = self.folder / f"out{attempt}"
            process = subprocess.Popen([h.SAGITTA, "export", "--json", "--data", node.data, "-o", out, "--all"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=h.ENVIRONMENT)
            h.wait_until(lambda: process.poll() is not None or (out.exists() and h.files_below(out)), "the export to begin")
            for n in range(11, 11 - 4 * (attempt + 1), -1):
                if n % 3 == attempt:
                    self.sagitta("delete", node, "--study", f"2.25.41{n}", check=None)
            self.sagitta("delete", node, "--purge", "--at-once")
            report = json.loads(process.communicate(timeout=h.PATIENCE)[0])
            for path in h.files_below(out):
                parts = h.parts_of(path)
                self.assertEqual(sent[parts.sop_instance], parts.data_set, path)
            self.assertEqual(report["exported"], len(h.files_below(out)))
            self.assertEqual(1 if report["failed"] else 0, process.returncode)
            for failure in report["failure_list"]:
                self.assertRegex(failure["reason"], "deleted meanwhile")
        self.stop_and_verify(node)

    def test_damage_is_a_failure_and_no_file(self):
        node = self.node()
        sent = self.store(node, "in", "2.25.4201")
        victim = list(sent)[1]
        marked = b"in 1 in 1 "
        for path in h.files_below(node.data):
            data = path.read_bytes()
            if path.suffix in (".tar", ".dcm") and marked in data:
                at = data.index(marked)
                with open(path, "r+b") as file:
                    file.seek(at)
                    file.write(b"X")
        out = self.folder / "out"
        answer = self.sagitta("export", node, "--json", "-o", out, "--all", check=1)
        report = json.loads(answer.out)
        self.assertEqual((2, 1), (report["exported"], report["failed"]))
        self.assertIn("is not what was stored", report["failure_list"][0]["reason"])
        self.assertEqual(set(sent) - {victim}, {h.parts_of(path).sop_instance for path in h.files_below(out)})


class ExportingWithFiles(Exporting):
    layout = "files"


class Socket(Beside):
    def path(self, node):
        return node.data / "control.sock"

    def connect(self, node):
        connection = socket.socket(socket.AF_UNIX)
        self.addCleanup(connection.close)
        connection.connect(str(self.path(node)))
        connection.settimeout(h.PATIENCE)
        return connection

    def answer(self, connection):
        received = b""
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
        return received

    def test_it_is_there_as_long_as_the_node(self):
        node = self.node()
        mode = self.path(node).stat().st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(0o600, stat.S_IMODE(mode))
        node.stop()
        self.assertFalse(self.path(node).exists())

    def test_what_a_kill_left_is_replaced(self):
        node = self.node()
        self.store(node, "in", "2.25.5001")
        node.kill()
        self.assertTrue(self.path(node).exists())
        self.sagitta("delete", node, "--study", "2.25.5001")    # nobody listens there: the archive itself is opened
        node.start()
        self.assertEqual(set(), self.studies(node))
        self.sagitta("delete", node, "--study", "2.25.5001", "--undo")
        self.assertEqual({"2.25.5001"}, self.studies(node))

    def test_another_file_of_that_name_stays(self):
        node = self.node()
        node.stop()
        self.path(node).write_text("mine")
        node.start()
        node.process.wait_to_say("control.sock is there and no socket")
        self.assertEqual("mine", self.path(node).read_text())
        self.assertIn("in use by another process", self.sagitta("delete", node, "--list", check=1).text)
        node.stop()
        self.assertEqual("mine", self.path(node).read_text())

    def test_a_path_of_any_length(self):
        deep = self.folder / ("a" * 90) / ("b" * 90)
        deep.mkdir(parents=True)
        self.folder = deep
        node = self.node()
        self.sagitta("protect", node, "2.25.5002")
        self.assertEqual("2.25.5002", self.sagitta("protect", node).text.strip())
        self.assertTrue(self.path(node).is_socket())
        node.stop()
        self.assertFalse(self.path(node).exists())

    def test_a_second_node_is_refused_and_does_no_harm(self):
        node = self.node()
        second = h.run(*node.command(), check=1)
        self.assertIn("in use by another process", second.text)
        self.sagitta("protect", node, "2.25.5003")
        self.assertEqual("2.25.5003", self.sagitta("protect", node).text.strip())

    def test_other_commands_are_refused_as_before(self):
        node = self.node()
        for words in (("reindex",), ("verify",)):
            self.assertIn("in use by another process", self.sagitta(*words, node, check=1).text)

    def test_a_node_without_the_socket_refuses_as_before(self):
        node = self.node()
        self.path(node).unlink()
        (self.folder / "x").mkdir()
        for words in (("delete", "--study", "2.25.1"), ("delete", "--list"), ("protect",), ("import", self.folder / "x"),
                      ("export", "--all", "-o", self.folder / "out")):
            self.assertIn("in use by another process", self.sagitta(words[0], node, *words[1:], check=1).text, words)

    def test_wrong_requests_change_nothing(self):
        node = self.node()
        sent = self.store(node, "in", "2.25.5004", patient="P1")
        for request in (b"\n", b"nonsense\n", b"[]\n", b"{}\n", b'{"request":"format"}\n', b'{"request":7}\n', b"\xff\xfe\n",
                        b'{"request":"delete"}\n', b'{"request":"delete","patients":"P1"}\n', b'{"request":"accept"}\n',
                        b'{"request":"delete","patients":["P1"],"studies":"2.25.1"}\n', b"[" * 100_000 + b"\n",
                        b'{"request":"delete","patients":["P1"],"modalities":["CT"]}\n', b'{"request":"delete","studies":[1]}\n'):
            connection = self.connect(node)
            connection.sendall(request)
            self.assertIn(b'"failed"', self.answer(connection), request[:80])
        self.assertEqual(sent, self.get(node, "2.25.5004"))

    def test_huge_and_half_requests(self):
        node = self.node()
        connection = self.connect(node)
        try:
            for _ in range(64):
                connection.sendall(b"x" * 65536)
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assertIn(b"too long", self.answer(connection))
        connection = self.connect(node)
        connection.sendall(b'{"request":"list')
        connection.close()
        answer = self.sagitta("delete", node, "--study", *[f"2.25.{n}" for n in range(10**30, 10**30 + 30_000)], check=1)
        self.assertIn("name less at once", answer.text)
        self.sagitta("protect", node, "2.25.5005")

    def test_silent_clients_hold_nothing_up(self):
        node = self.node()
        silent = [self.connect(node) for _ in range(100)]
        started = time.monotonic()
        with Receiving(node, self.folder):
            self.sagitta("protect", node, "2.25.5006")
            self.assertEqual("2.25.5006", self.sagitta("protect", node).text.strip())
        self.assertLess(time.monotonic() - started, 60)
        self.assertEqual(b"", self.answer(silent[0]), "it made room for others")
        self.assertIn(b"no request came", self.answer(silent[-1]))
        silent = [self.connect(node) for _ in range(10)]
        started = time.monotonic()
        node.stop()
        self.assertLess(time.monotonic() - started, 8)

    def test_another_account_is_refused(self):
        if os.getuid() != 0:
            raise h.Missing("only root can be somebody else")
        node = self.node()
        self.store(node, "in", "2.25.5007")
        for path in (self.folder, node.data):
            path.chmod(0o755)
        self.path(node).chmod(0o666)
        nobody = pwd.getpwnam("nobody").pw_uid
        script = ("import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n"
                  "try: s.sendall(b'{\"request\":\"delete\",\"studies\":[\"2.25.5007\"]}\\n')\n"
                  "except BrokenPipeError: pass\n"     # it was refused before it had said anything
                  "print(s.recv(9999).decode())")
        done = subprocess.run(["/usr/bin/python3", "-I", "-c", script, self.path(node)], user=nobody, group=nobody,
                              extra_groups=[], capture_output=True, timeout=h.PATIENCE)
        self.assertIn(b"only the account of the node and root", done.stdout, done.stderr)
        self.assertEqual({"2.25.5007"}, self.studies(node))
        node.process.wait_to_say("was refused")


if __name__ == "__main__":
    h.main()
