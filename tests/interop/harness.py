"""What the scenarios share: a node in a temporary folder, DCMTK's tools, data sets as bytes.

Runs with the Python of Debian (pydicom is there), Python 3.11's standard library otherwise. Nothing
here sleeps for a fixed time: ports are chosen by the system, and readiness is seen, not guessed.
"""
import json
import os
import pathlib
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
PYDICOM_DATA = pathlib.Path("/usr/lib/python3/dist-packages/pydicom/data")
BUILD = pathlib.Path(os.environ.get("SAGITTA_BUILD", ROOT / "build" / "release"))
SAGITTA = pathlib.Path(os.environ.get("SAGITTA", BUILD / "sagitta"))
SANITIZED = "asan" in str(SAGITTA) or "tsan" in str(SAGITTA)
LOAD = pathlib.Path(os.environ.get("SAGITTA_LOAD", BUILD / "tests" / "bench" / "sagitta-load"))
DCMTK_CONFIG = "/etc/dcmtk/storescu.cfg"
SKIP = 77
# Sanitized builds on two busy cores are slow; nobody waits this long when all is well.
PATIENCE = 60.0

# Addresses of machines, proxies and locales do not reach what we start.
ENVIRONMENT = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC",
               "HOME": tempfile.gettempdir()}
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"):
    if name in os.environ:
        ENVIRONMENT[name] = os.environ[name]
# Nagle on the peer's side and our delayed acknowledgements would make every answer wait 44 ms.
ENVIRONMENT["TCP_NODELAY"] = "1"


class Missing(unittest.SkipTest):
    """A tool or a data folder is not there: the test is skipped, visibly."""


def need(*tools):
    for tool in tools:
        if shutil.which(str(tool)) is None and not pathlib.Path(tool).exists():
            raise Missing(f"{tool} is not here")


_commands = set()


def need_command(name):
    need(SAGITTA)
    if not _commands:
        _commands.update(re.findall(r"(?m)^ +([a-z]+) {2,}", run(SAGITTA, "--help").text))
    if name not in _commands:
        raise Missing(f"this build of sagitta has no `{name}`")


def need_sagitta():
    need_command("serve")


def temporary_folder():
    return tempfile.TemporaryDirectory(prefix="sagitta-test-")


