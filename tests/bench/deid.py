#!/usr/bin/python3
"""De-identification of CT images beside dcmodify and Orthanc's /anonymize, in turns, on the same files.

    deid.py [--images N] [--rounds N] [--json FILE]

  sagitta    sagitta deid, one thread, config/deid/basic.toml: read, decide, search, write
  as shipped the same with all processors
  node       sagitta serve with a [[sender]] rule and a vault, fed by sagitta store over two associations: received,
             de-identified, remembered, filed and indexed, on stable storage before the answer. Its own CPU
  dcmodify   20 identifying attributes erased or replaced, UIDs made anew, on copies made beforehand. It
             replaces no references, keeps no patient together and searches nothing: the least there is
  orthanc    POST /studies/{id}/anonymize of what it holds already, into its own storage

Images per second, and processor time for each, of which the ratios are made. Nothing here asserts a time.
"""
import argparse
import json
import os
import pathlib
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import numpy
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
sys.dont_write_bytecode = True
import harness as h  # noqa: E402

SAGITTA = h.BUILD / "sagitta"
PROFILE = pathlib.Path(__file__).resolve().parents[2] / "config/deid/basic.toml"
ERASED = ("0008,0080 0008,0081 0008,0090 0008,1010 0008,1030 0008,103e 0008,1050 0008,1070 0010,0030 0010,0040 0010,1000 "
          "0010,1010 0010,1040 0010,2154 0010,4000 0020,4000 0032,1060").split()


def make_images(folder, count):
    noise = numpy.random.default_rng(1).integers(0, 4000, 512 * 512, dtype="uint16").tobytes()
    root = "1.2.826.0.1.3680043.8.498.99."
    for number in range(count):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        meta.MediaStorageSOPInstanceUID = f"{root}3.{number + 1}"
        meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
        ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        ds.is_little_endian, ds.is_implicit_VR = True, False
        base = pydicom.dcmread("/usr/lib/python3/dist-packages/pydicom/data/test_files/CT_small.dcm")
        for element in base:
            if element.tag.group < 0x7FE0:
                ds.add(element)
        ds.SOPInstanceUID, ds.StudyInstanceUID, ds.SeriesInstanceUID = meta.MediaStorageSOPInstanceUID, root + "1", root + "2"
        ds.PatientName, ds.PatientID, ds.InstanceNumber = "Quirrenbach^Ottokar", "MRN-8834471", str(number + 1)
        ds.InstitutionName, ds.StudyDescription = "St. Xaverius Klinik", "Thorax"
        reference = Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = meta.MediaStorageSOPClassUID, f"{root}3.1"
        ds.ReferencedImageSequence = Sequence([reference])
        ds.Rows = ds.Columns = 512
        ds.PixelData = noise
        ds.save_as(folder / f"{number:05}.dcm", write_like_original=False)


def child_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(run):
    cpu, wall = child_cpu(), time.monotonic()
    run()
    return time.monotonic() - wall, child_cpu() - cpu


class Sagitta:
    name = "sagitta"
    threads = ("--threads", "1")

    def __init__(self, folder, images):
        folder.mkdir(exist_ok=True)
        self.folder, self.images, self.rounds = folder, images, 0
        self.key = folder / "key"
        subprocess.run([SAGITTA, "deid", "init-key", self.key], check=True, capture_output=True)

    def round(self):
        self.rounds += 1
        out = self.folder / f"out{self.rounds}"  # deleted at the end: the file system avoids inodes freed just now
        return timed(lambda: subprocess.run([SAGITTA, "deid", self.images, out, "--profile", PROFILE, "--key", self.key,
                                             *self.threads], check=True, capture_output=True))

    def stop(self):
        pass


class AsShipped(Sagitta):
    name = "as shipped"
    threads = ()

    def __init__(self, folder, images):
        super().__init__(folder / "shipped", images)


class Node(Sagitta):
    """A new archive each round: the same again would be stored already."""

    name = "node"

    def __init__(self, folder, images):
        super().__init__(folder / "node", images)
        self.config = self.folder / "sagitta.toml"
        self.config.write_text(f'[deid.bench]\nprofile = "{PROFILE}"\nkey_file = "key"\nvault = true\n'
                               '[[sender]]\ndeidentify = "bench"\n')

    def round(self):
        self.rounds += 1
        folder = self.folder / str(self.rounds)
        folder.mkdir()
        with h.Node(folder, arguments=["-c", self.config]) as node:
            before, wall = cpu_of(node.pid), time.monotonic()
            h.sagitta("store", node.address, self.images, "--associations", "2", check=0, timeout=600)
            taken = time.monotonic() - wall, cpu_of(node.pid) - before
        return taken


