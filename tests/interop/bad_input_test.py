#!/usr/bin/env python3
"""What comes in broken is refused with a reason, leaves nothing behind, and the node goes on."""
import struct

import harness as h
import raw_dicom as raw


class BadDataSets(h.Case):
    """C-STOREs that must not be filed: status, Error Comment, nothing kept."""

    def setUp(self):
        super().setUp()
        self.node_ = self.node()

    def store(self, data_set, sop_class=h.SECONDARY_CAPTURE, instance="2.25.1"):
        with raw.Association(self.node_.port) as association:
            response = association.store(data_set, sop_class, instance)
            self.assertEqual(0x0000, raw.status_of(association.echo()), "the association goes on")
            association.release()
            return response

    def refused(self, response, low, high):
        status = raw.status_of(response)
        self.assertTrue(low <= status <= high, f"status {status:04X}")
        comment = raw.comment_of(response)
        self.assertNotEqual("", comment, "an Error Comment says why")
        self.assertLessEqual(len(comment), 64)
        self.assertEqual([], h.findscu(self.node_, "STUDY", {"StudyInstanceUID": ""}))
        for volume in self.node_.volumes():
            self.assertNotIn(b".dcm", volume.read_bytes())
        return comment

    def test_truncated_anywhere(self):
        whole = h.make_data_set(instance="2.25.1", study="2.25.2", series="2.25.3")
        for cut in (1, 4, 7, 9, 30, 33, len(whole) // 2, len(whole) - 63, len(whole) - 1):
            with self.subTest(cut=cut):
                self.refused(self.store(whole[:cut]), 0xA000, 0xCFFF)

    def test_empty_data_set(self):
        with raw.Association(self.node_.port) as association:
            association.begin_store(h.SECONDARY_CAPTURE, "2.25.1")
            association.send(raw.pdu(4, raw.pdv(3, 2, b"")))
            self.refused(association.response(), 0xA000, 0xCFFF)

    def test_sop_instance_mismatch(self):
        response = self.store(h.make_data_set(instance="2.25.9"), instance="2.25.1")
        self.refused(response, 0xA900, 0xA900)
        self.assertEqual([(8, 0x18)], raw.offending(response))

    def test_sop_class_mismatch(self):
        response = self.store(h.make_data_set(instance="2.25.1", sop_class="1.2.840.10008.5.1.4.1.1.2"))
        self.refused(response, 0xA900, 0xA900)
        self.assertEqual([(8, 0x16)], raw.offending(response))

    def test_missing_identity(self):
        for element in ((8, 0x16), (8, 0x18), (0x20, 0xd), (0x20, 0xe)):
            with self.subTest(element=element):
                data_set = h.make_data_set(instance="2.25.1", more=[(*element, "UI", None)])
                response = self.store(data_set)
                self.refused(response, 0xA000, 0xCFFF)
                self.assertEqual([element], raw.offending(response))

    def test_uids_that_are_paths(self):
        for uid in ("../../etc/passwd", "1.2.3/4", "1.2.\x00.3", "a.b.c", "1" * 65):
            with self.subTest(uid=uid):
                data_set = h.make_data_set(instance="2.25.1", study=uid)
                self.refused(self.store(data_set), 0xA000, 0xCFFF)

    def test_a_length_of_four_gigabytes(self):
        data_set = h.make_data_set(instance="2.25.1") + struct.pack("<HH2sHI", 0x7fe1, 0x10, b"OB", 0, 0xfffffff0)
        self.refused(self.store(data_set), 0xA000, 0xCFFF)

    def test_nested_without_end(self):
        opening = struct.pack("<HH2sHI", 8, 0x1115, b"SQ", 0, 0xffffffff) + struct.pack("<HHI", 0xfffe, 0xe000, 0xffffffff)
        self.refused(self.store(opening * 5000), 0xA000, 0xCFFF)

    def test_no_patient_data_in_comments_and_logs(self):
        data_set = h.make_data_set(instance="2.25.1", name="SECRETNAME", patient="SECRETID")[:-20]
        comment = self.refused(self.store(data_set), 0xA000, 0xCFFF)
        log = self.node_.process.log_text()
        for secret in ("SECRETNAME", "SECRETID"):
            self.assertNotIn(secret, comment)
            self.assertNotIn(secret, log)


class BadPdus(h.Case):
    """Bytes that break PS3.8 end in an A-ABORT and a closed connection, whoever sent them."""

    ABORT = b"\x07\0\0\0\0\x04\0\0"

    def setUp(self):
        super().setUp()
        # The side that hears nothing more waits ARTIM for the peer to close: keep it short.
        self.node_ = self.node(settings=["limits.artim_timeout=1s"])

    def aborted(self, connection, source, reasons):
        """Exactly an A-ABORT from this source, with one of these reasons, then the end."""
        answer = connection.read_to_end()
        self.assertEqual(self.ABORT, answer[:8], answer)
        self.assertEqual(10, len(answer), answer)
        self.assertEqual(source, answer[8])
        self.assertIn(answer[9], reasons)
        h.run("echoscu", "-aec", "SAGITTA", "127.0.0.1", self.node_.port, check=0)

    def before(self, data):
        """Awaiting A-ASSOCIATE-RQ: AA-1, whose source is the service user and whose reason says nothing (Table 9-9)."""
        with raw.Connection(self.node_.port) as connection:
            connection.send(data)
            self.aborted(connection, 0, (0,))

    def within(self, data, reasons):
        """On an association: AA-8, whose source is the service provider."""
        with raw.Association(self.node_.port) as association:
            association.send(data)
            self.aborted(association, 2, reasons)

    def test_unknown_pdu_first(self):
        self.before(raw.pdu(0x63, b"abcd"))

    def test_http_first(self):
        self.before(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")

    def test_data_before_association(self):
        self.before(raw.pdu(4, raw.pdv(1, 3, b"x")))

    def test_release_before_association(self):
        self.before(raw.pdu(5, b"\0" * 4))

    def test_associate_of_four_gigabytes(self):
        self.before(b"\x01\0\xff\xff\xff\xf0" + b"\0" * 100)

    def test_associate_cut_inside_an_item(self):
        whole = raw.associate_rq()
        body = whole[6:-10]
        self.before(raw.pdu(1, body))

    def test_unknown_pdu_within(self):
        self.within(raw.pdu(0x63, b"abcd"), (1, 2))

    def test_second_associate(self):
        self.within(raw.associate_rq(), (2,))

    def test_pdv_longer_than_its_pdu(self):
        self.within(raw.pdu(4, struct.pack(">IBB", 100, 1, 3) + b"x" * 10), (2, 6))

    def test_pdv_too_short(self):
        self.within(raw.pdu(4, struct.pack(">IB", 1, 1)), (2, 6))

    def test_context_that_was_not_agreed(self):
        self.within(raw.pdu(4, raw.pdv(99, 3, raw.command([(2, "UI", raw.VERIFICATION), (0x100, "US", 0x30),
                                                            (0x110, "US", 1), (0x800, "US", 0x101)]))), (0, 1, 2, 6))

    def test_pdu_longer_than_announced(self):
        self.within(b"\x04\0\x7f\xff\xff\xff" + b"\0" * 50000, (1, 2, 6))

    def test_command_that_is_noise(self):
        self.within(raw.pdu(4, raw.pdv(1, 3, bytes(range(256)))), (0, 1, 2, 6))

    def test_vanishing_in_the_middle_of_everything(self):
        whole = raw.associate_rq()
        for cut in (0, 1, 5, 6, 7, 80, len(whole) - 1):
            with raw.Connection(self.node_.port) as connection:
                connection.send(whole[:cut])
        for data in (b"\x04", raw.pdu(4, raw.pdv(3, 3, b"xx"))[:9], b"\x05\0\0\0"):
            with raw.Association(self.node_.port) as association:
                association.send(data)
        with raw.Association(self.node_.port) as association:
            association.begin_store(h.SECONDARY_CAPTURE, "2.25.1")
            association.send_data(h.make_data_set(instance="2.25.1")[:300], last=False)
        h.run("echoscu", "-aec", "SAGITTA", "127.0.0.1", self.node_.port, check=0)
        self.assertEqual([], h.findscu(self.node_, "STUDY", {"StudyInstanceUID": ""}))

    def test_one_byte_at_a_time(self):
        with raw.Connection(self.node_.port) as connection:
            for byte in raw.associate_rq():
                connection.send(bytes([byte]))
            kind, _ = connection.read_pdu()
            self.assertEqual(2, kind)

    def test_many_pdvs_in_one_pdu_and_commands_in_pieces(self):
        with raw.Association(self.node_.port) as association:
            data = raw.command([(2, "UI", raw.VERIFICATION), (0x100, "US", 0x30), (0x110, "US", 7), (0x800, "US", 0x101)])
            pieces = [data[at:at + 5] for at in range(0, len(data), 5)]
            association.send(raw.pdu(4, b"".join(raw.pdv(1, 3 if n + 1 == len(pieces) else 1, piece)
                                                 for n, piece in enumerate(pieces))))
            self.assertEqual(0, association.response_status())
            association.release()

    def test_abort_of_the_peer_is_silent(self):
        with raw.Association(self.node_.port) as association:
            association.send(raw.pdu(7, b"\0\0\0\0"))
            self.assertEqual(b"", association.read_to_end())

    def test_rejections(self):
        for options, expected in (({"called": b"OTHER"}, (1, 1, 7)), ({"application": b"1.2.3"}, (1, 1, 2)),
                                  ({"version": 2}, (1, 2, 2))):
            with self.subTest(options=options):
                with self.assertRaises(raw.Refused) as caught:
                    raw.Association(self.node_.port, **options)
                self.assertEqual((expected,), caught.exception.args)

    def test_unknown_abstract_and_transfer_syntaxes(self):
        contexts = (("1.2.3.4.5", (raw.IMPLICIT,)), (raw.VERIFICATION, ("1.2.3.4",)), (raw.VERIFICATION, ("1.2.3.4", raw.IMPLICIT)))
        with raw.Association(self.node_.port, contexts=contexts) as association:
            results = association.contexts()
            self.assertEqual(4, results[3])
            self.assertEqual(0, results[5])
            association.release()


class BadConfiguration(h.Case):
    def serve(self, text, *arguments):
        path = self.folder / "node.toml"
        path.write_text(text)
        return h.run(h.SAGITTA, "serve", "-c", path, "--port", 0, "--data", self.folder / "data", *arguments)

    def test_faults_name_file_and_line(self):
        for text, line in (("[node]\nae_title = \"X\"\nprot = 104\n", 3), ("[node]\nport = \"many\"\n", 2),
                           ("[node\n", 1), ("[nodes]\n", 1), ("[limits]\n\nidle_timeout = \"30 parsecs\"\n", 3),
                           ("[node]\nae_title = \"THIS IS FAR TOO LONG FOR ONE\"\n", 2),
                           ("[[peer]]\naddress = \"no port\"\n", 2)):
            with self.subTest(text=text):
                answer = self.serve(text)
                self.assertEqual(2, answer.status, answer.text)
                self.assertIn(f"node.toml:{line}", answer.text)
                self.assertNotIn("listening on", answer.text)

    def test_a_wrong_setting_on_the_command_line(self):
        answer = self.serve("", "--set", "limits.no_such_thing=1")
        self.assertEqual(2, answer.status, answer.text)

    def test_a_port_that_is_taken(self):
        node = self.node()
        other = self.folder / "other"
        answer = h.run(h.SAGITTA, "serve", "--port", node.port, "--data", other)
        self.assertEqual(1, answer.status, answer.text)

    def test_a_missing_file(self):
        answer = h.run(h.SAGITTA, "serve", "-c", self.folder / "absent.toml", "--port", 0, "--data", self.folder / "data")
        self.assertNotEqual(0, answer.status)
        self.assertIn("absent.toml", answer.text)


if __name__ == "__main__":
    h.main()