class Run:
    """A finished program."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    @property
    def text(self):
        return (self.out + self.err).decode("utf-8", "replace")


def run(*arguments, check=None, timeout=PATIENCE, cwd=None, stdin=None):
    """check: the exit status it must have; None takes any."""
    words = [word if isinstance(word, bytes) else str(word) for word in arguments]
    done = subprocess.run(words, capture_output=True, timeout=timeout, env=ENVIRONMENT, cwd=cwd, input=stdin)
    answer = Run(done.returncode, done.stdout, done.stderr)
    if check is not None and answer.status != check:
        raise AssertionError(f"{' '.join(map(str, words))[:300]}: exit status {answer.status}, not {check}\n{answer.text[-3000:]}")
    return answer


def sagitta(*arguments, **options):
    need_command(arguments[0])
    return run(SAGITTA, *arguments, **options)


class Process:
    """Something we started and will end; its output goes to a file."""

    def __init__(self, arguments, log, env=None):
        self.log = pathlib.Path(log)
        self.arguments = [str(word) for word in arguments]
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(self.arguments, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                            env=env or ENVIRONMENT, start_new_session=True)

    def wait_for(self, pattern, start=0):
        deadline = time.monotonic() + PATIENCE
        while True:
            text = self.log.read_bytes()[start:].decode("utf-8", "replace")
            found = re.search(pattern, text)
            if found:
                return found
            if self.process.poll() is not None:
                raise AssertionError(f"{self.arguments[0]} ended with {self.process.returncode}:\n{text[-3000:]}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.arguments[0]} never said {pattern}:\n{text[-3000:]}")
            wait_a_moment()

    def wait_to_say(self, words):
        """A line may be written after the peer has its answer: the log is never looked at only once."""
        return self.wait_for(re.escape(words))

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"{self.arguments[0]} did not end by itself:\n{self.log_text()[-3000:]}")
        return self.process.returncode

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def log_text(self):
        return self.log.read_bytes().decode("utf-8", "replace")


def wait_a_moment():
    """Between two looks at something that has no file descriptor to wait on."""
    select.select([], [], [], 0.01)


def wait_until(holds, what):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        wait_a_moment()


class Node:
    """`sagitta serve` on a free port of loopback."""

    def __init__(self, folder, peers=(), settings=(), arguments=(), aet="SAGITTA"):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "archive"
        self.peers, self.settings, self.more, self.aet = list(peers), list(settings), list(arguments), aet
        self.process = None
        self.port = None
        self.starts = 0
        self.start()

    def command(self, port=0):
        words = [SAGITTA, "serve", "--port", port, "--data", self.data, "--ae-title", self.aet]
        for peer in self.peers:
            words += ["--peer", peer]
        for setting in self.settings:
            words += ["--set", setting]
        return words + self.more

    def start(self):
        self.starts += 1
        log = self.folder / f"node{self.starts}.log"
        self.process = Process(self.command(), log)
        self.port = int(self.process.wait_for(r"listening on \S+?:(\d+)")[1])

    @property
    def pid(self):
        return self.process.process.pid

    @property
    def address(self):
        return f"{self.aet}@127.0.0.1:{self.port}"

    def stop(self):
        """SIGTERM; the node must finish and say so with exit status 0."""
        status = self.process.stop()
        if status != 0:
            raise AssertionError(f"the node ended with {status}:\n{self.process.log_text()[-4000:]}")

    def kill(self):
        self.process.kill()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            sys.stderr.write(f"--- node log\n{self.process.log_text()[-4000:]}\n")
            self.kill()
        else:
            self.stop()

    def volumes(self):
        return sorted((self.data / "volumes").glob("*.tar"))


def free_port():
    """Below those that the system gives to connections: nobody takes it before a slow program listens there."""
    while True:
        port = random.randrange(12000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_for_port(process, port):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{process.arguments[0]} does not listen:\n{process.log_text()[-2000:]}")
            wait_a_moment()


class StoreScp:
    """storescp, keeping the bytes it receives, one file each."""

    def __init__(self, folder, aet="DEST", options=(), accepts="+xa"):
        need("storescp")
        self.folder = pathlib.Path(folder) / f"storescp-{aet}"
        self.folder.mkdir()
        self.aet, self.port = aet, free_port()
        self.process = Process(["storescp", "--fork", "-aet", aet, "-od", self.folder, "+uf", accepts,
                                "--bit-preserving", *options, self.port], pathlib.Path(folder) / f"{aet}.log")
        wait_for_port(self.process, self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()

    def files(self):
        return sorted(path for path in self.folder.iterdir() if path.is_file())


class DcmQrScp:
    """DCMTK's archive: a client's oracle, not a store's (it loses what several senders send at once)."""

    def __init__(self, folder, hosts=(), aet="QRSCP"):
        need("dcmqrscp")
        folder = pathlib.Path(folder)
        self.store = folder / f"dcmqrscp-{aet}"
        self.store.mkdir()
        self.aet, self.port = aet, free_port()
        config = folder / f"{aet}.cfg"
        table = "\n".join(f"{name.lower()} = ({name}, 127.0.0.1, {port})" for name, port in hosts)
        config.write_text(f"NetworkTCPPort = {self.port}\nMaxPDUSize = 131072\nMaxAssociations = 64\n"
                          f"HostTable BEGIN\n{table}\nHostTable END\nVendorTable BEGIN\nVendorTable END\n"
                          f"AETable BEGIN\n{aet} {self.store} RW (500, 1024mb) ANY\nAETable END\n")
        self.process = Process(["dcmqrscp", "-c", config, self.port], folder / f"{aet}.log")
        wait_for_port(self.process, self.port)

    @property
    def address(self):
        return f"{self.aet}@127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()


