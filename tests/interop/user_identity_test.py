"""User identity negotiation (PS3.7 D.3.3.7): DCMTK's storescu, raw PDUs and our own commands say who they are."""
import struct

from harness import Case, main, make_instance, need, run, sagitta
from raw_dicom import Association, Connection, Refused, associate_rq, item


def identity(kind, primary, secondary="", response=False):
    return item(0x58, bytes([kind, int(response)]) + struct.pack(">H", len(primary)) + primary.encode() +
                struct.pack(">H", len(secondary)) + secondary.encode())


class Users(Case):
    def start(self, required):
        hashed = sagitta("config", "hash-password", stdin=b"open sesame\n", check=0).out.decode().strip()
        self.assertNotIn("sesame", hashed)
        path = self.folder / "users.toml"
        path.write_text(f"[node]\nrequire_user = {str(required).lower()}\n[[user]]\nname = \"scanner\"\n"
                        f"passcode = \"{hashed}\"\n[[user]]\nname = \"viewer\"\n")
        self.started = self.node(arguments=("-c", path))

    def answer(self, user=b""):
        """Types of the user items answered, or how we were refused."""
        try:
            with Association(self.started.port, user=user) as association:
                association.echo()
                association.release()
                return [(kind, body) for kind, body in association.user_items() if kind == 0x59]
        except Refused as refused:
            return refused.args[0]

    def test_raw(self):
        self.start(required=False)
        granted, rejected = [(0x59, b"\0\0")], (1, 1, 1)
        self.assertEqual(self.answer(identity(2, "scanner", "open sesame", True)), granted)
        self.assertEqual(self.answer(identity(2, "scanner", "open sesame")), [])
        self.assertEqual(self.answer(identity(1, "viewer", "", True)), granted)
        self.assertEqual(self.answer(identity(2, "scanner", "shut sesame", True)), rejected)
        self.assertEqual(self.answer(identity(1, "scanner", "", True)), rejected)
        self.assertEqual(self.answer(identity(2, "nobody", "open sesame", True)), rejected)
        self.assertEqual(self.answer(identity(3, "ticket", "", True)), [])
        self.assertEqual(self.answer(), [])
        self.started.process.wait_to_say("user=scanner")
        self.assertNotIn("sesame", self.started.process.log_text())

    def test_required(self):
        self.start(required=True)
        self.assertEqual(self.answer(identity(2, "scanner", "open sesame", True)), [(0x59, b"\0\0")])
        for claim in (b"", identity(3, "ticket"), identity(4, "<saml/>"), identity(5, "e30.e30.")):
            self.assertEqual(self.answer(claim), (1, 1, 1), claim)

    def test_somebody_who_goes_while_his_passcode_is_checked(self):
        self.start(required=True)
        for _ in range(8):
            with Connection(self.started.port) as gone:
                gone.send(associate_rq(user=identity(2, "scanner", "shut sesame")))
        self.assertEqual(self.answer(identity(2, "scanner", "open sesame", True)), [(0x59, b"\0\0")])

    def test_dcmtk(self):
        need("storescu")
        self.start(required=True)
        make_instance(self.folder / "one.dcm")
        store = ("storescu", "-xe", "-aec", self.started.aet, "127.0.0.1", self.started.port, self.folder / "one.dcm")
        run(*store, "-usr", "scanner", "-pwd", "open sesame", "-rsp", check=0)
        run(*store, "-usr", "viewer", "-rsp", check=0)
        self.assertNotEqual(run(*store, "-usr", "scanner", "-pwd", "shut sesame", "-rsp").status, 0)
        self.assertNotEqual(run(*store).status, 0)

    def test_our_own_commands(self):
        self.start(required=True)
        passcode = self.folder / "passcode"
        passcode.write_text("open sesame\n")
        who = ("--user", "scanner", "--passcode-file", passcode)
        sagitta("echo", self.started.address, *who, check=0)
        sagitta("find", self.started.address, "-k", "PatientID", *who, check=0)
        self.assertEqual(sagitta("echo", self.started.address).status, 1)
        self.assertEqual(sagitta("echo", self.started.address, "--passcode-file", passcode).status, 2)


if __name__ == "__main__":
    main()
