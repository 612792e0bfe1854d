#!/usr/bin/env python3
"""Bytes in are bytes out: `sagitta store` then `sagitta get`, and straight from the volume with tar.

Every readable file of the shared corpus and of pydicom's test files. Those that a node must refuse
are in a table with their reason, and nothing of them is kept.
"""
import os
import struct
import tarfile

import harness as h
import raw_dicom as raw


UIDS = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")


def identity(path):
    """The four UIDs that make an object an object, as pydicom reads them; empty strings for what is not there.

    The data set's count, not those of the file meta information, which some files contradict."""
    import pydicom
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            data_set = pydicom.dcmread(path, force=True, stop_before_pixels=True)
            return tuple(str(data_set.get(name, "") or "") for name in UIDS)
        except Exception:
            return ("", "", "", "")


class Corpus(h.Case):
    # Files that no node may file, and why. Matched by the end of the path.
    REFUSED = {
        "rtplan_truncated.dcm": "C000: a sequence is longer than the data set",
        "GH364.dcm": "C000: an item outside a sequence; DCMTK and GDCM refuse it too",
        "MR_truncated.dcm": "C000: the pixel data is longer than the data set",
    }

    def round_trip(self, paths):
        node = self.node()
        candidates = []
        for path in paths:
            data = path.read_bytes()
            if data[128:132] != b"DICM" or path.name == "DICOMDIR":
                continue
            parts = h.FileParts(data)
            if parts.sop_class == "1.2.840.10008.1.3.10" or not parts.transfer_syntax:
                continue
            candidates.append((path, parts))
        self.assertGreater(len(candidates), 20)

        # One SOP Instance UID is one object: files that share one go to nodes of their own, in turns.
        rounds = []
        for path, parts in candidates:
            uid = identity(path)[1] or parts.sop_instance
            for batch in rounds:
                if uid not in batch:
                    batch[uid] = (path, parts)
                    break
            else:
                rounds.append({uid: (path, parts)})
        problems, kept, refused, self.said = [], 0, [], {}
        for number, batch in enumerate(rounds):
            if number:
                node.stop()
                node = h.Node(self.mkdir(f"node{number}"))
                self.addCleanup(node.kill)
            files = self.mkdir(f"batch{number}")
            for n, (path, _) in enumerate(batch.values()):
                os.symlink(path, files / f"{n:04}.dcm")
            stored = h.sagitta("store", node.address, files)
            out = self.folder / f"out{number}"
            self.fetch(node, out)
            back = h.by_instance(h.files_below(out)) if out.exists() else {}
            in_tar = self.members(node)
            self.assertEqual(sorted(in_tar), sorted(back), "what the volumes hold is what get brings")
            for uid, (path, parts) in batch.items():
                if uid not in back:
                    refused.append(path)
                    continue
                kept += 1
                for where, copy in (("get", back[uid]), ("tar", in_tar[uid])):
                    if copy.data_set != parts.data_set:
                        problems.append(f"{path}: {where} gives other bytes ({len(parts.data_set)} and {len(copy.data_set)})")
                    if copy.transfer_syntax != parts.transfer_syntax:
                        problems.append(f"{path}: {where} gives {copy.transfer_syntax}, not {parts.transfer_syntax}")
                extra = set(back) - set(batch)
                self.assertEqual(set(), extra)
            self.said[number] = stored.text
            if set(batch) - set(back) and stored.status == 0:
                problems.append("sagitta store ends with 0 though files were refused")
        wrongly = [str(path) for path in refused if not self.may_be_refused(path)]
        for path in wrongly:
            problems.append(f"{path}: was not kept, though it is a readable object")
        if wrongly:
            problems += list(self.said.values())
        print(f"{kept} files kept byte for byte, {len(refused)} refused, {len(rounds)} rounds")
        for path in refused:
            print(f"  refused: {path.name}: {self.reason(path)}")
        self.assertEqual("", "\n".join(problems))

    def mkdir(self, name):
        folder = self.folder / name
        folder.mkdir()
        return folder

    def reason(self, path):
        for end, why in self.REFUSED.items():
            if str(path).endswith(end):
                return why
        lacking = [name for name, uid in zip(UIDS, identity(path)) if not uid]
        return "no " + ", ".join(lacking) if lacking else ""

    def may_be_refused(self, path):
        return self.reason(path) != ""

    def fetch(self, node, out):
        studies = h.texts(h.findscu(node, "STUDY", {"StudyInstanceUID": ""}), "StudyInstanceUID")
        for study in studies:
            h.sagitta("get", node.address, "-k", f"StudyInstanceUID={study}", "-o", out, check=0)

    def members(self, node):
        found = {}
        for volume in node.volumes():
            if volume.stat().st_size == 0:
                continue
            with tarfile.open(volume) as tar:
                for member in tar:
                    if member.isfile() and member.name.endswith(".dcm"):
                        parts = h.FileParts(tar.extractfile(member).read())
                        found[parts.sop_instance] = parts
        return found


class Shared(Corpus):
    def test_every_readable_file(self):
        h.shared("codecs")
        self.round_trip([path for path in h.files_below(h.SHARED)
                         if not {"malformed", "expected", "worklist"} & set(path.relative_to(h.SHARED).parts)
                         and path.suffix not in (".json", ".tsv", ".md", ".gz")])


class Pydicom(Corpus):
    def test_every_readable_file(self):
        if not h.PYDICOM_DATA.exists():
            raise h.Missing("pydicom's test files are not here")
        self.round_trip([path for path in h.files_below(h.PYDICOM_DATA) if path.suffix in (".dcm", "")])


class Malformed(h.Case):
    """Broken files sent as they are over a raw association: any answer is right but a crash or a half."""

    def test_none_does_harm(self):
        files = h.files_below(h.shared("malformed"))
        node = self.node()
        statuses = {}
        for path in files:
            data = path.read_bytes()
            try:
                parts = h.FileParts(data)
            except (ValueError, struct.error, IndexError):
                continue
            syntax = parts.transfer_syntax
            if not syntax or not parts.sop_instance or not parts.data_set:
                continue
            contexts = ((raw.VERIFICATION, (raw.IMPLICIT,)), (parts.sop_class or h.SECONDARY_CAPTURE, (syntax,)))
            with raw.Association(node.port, contexts=contexts) as association:
                if association.contexts().get(3) != 0:
                    statuses[path.name] = "context refused"
                    continue
                response = association.store(parts.data_set, parts.sop_class, parts.sop_instance)
                status = raw.status_of(response)
                statuses[path.name] = f"{status:04X} {raw.comment_of(response)}"
                association.release()
                if status == 0:
                    out = self.folder / path.stem
                    h.sagitta("get", node.address, *h.instance_keys(path), "-o", out)
                else:
                    found = h.findscu(node, "IMAGE", {"StudyInstanceUID": "", "SeriesInstanceUID": "",
                                                      "SOPInstanceUID": parts.sop_instance})
                    if parts.sop_instance not in self.kept(statuses, files):
                        self.assertEqual([], found, f"{path.name} was refused and is there")
        for name, status in statuses.items():
            print(f"  {name}: {status}")
        h.sagitta("echo", node.address, check=0)
        node.stop()
        h.sagitta("verify", "--data", node.data, check=0)

    @staticmethod
    def kept(statuses, files):
        return {h.parts_of(path).sop_instance for path in files if statuses.get(path.name, "").startswith("0000")}


if __name__ == "__main__":
    h.main()
