"""Instance Availability Notification (PS3.4 Annex R), told to dcmjs-dimse."""
from harness import Case, main, make_instance, new_uid, sagitta, wait_until, SECONDARY_CAPTURE
from mpps_test import DcmjsScp, Modality, completed, created, series_item

NOTIFICATION = "1.2.840.10008.5.1.4.33"


def told(requests):
    """(study, step, {series: instances}) of each N-CREATE of the Notification."""
    found = []
    for one in requests:
        if one["sop_class"] != NOTIFICATION:
            continue
        def items(level, keyword):
            value = level.get(keyword) or []
            return value if isinstance(value, list) else [value]
        steps = items(one["attributes"], "ReferencedPerformedProcedureStepSequence")
        series = {level["SeriesInstanceUID"]: sorted(item["ReferencedSOPInstanceUID"]
                                                     for item in items(level, "ReferencedSOPSequence"))
                  for level in items(one["attributes"], "ReferencedSeriesSequence")}
        found.append((one["attributes"]["StudyInstanceUID"],
                      steps[0]["ReferencedSOPInstanceUID"] if steps and steps[0] else None, series))
    return found


class Availability(Case):
    def configuration(self, peer, quiet="1s"):
        config = self.folder / "node.toml"
        config.write_text(f'[[peer]]\naddress = "RIS@127.0.0.1:{peer.port}"\nnotify = true\n'
                          f'[availability]\nquiet = "{quiet}"\nretry = "1s"\n')
        return config

    def notifying(self, peer, **options):
        return self.node(arguments=("-c", self.configuration(peer, **options)))

    def listener(self, *statuses):
        peer = DcmjsScp(self.folder, *statuses)
        self.addCleanup(peer.process.kill)
        return peer

    def test_a_step_that_has_arrived(self):
        peer = self.listener(0)
        node, study, series, step = self.notifying(peer, quiet="0s"), new_uid(), new_uid(), new_uid()
        made = [make_instance(self.folder / f"{n}.dcm", study=study, series=series) for n in range(3)]
        make_instance(self.folder / "other.dcm", study=study, series=series)
        sagitta("store", node.address, self.folder / "0.dcm", self.folder / "other.dcm", check=0)
        with Modality(node.port) as modality:
            self.assertEqual(modality.create(step, created(study)), 0)
            self.assertEqual(modality.set(step, completed([series_item([(SECONDARY_CAPTURE, one) for one in made])])), 0)
            modality.release()
        self.assertEqual(peer.requests(), [])
        sagitta("store", node.address, self.folder / "1.dcm", self.folder / "2.dcm", check=0)
        node.process.wait_for("availability: 1 notices to RIS")
        self.assertEqual(told(peer.requests()), [(study, step, {series: sorted(made)})])

    def test_a_study_that_has_become_quiet(self):
        peer = self.listener(0)
        node, study, series, step = self.notifying(peer), new_uid(), new_uid(), new_uid()
        made = [make_instance(self.folder / f"{n}.dcm", study=study, series=series) for n in range(3)]
        with Modality(node.port) as modality:  # what a step tells is not told again
            self.assertEqual(modality.create(step, created(study)), 0)
            self.assertEqual(modality.set(step, completed([series_item([(SECONDARY_CAPTURE, made[0])])])), 0)
            modality.release()
        sagitta("store", node.address, *(self.folder / f"{n}.dcm" for n in range(3)), check=0)
        def of_study():  # on a slow machine a study may be quiet in the middle of it
            return [(with_step, one) for name, with_step, instances in told(peer.requests()) if name == study
                    for one in instances[series]]
        wait_until(lambda: len(of_study()) >= 3, "all three instances")
        expected = sorted([(step, made[0]), (None, made[1]), (None, made[2])], key=str)
        self.assertEqual(sorted(of_study(), key=str), expected)
        node.stop()
        node.start()  # nothing is told twice
        make_instance(self.folder / "new.dcm", study=(later := new_uid()))
        sagitta("store", node.address, self.folder / "new.dcm", check=0)
        wait_until(lambda: told(peer.requests())[-1][0] == later, "the notice of the later study")
        self.assertEqual(sorted(of_study(), key=str), expected)

    def test_told_again_until_it_is_taken_also_after_a_kill(self):
        peer = self.listener(0x110, 0x110, 0)
        node, study = self.notifying(peer), new_uid()
        made = make_instance(self.folder / "one.dcm", study=study, series="1.2.3")
        sagitta("store", node.address, self.folder / "one.dcm", check=0)
        node.process.wait_for("1 of 1 notices to RIS not told: answered 0110")
        node.kill()
        node.start()
        wait_until(lambda: len(peer.requests()) == 3, "three attempts")
        self.assertEqual({one["uid"] for one in peer.requests()}, {peer.requests()[0]["uid"]})
        self.assertEqual(told(peer.requests())[2], (study, None, {"1.2.3": [made]}))
        node.process.wait_for("availability: 1 notices to RIS")

    def test_nobody_listens_at_first(self):
        peer = self.listener(0)
        port = peer.port
        peer.process.kill()
        node, study = self.notifying(peer), new_uid()
        make_instance(self.folder / "one.dcm", study=study)
        sagitta("store", node.address, self.folder / "one.dcm", check=0)
        node.process.wait_for("1 of 1 notices to RIS not told")
        again = DcmjsScp(self.folder, 0, port=port)
        self.addCleanup(again.process.kill)
        node.process.wait_for("availability: 1 notices to RIS")
        self.assertEqual([one[0] for one in told(again.requests())], [study])

    def test_what_was_there_before_is_not_told(self):
        peer = self.listener(0)
        node = self.node()
        make_instance(self.folder / "old.dcm", study="1.2.3.4")
        sagitta("store", node.address, self.folder / "old.dcm", check=0)
        node.stop()
        node.more = ["-c", self.configuration(peer)]
        node.start()
        make_instance(self.folder / "new.dcm", study="1.2.3.5")
        sagitta("store", node.address, self.folder / "new.dcm", check=0)
        node.process.wait_for("availability: 1 notices to RIS")
        self.assertEqual([one[0] for one in told(peer.requests())], ["1.2.3.5"])

    def test_never_with_deidentify(self):
        config = self.folder / "node.toml"
        config.write_text('[[peer]]\naddress = "AI@127.0.0.1:104"\ndeidentify = "research"\nnotify = true\n')
        self.assertIn("not for a [[peer]] with deidentify", sagitta("config", "check", "-c", config, check=2).text)


if __name__ == "__main__":
    main()
