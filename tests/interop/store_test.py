#!/usr/bin/env python3
"""`sagitta store` over long and broken lines: the operations window, sending again, --resume."""
import json
import time

import harness as h
import proxy


class StoreCase(h.Case):
    def setUp(self):
        super().setUp()
        self.node = h.Node(self.folder)
        self.addCleanup(self.node.stop)
        self.source = self.folder / "in"
        self.source.mkdir()
        self.uids = [h.make_instance(self.source / f"{n:03}.dcm", study="2.25.7", series="2.25.8", pixels=bytes([n]) * 4000)
                     for n in range(40)]

    def behind(self, **options):
        line = proxy.DelayingProxy(self.node.port, **options)
        self.addCleanup(line.stop)
        return line, f"SAGITTA@127.0.0.1:{line.port}"

    def filed(self):
        found = h.sagitta("find", self.node.address, "--level", "image", "--json", "-k", "StudyInstanceUID=2.25.7", "-k",
                          "SeriesInstanceUID=2.25.8", "-k", "SOPInstanceUID", check=0)
        return sorted(match["00080018"]["Value"][0] for match in json.loads(found.out))


class Window(StoreCase):
    def timed(self, *options):
        line, address = self.behind(delay=0.02)
        start = time.monotonic()
        done = h.sagitta("store", address, "--json", *options, self.source, check=0)
        self.assertEqual(40, json.loads(done.out)["sent"])
        return time.monotonic() - start

    def test_a_long_line_costs_its_latency_a_few_times_and_not_for_each_object(self):
        alone = self.timed("--window", 1)
        many = self.timed("--window", 64)
        self.assertGreater(alone / many, 3)
        self.assertEqual(sorted(self.uids), self.filed())

    def test_storescp_does_not_negotiate_it(self):
        with h.StoreScp(self.folder) as scp:
            h.sagitta("store", f"DEST@127.0.0.1:{scp.port}", "--window", 64, self.source, check=0)
            self.assertEqual(sorted(self.uids), sorted(h.by_instance(scp.files())))


class Broken(StoreCase):
    def test_what_was_not_answered_is_sent_over_another_association(self):
        line, address = self.behind(break_after=[60_000, 90_000])
        done = h.sagitta("store", address, "--json", self.source, check=0)
        self.assertEqual((40, 0), (json.loads(done.out)["sent"], json.loads(done.out)["failed"]))
        self.assertEqual(3, line.connections)
        self.assertEqual(sorted(self.uids), self.filed())

    def test_a_line_that_always_breaks_ends(self):
        line, address = self.behind(break_after=[3000] * 200)
        done = h.sagitta("store", address, "--json", "--window", 4, self.source, check=1)
        self.assertEqual((0, 40), (json.loads(done.out)["sent"], json.loads(done.out)["failed"]))


class Resume(StoreCase):
    def store(self, *options, check=0, address=None):
        done = h.sagitta("store", address or self.node.address, "--json", "--resume", self.folder / "sent.jsonl", *options,
                         self.source, check=check)
        return json.loads(done.out) if done.out else done

    def test_what_was_taken_is_not_sent_again(self):
        first = self.store()
        self.assertEqual((40, 0), (first["sent"], first["known"]))
        again = self.store()
        self.assertEqual((0, 40), (again["sent"], again["known"]))
        self.assertEqual(0o600, (self.folder / "sent.jsonl").stat().st_mode & 0o777)
        h.make_instance(self.source / "003.dcm", instance=self.uids[3], study="2.25.7", series="2.25.8", pixels=b"x" * 5000)
        changed = self.store()
        self.assertEqual((1, 39), (changed["sent"], changed["known"]))

    def test_another_node_has_nothing_yet(self):
        self.store()
        with h.StoreScp(self.folder) as scp:
            other = self.store(address=f"DEST@127.0.0.1:{scp.port}")
        self.assertEqual((40, 0), (other["sent"], other["known"]))

    def test_goes_on_after_the_line_broke_for_good(self):
        line, address = self.behind(break_after=[100_000] + [0] * 100)
        # The same node by another way: the record is by the address that was asked for.
        first = self.store("--window", 4, address=address, check=1)
        self.assertGreater(first["sent"], 0)
        self.assertGreater(first["failed"], 0)
        line.break_after.clear()
        rest = self.store(address=address)
        self.assertEqual((40 - first["sent"], first["sent"]), (rest["sent"], rest["known"]))
        self.assertEqual(sorted(self.uids), self.filed())

    def test_each_line_tells_one_answer(self):
        self.store()
        lines = [json.loads(line) for line in (self.folder / "sent.jsonl").read_text().splitlines()]
        self.assertEqual(sorted(self.uids), sorted(line["sop_instance_uid"] for line in lines))
        self.assertEqual({"0000"}, {line["status"] for line in lines})
        self.assertEqual({self.node.address}, {line["peer"] for line in lines})

    def test_a_cut_off_last_line_costs_one_file(self):
        self.store()
        record = self.folder / "sent.jsonl"
        record.write_bytes(record.read_bytes()[:-20])
        again = self.store()
        self.assertEqual((1, 39), (again["sent"], again["known"]))
        self.assertEqual((0, 40), (self.store()["sent"], self.store()["known"]))

    def test_a_file_of_something_else_is_refused_and_kept(self):
        record = self.folder / "sent.jsonl"
        record.write_text("dear diary\nnothing happened\n")
        done = h.sagitta("store", self.node.address, "--resume", record, self.source, check=2)
        self.assertIn("sent.jsonl:1: not a record", done.text)
        self.assertEqual("dear diary\nnothing happened\n", record.read_text())
        self.assertEqual([], self.filed())


if __name__ == "__main__":
    h.main()