class Dcmodify:
    name = "dcmodify"

    def __init__(self, folder, images):
        self.folder, self.images, self.rounds = folder, images, 0

    def round(self):
        self.rounds += 1
        copies = self.folder / f"copies{self.rounds}"
        shutil.copytree(self.images, copies)
        edits = [word for tag in ERASED for word in ("-ea", f"({tag})")]
        edits += ["-m", "(0010,0010)=X", "-m", "(0010,0020)=X", "-gin", "-gse", "-gst"]
        files = sorted(copies.glob("*.dcm"))
        return timed(lambda: subprocess.run(["dcmodify", "-nb", "-imt", *edits, *files], check=True, capture_output=True))

    def stop(self):
        pass


class Orthanc:
    name = "orthanc"

    def __init__(self, folder, images):
        store, self.port = folder / "orthanc", h.free_port()
        store.mkdir()
        (store / "config.json").write_text(json.dumps({
            "Name": "T", "StorageDirectory": str(store), "IndexDirectory": str(store), "DicomPort": h.free_port(),
            "HttpPort": self.port, "RemoteAccessAllowed": False, "AuthenticationEnabled": False, "Plugins": []}))
        self.process = h.Process(["Orthanc", store / "config.json"], store / "log")
        h.wait_for_port(self.process, self.port)
        for path in sorted(images.glob("*.dcm")):
            self.post("/instances", path.read_bytes())
        self.study = json.loads(self.get("/studies"))[0]

    def get(self, path, method="GET"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=600) as answer:
            return answer.read()

    def post(self, path, body):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", body, timeout=1800) as answer:
            return answer.read()

    def cpu(self):
        return cpu_of(self.process.process.pid)

    def round(self):
        cpu, wall = self.cpu(), time.monotonic()
        made = json.loads(self.post(f"/studies/{self.study}/anonymize", b"{}"))
        taken = time.monotonic() - wall, self.cpu() - cpu
        self.get(f"/studies/{made['ID']}", "DELETE")
        return taken

    def stop(self):
        self.process.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    tools = {"sagitta": SAGITTA, "as shipped": SAGITTA, "node": SAGITTA, "dcmodify": shutil.which("dcmodify"), "orthanc": shutil.which("Orthanc")}
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        images = folder / "images"
        images.mkdir()
        make_images(images, options.images)
        peers = [kind(folder, images) for kind in (Sagitta, AsShipped, Node, Dcmodify, Orthanc) if tools[kind.name]]
        taken = {peer.name: [] for peer in peers}
        for _ in range(options.rounds):
            for peer in peers:
                taken[peer.name].append(peer.round())
        for peer in peers:
            peer.stop()
    answer = {}
    for name, rounds in taken.items():
        wall = statistics.median(r[0] for r in rounds)
        cpu = statistics.median(r[1] for r in rounds)
        answer[name] = {"images_per_s": options.images / wall, "cpu_ms": 1000 * cpu / options.images,
                        "images_per_cpu_s": options.images / cpu}
    print(f"{options.images} CT images of 512 x 512, {options.rounds} rounds, medians; {platform.platform()}, "
          f"{os.cpu_count()} processors")
    for name, numbers in answer.items():
        print(f"{name:10} {numbers['images_per_s']:8.0f} images/s   {numbers['cpu_ms']:7.3f} ms CPU each   "
              f"{numbers['images_per_cpu_s']:8.0f} images per second of CPU")
    for ours in ("sagitta", "as shipped", "node"):
        for name in ("dcmodify", "orthanc"):
            if name in answer:
                wall = answer[ours]["images_per_s"] / answer[name]["images_per_s"]
                cpu = answer[ours]["images_per_cpu_s"] / answer[name]["images_per_cpu_s"]
                print(f"{ours} is {wall:.1f} x {name} by the clock, {cpu:.1f} x by CPU")
    if options.json:
        options.json.write_text(json.dumps(answer, indent=2))


if __name__ == "__main__":
    main()
