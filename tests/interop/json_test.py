#!/usr/bin/env python3
"""`sagitta json` beside dcm2json and pydicom, both ways: what one prints the other reads, element by element."""
import base64
import json
import math
import pathlib
import shutil
import struct
import warnings

import harness as h


def pydicom_files():
    try:
        import pydicom
    except ImportError:
        raise h.Missing("python3-pydicom is not here")
    folder = pathlib.Path(pydicom.__file__).parent / "data"
    files = [path for path in h.files_below(folder) if path.suffix not in (".py", ".pyc", ".json", ".md", ".txt", ".zip")]
    if not files:
        raise h.Missing("this pydicom has no test files")
    return files


def ours(path):
    """(model, status), or None when the file is no data set at all."""
    run = h.sagitta("json", path)
    return (json.loads(run.out), run.status) if run.out.strip() else None


def number(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def nothing(value):
    if isinstance(value, dict):
        return all(nothing(part) for part in value.values())
    return value is None or (isinstance(value, str) and not value.strip(" \0"))


def same_value(a, b, vr=""):
    if nothing(a) or nothing(b):
        return nothing(a) and nothing(b)
    if isinstance(a, dict) and isinstance(b, dict):
        return all(same_value(a.get(group), b.get(group)) for group in ("Alphabetic", "Ideographic", "Phonetic"))
    if vr == "FL" and number(a) is not None and number(b) is not None:
        return struct.pack("<f", number(a) + 0) == struct.pack("<f", number(b) + 0)  # they print -0.0 as 0
    if isinstance(a, str) and isinstance(b, str):
        if a.strip(" \0") == b.strip(" \0"):
            return True
    x, y = number(a), number(b)
    if x is None or y is None:
        return False
    return x == y or (math.isnan(x) and math.isnan(y)) or (vr == "DS" and math.isclose(x, y, rel_tol=1e-14))


class Model:
    """Walks two models at once and says where they differ. `accept(tag path, ours, theirs)` gives a reason or None."""

    def __init__(self, accept=lambda place, mine, other: None):
        self.accept, self.differences, self.reasons, self.compared = accept, [], {}, 0

    def differ(self, place, mine, other):
        reason = self.accept(place, mine, other)
        if reason:
            self.reasons[reason] = self.reasons.get(reason, 0) + 1
        else:
            self.differences.append(f"{place}: {str(mine)[:160]} is not {str(other)[:160]}")

    def compare(self, mine, other, place=""):
        for tag in sorted(set(mine) | set(other)):
            if tag.endswith("0000"):
                continue  # group lengths are not in the model (PS3.18 F.2.2)
            if tag == "00080005":
                continue  # ours says what the text is in now; others repeat the file
            a, b = mine.get(tag), other.get(tag)
            self.compared += 1
            if a is None or b is None or a["vr"] != b["vr"]:
                self.differ(place + tag, a, b)
                continue
            if a.get("InlineBinary", "") != b.get("InlineBinary", ""):
                self.differ(place + tag, a, b)
                continue
            x, y = a.get("Value", []), b.get("Value", [])
            if a["vr"] == "SQ":
                if len(x) != len(y):
                    self.differ(place + tag, a, b)
                for n, (first, second) in enumerate(zip(x, y)):
                    self.compare(first, second or {}, f"{place}{tag}[{n}]/")
                continue
            if all(map(nothing, x)) and all(map(nothing, y)):
                continue
            if len(x) != len(y) or not all(same_value(first, second, a["vr"]) for first, second in zip(x, y)):
                self.differ(place + tag, a, b)


class Dcm2json(h.Case):
    """Every file of pydicom that dcm2json reads."""

    @staticmethod
    def reason(place, mine, other):
        tag = place.rpartition("/")[2]
        private = int(tag[:4], 16) % 2 == 1
        if private and mine and other and "UN" in (mine["vr"], other["vr"]):
            return "private elements of implicit data sets: their dictionary knows the vendor's VR (PS3.5 6.2.2)"
        if not private and mine and other and other["vr"] == "UN":
            return "UN under a tag of the dictionary: ours has its VR (PS3.5 6.2.2)"
        if tag == "00041220" and mine and other and len(mine["Value"]) == 51 and len(other["Value"]) == 52:
            return "an item that reaches beyond its sequence (PS3.5 7.5.1): ours ends there and says so"
        if mine and mine["vr"] == "PN" and all(isinstance(name, dict) and set(name.get("Alphabetic", "")) == {"^"} for name in mine.get("Value", ["x"])):
            return "names of nothing but delimiters: they take them for empty, we keep what stands there (PS3.18 F.2.2)"
        return None

    def test_prints_the_same(self):
        h.need("dcm2json", "dcmodify", "dcmconv")
        model, files, unread = Model(self.reason), 0, []
        for path in pydicom_files():
            theirs = h.run("dcm2json", "-q", "-fc", "--encode-extended", path)
            if theirs.status == 81:  # encapsulated pixel data, of which they make no JSON: the rest then
                bare = self.folder / path.name
                shutil.copyfile(path, bare)
                h.run("dcmodify", "-q", "-nb", "-ea", "(7fe0,0010)", bare)
                h.run("dcmconv", "-q", "+te", bare, bare)
                path = bare
                theirs = h.run("dcm2json", "-q", "-fc", "--encode-extended", path)
            mine = ours(path)
            if theirs.status != 0 or mine is None:
                unread.append((path.name, theirs.status, mine is not None))
                continue
            before = len(model.differences)
            try:
                other = json.loads(theirs.out.decode("utf-8"))
            except (UnicodeDecodeError, json.JSONDecodeError) as error:
                unread.append((path.name, str(error)[:60], True))
                continue
            model.compare(mine[0], other)
            model.differences[before:] = [f"{path.name} {line}" for line in model.differences[before:]]
            files += 1
        print(f"  {files} files, {model.compared} attributes; accepted: {model.reasons}")
        for name, status, we in unread:
            print(f"  {name}: dcm2json {status}, {'we read it' if we else 'no data set for us either'}")
        for line in model.differences:
            print(f"  {line}")
        self.assertEqual([], model.differences)
        self.assertGreater(files, 50)


class Pydicom(h.Case):
    """pydicom reads ours, we read pydicom's, and both are the same data set."""

    # What pydicom itself refuses to take from JSON.
    REFUSED = {"badVR.dcm": "an IS that is no number stays text (PS3.18 F.2.3); they want an integer"}

    def both_ways(self, files):
        import pydicom
        from pydicom import config
        warnings.simplefilter("ignore")
        differences, read = [], 0
        for path in files:
            mine = ours(path)
            if mine is None or mine[1] != 0 or path.name in self.REFUSED:
                continue
            try:
                data_set = pydicom.Dataset.from_json(json.dumps(mine[0]))
                again = json.loads(data_set.to_json())
            except Exception as error:
                differences.append(f"{path.name}: {type(error).__name__}: {str(error)[:200]}")
                continue
            encapsulated = "7FE00010" in mine[0] and mine[0]["7FE00010"].get("InlineBinary", "").startswith("/v8A4")
            syntax = ("--syntax", "1.2.840.10008.1.2.4.70") if encapsulated else ()
            again.setdefault("00080016", {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.7"]})
            again.setdefault("00080018", {"vr": "UI", "Value": ["2.25.1"]})
            for tag, uid in (("00080016", "1.2.840.10008.5.1.4.1.1.7"), ("00080018", "2.25.1")):
                if not again[tag].get("Value", [""])[0]:
                    again[tag]["Value"] = [uid]
            out = self.folder / f"{read}.dcm"
            made = h.run(h.SAGITTA, "json", "--from-json", "-", out, *syntax, stdin=json.dumps(again).encode())
            if made.status != 0:
                differences.append(f"{path.name}: {made.text.strip()[:200]}")
                continue
            model = Model(lambda place, a, b: "identifiers added here" if place in ("00080016", "00080018") else None)
            back = ours(out)[0]
            model.compare(back, mine[0])
            differences += [f"{path.name} {line}" for line in model.differences]
            read += 1
            out.unlink()
        print(f"  {read} files")
        for line in differences:
            print(f"  {line}")
        self.assertEqual([], differences)
        return read

    def test_its_own_files(self):
        self.assertGreater(self.both_ways(pydicom_files()), 50)

    def test_shared_objects(self):
        pydicom_files()
        self.assertGreater(self.both_ways(h.files_below(h.shared("objects")) + h.files_below(h.shared("charset"))), 40)


class CommandLine(h.Case):
    """Files out of JSON: bulk data, syntaxes, refusals."""

    def setUp(self):
        super().setUp()
        self.image = self.folder / "image.dcm"
        h.make_instance(self.image, pixels=bytes(range(256)) * 8)

    def make(self, *arguments, check=0, stdin=None):
        return h.run(h.SAGITTA, "json", "--from-json", *arguments, check=check, cwd=self.folder, stdin=stdin)

    def test_bulk_data_goes_to_files_and_comes_back(self):
        text = h.run(h.SAGITTA, "json", "image.dcm", "--bulk", "my bulk", cwd=self.folder, check=0).out
        model = json.loads(text)
        uri = model["7FE00010"]["BulkDataURI"]
        self.assertTrue(uri.startswith("my%20bulk/") and uri.endswith("-7FE00010.bin"), uri)
        self.assertEqual([bytes(range(256)) * 8], [path.read_bytes() for path in (self.folder / "my bulk").iterdir()])
        (self.folder / "image.json").write_bytes(text)
        self.make("image.json", "new.dcm")
        self.assertEqual(ours(self.image), ours(self.folder / "new.dcm"))
        h.run(h.SAGITTA, "json", "image.dcm", "--bulk", "my bulk", cwd=self.folder, check=1)  # nothing is overwritten

    def test_bulk_data_is_followed_only_below_the_json(self):
        secret = self.folder / "secret"
        secret.write_bytes(b"secret!!")
        inside = self.folder / "inside"
        inside.mkdir()
        (inside / "link").symlink_to(secret)
        model = ours(self.image)[0]
        for uri in ("../secret", "%2e%2e/secret", str(secret), f"file://{secret}", "link", "a/../../secret", "", "http://127.0.0.1/x"):
            model["7FE00010"] = {"vr": "OW", "BulkDataURI": uri}
            (inside / "x.json").write_text(json.dumps(model))
            refused = self.make("inside/x.json", "new.dcm", check=1)
            self.assertIn("(7fe0,0010)", refused.text)
            self.assertNotIn("secret", refused.text)
            self.assertFalse((self.folder / "new.dcm").exists())

    def test_no_file_is_overwritten(self):
        (self.folder / "image.json").write_bytes(h.sagitta("json", self.image).out)
        (self.folder / "there.dcm").write_bytes(b"mine")
        self.assertIn("exists", self.make("image.json", "there.dcm", check=1).text)
        self.assertEqual(b"mine", (self.folder / "there.dcm").read_bytes())
        self.assertEqual({"image.dcm", "image.json", "there.dcm"}, {path.name for path in self.folder.iterdir()})

    def test_syntaxes(self):
        h.need("dcmdump")
        text = h.sagitta("json", self.image).out
        for syntax in ("explicit-le", "implicit-le", "explicit-be", "deflated", "1.2.840.10008.1.2"):
            out = self.folder / f"{syntax}.dcm"
            self.make("-", out, "--syntax", syntax, stdin=text)
            h.run("dcmdump", out, check=0)
            expected, said = ours(self.image)[0], ours(out)[0]
            if syntax in ("implicit-le", "1.2.840.10008.1.2"):
                expected["7FE00010"]["vr"] = "OW"  # the VR that PS3.5 A.1 gives it there
            self.assertEqual(expected, said, syntax)
        self.make("-", "x.dcm", "--syntax", "nonsense", stdin=text, check=2)
        self.make("-", "x.dcm", "--syntax", "1.2.840.10008.1.2.4.70", stdin=text, check=1)  # not encapsulated

    def test_encapsulated_pixels_need_their_syntax(self):
        h.need("dcmdump")
        model = ours(self.image)[0]
        fragments = b"\xfe\xff\x00\xe0\0\0\0\0" + b"\xfe\xff\x00\xe0\4\0\0\0\xff\xd8\xff\xd9"
        model["7FE00010"] = {"vr": "OB", "InlineBinary": base64.b64encode(fragments).decode()}
        text = json.dumps(model).encode()
        self.assertIn("--syntax", self.make("-", "x.dcm", stdin=text, check=1).text)
        self.make("-", "x.dcm", "--syntax", "1.2.840.10008.1.2.4.50", stdin=text)
        dumped = h.run("dcmdump", self.folder / "x.dcm", check=0).text
        self.assertIn("PixelSequence", dumped)
        model["00020010"] = {"vr": "UI", "Value": ["1.2.840.10008.1.2.4.50"]}
        self.make("-", "y.dcm", stdin=json.dumps(model).encode())
        self.assertEqual((self.folder / "x.dcm").read_bytes(), (self.folder / "y.dcm").read_bytes())

    def test_what_is_no_object_makes_no_file(self):
        for text in (b"", b"{}", b"[]", b"{", b'{"00080018":{"vr":"UI","Value":["1.2"]}}'):
            self.make("-", "x.dcm", stdin=text, check=1)
        self.make("missing.json", "x.dcm", check=1)
        self.make("image.json", check=2)
        self.assertFalse((self.folder / "x.dcm").exists())


if __name__ == "__main__":
    h.main()