# ---------------------------------------------------------------- data sets as bytes

class FileParts:
    """A Part 10 file: what its meta information says, and the data set's bytes."""

    def __init__(self, data):
        if data[128:132] != b"DICM":
            raise ValueError("no Part 10 file")
        self.meta = {}
        at = 132
        while at + 8 <= len(data):
            group, number = struct.unpack_from("<HH", data, at)
            if group != 2:
                break
            vr = data[at + 4:at + 6]
            if vr in (b"OB", b"OW", b"UN", b"UT", b"SQ"):
                length, head = struct.unpack_from("<I", data, at + 8)[0], 12
            else:
                length, head = struct.unpack_from("<H", data, at + 6)[0], 8
            self.meta[number] = data[at + head:at + head + length]
            at += head + length
        self.data_set = data[at:]

    def text(self, number):
        return self.meta.get(number, b"").rstrip(b"\0 ").decode("ascii", "replace")

    @property
    def sop_class(self):
        return self.text(2)

    @property
    def sop_instance(self):
        return self.text(3)

    @property
    def transfer_syntax(self):
        return self.text(0x10)


def parts_of(path):
    return FileParts(pathlib.Path(path).read_bytes())


def instance_keys(path):
    """-k options that name the instance in this file and what is above it (PS3.4 C.4.2.2.1)."""
    import pydicom
    data_set = pydicom.dcmread(path, force=True, stop_before_pixels=True)
    words = []
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        words += ["-k", f"{keyword}={data_set.get(keyword, '')}"]
    return words


def files_below(folder):
    return sorted(path for path in pathlib.Path(folder).rglob("*") if path.is_file())


def by_instance(paths):
    """SOP Instance UID → parts, of files that are Part 10."""
    found = {}
    for path in paths:
        parts = parts_of(path)
        found[parts.sop_instance] = parts
    return found


def explicit(group, number, vr, value):
    """An element in Explicit VR Little Endian."""
    vr = vr.encode()
    if isinstance(value, str):
        value = value.encode("utf-8")
    if len(value) % 2:
        value += b"\0" if vr in (b"UI", b"OB") else b" "
    if vr in (b"OB", b"OW", b"SQ", b"UN", b"UT"):
        return struct.pack("<HH2sHI", group, number, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
COMMON_CLASSES = {SECONDARY_CAPTURE, "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"}
EXPLICIT_LE = "1.2.840.10008.1.2.1"
_counter = [0]


def new_uid():
    _counter[0] += 1
    return f"2.25.{int.from_bytes(os.urandom(8), 'big')}{_counter[0]:04d}"


def make_data_set(instance=None, study=None, series=None, patient="P1", name="Test^Synthetic", pixels=b"\0" * 64,
                  more=(), sop_class=SECONDARY_CAPTURE):
    """A small secondary capture of nobody. more: (group, element, vr, value)."""
    elements = {
        (8, 5): ("CS", "ISO_IR 192"), (8, 0x16): ("UI", sop_class), (8, 0x18): ("UI", instance or new_uid()),
        (8, 0x20): ("DA", "20240229"), (8, 0x30): ("TM", "101530"), (8, 0x50): ("SH", "ACC1"), (8, 0x60): ("CS", "OT"),
        (8, 0x90): ("PN", "Ref^Doctor"), (8, 0x1030): ("LO", "SYNTHETIC STUDY"),
        (0x10, 0x10): ("PN", name), (0x10, 0x20): ("LO", patient), (0x10, 0x30): ("DA", "19700101"),
        (0x10, 0x40): ("CS", "O"), (0x20, 0xd): ("UI", study or new_uid()), (0x20, 0xe): ("UI", series or new_uid()),
        (0x20, 0x10): ("SH", "S1"), (0x20, 0x11): ("IS", "1"), (0x20, 0x13): ("IS", "1"),
        (0x7fe0, 0x10): ("OB", pixels)}
    for group, number, vr, value in more:
        elements[(group, number)] = (vr, value)
    return b"".join(explicit(g, n, vr, value) for (g, n), (vr, value) in sorted(elements.items()) if value is not None)


def make_file(data_set, sop_class=SECONDARY_CAPTURE, instance="2.25.1", syntax=EXPLICIT_LE):
    meta = (explicit(2, 1, "OB", b"\0\1") + explicit(2, 2, "UI", sop_class) + explicit(2, 3, "UI", instance) +
            explicit(2, 0x10, "UI", syntax) + explicit(2, 0x12, "UI", "2.25.99"))
    return b"\0" * 128 + b"DICM" + explicit(2, 0, "UL", struct.pack("<I", len(meta))) + meta + data_set


def make_instance(path, instance=None, **options):
    """Writes one file; answers its SOP Instance UID."""
    instance = instance or new_uid()
    pathlib.Path(path).write_bytes(make_file(make_data_set(instance=instance, **options), instance=instance))
    return instance


# ---------------------------------------------------------------- queries

def findscu(node, level, keys, model="-S", options=(), check=0):
    """DCMTK's findscu; answers the matches as pydicom data sets."""
    need("findscu")
    import pydicom
    with temporary_folder() as out:
        words = ["findscu", model, "-aec", node.aet, *options, "-k", f"QueryRetrieveLevel={level}"]
        for key, value in keys.items():
            words += ["-k", f"{key}={value}" if value != "" else key]
        run(*words, "-X", "-od", out, "127.0.0.1", node.port, check=check)
        return [pydicom.dcmread(path, force=True) for path in sorted(pathlib.Path(out).iterdir())]


def texts(matches, keyword):
    return sorted(str(match.get(keyword, "")) for match in matches)


HIGHER = {"PATIENT": [], "STUDY": [], "SERIES": ["StudyInstanceUID"], "IMAGE": ["StudyInstanceUID", "SeriesInstanceUID"]}
UNIQUE = {"PATIENT": "PatientID", "STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}


def shared(name):
    folder = SHARED / name
    if not folder.exists():
        raise Missing(f"{name} of the shared corpus is not here")
    return folder


class Case(unittest.TestCase):
    """A test with a temporary folder of its own."""

    maxDiff = 4000

    def setUp(self):
        need_sagitta()
        folder = temporary_folder()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def node(self, **options):
        node = Node(self.folder, **options)
        self.addCleanup(node.kill)
        return node


class OrthancCase(Case):
    """A test with an Orthanc, which knows us as its modality `sagitta` and is driven by REST."""

    def setUp(self):
        super().setUp()
        need("Orthanc")
        self.dicom, self.http, self.ours = free_port(), free_port(), free_port()

    def orthanc(self, sagitta_port):
        configuration = {"Name": "TEST", "StorageDirectory": str(self.folder / "orthanc"), "DicomAet": "ORTHANC",
                         "IndexDirectory": str(self.folder / "orthanc"), "DicomPort": self.dicom,
                         "HttpPort": self.http, "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
                         "DicomAlwaysAllowFind": True, "DicomAlwaysAllowGet": True, "DicomAlwaysAllowMove": True,
                         "Plugins": [], "DicomModalities": {"sagitta": ["SAGITTA", "127.0.0.1", sagitta_port]}}
        path = self.folder / "orthanc.json"
        path.write_text(json.dumps(configuration))
        process = Process(["Orthanc", path], self.folder / "orthanc.log")
        self.addCleanup(process.kill)
        process.wait_for("Orthanc has started")

    def rest(self, path, body=None):
        data = None if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", data, timeout=PATIENCE) as answer:
            return json.loads(answer.read())


def main():
    """Exit status 0, 1, or 77 when everything was skipped."""
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIP if result.skipped and len(result.skipped) >= result.testsRun else 0)
