#!/usr/bin/env python3
"""Acknowledged means safe: kill -9 under load, again and again, then count.

    crash_test.py [KILLS | --hours H] [--associations K] [--size BYTES] [--layout NAME] [--stream-above SIZE]
                  [--seed N]

In rounds of 50 kills, each with an archive and a load of its own. A kill: the node stores over K
associations, is killed at a random moment and started again on the same archive. Every SOP Instance UID that was acknowledged must be found, and its bytes
must be those that were sent (CRC-32 of the data set, taken by the load generator); nothing half
written may be listed; `sagitta verify` must find nothing. kill -9 leaves the page cache: what power
loss would do is tested with the file system that drops unsynced writes (tests/storage).
"""
import argparse
import pathlib
import random
import re
import sys
import tarfile
import tempfile
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
import harness as h  # noqa: E402


KILLS_OF_A_ROUND = 50


class Archive:
    """What is stored, read with tar or as files and nothing of ours."""

    def __init__(self, node):
        self.sums = {}
        for volume in node.volumes():
            if volume.stat().st_size == 0:  # just begun when the node was killed; Python's tarfile refuses it
                continue
            with tarfile.open(volume) as tar:
                for member in tar:
                    if not (member.isfile() and member.name.endswith(".dcm")):
                        continue
                    self.add(tar.extractfile(member).read())
        for path in (node.data / "files").rglob("*.dcm"):
            self.add(path.read_bytes())

    def add(self, file):
        parts = h.FileParts(file)
        self.sums[parts.sop_instance] = zlib.crc32(parts.data_set)


def load(node, options, first, acked, seconds):
    words = [h.LOAD, "store", node.address, "-a", options.associations, "-n", 10_000_000, "--seconds", seconds,
             "--size", options.size, "--run-id", options.run_id, "--first", first, "--acked", acked,
             "--images-per-series", 50, "--series-per-study", 2]
    return h.Process(words, str(acked) + ".log")


def listed(node):
    """SOP Instance UIDs by C-FIND; the levels above are left open."""
    answer = h.run("findscu", "-v", "-S", "-aec", node.aet, "-k", "QueryRetrieveLevel=IMAGE", "-k", "StudyInstanceUID",
                   "-k", "SeriesInstanceUID", "-k", "SOPInstanceUID", "127.0.0.1", node.port, check=0, timeout=600)
    return re.findall(r"\(0008,0018\) UI \[([0-9.]+)", answer.text)


def bytes_of(node):
    """Grows with what is stored."""
    files = node.data / "files.tsv"
    return sum(volume.stat().st_size for volume in node.volumes()) + (files.stat().st_size if files.exists() else 0)


class Faults(Exception):
    pass


def check(node, acked):
    """acked: SOP Instance UID → CRC-32."""
    found = listed(node)
    names = set(found)
    if len(found) != len(names):
        raise Faults("an instance is listed twice")
    lost = set(acked) - names
    if lost:
        raise Faults(f"{len(lost)} of {len(acked)} acknowledged instances are gone, e.g. {sorted(lost)[0]}")
    archive = Archive(node)
    ghosts = names - set(archive.sums)
    if ghosts:
        raise Faults(f"{len(ghosts)} instances are listed without bytes, e.g. {sorted(ghosts)[0]}")
    # With `layout = "files"` a file that was never acknowledged may lie there, in no list (docs/STORAGE_FORMAT.md).
    unlisted = set(archive.sums) - names if node.volumes() else set()
    if unlisted:
        raise Faults(f"{len(unlisted)} instances are in the volumes and not listed, e.g. {sorted(unlisted)[0]}")
    wrong = [uid for uid, crc in acked.items() if archive.sums[uid] != crc]
    if wrong:
        raise Faults(f"{len(wrong)} acknowledged instances have other bytes, e.g. {wrong[0]}")
    return len(names)


class Load:
    """What a round is like."""

    def __init__(self, options, seed):
        chance = random.Random(seed)
        self.run_id = seed + 1
        self.associations = options.associations or chance.choice([1, 4, 6, 16])
        self.size = options.size or chance.choice([700, 12_000, 12_000, 60_000, 527_000])
        self.layout = options.layout or chance.choice(["volumes", "volumes", "volumes", "files"])
        # Small volumes, so that kills meet sealing too.
        self.volume_size = chance.choice(["4MiB", "32MiB"])
        # With the first two some of these sizes are written as they arrive.
        self.stream_above = options.stream_above or chance.choice(["64KiB", "256KiB", "16MiB"])

    def __str__(self):
        return f"{self.associations} associations, {self.size} bytes, {self.layout}, volumes of {self.volume_size}, " \
               f"streamed above {self.stream_above}"


def play(options, seed, kills):
    """One archive, killed so often; the number of instances it acknowledged."""
    chance = random.Random(seed)
    kind = Load(options, seed)
    print(f"seed {seed}: {kills} kills, {kind}", flush=True)
    every = options.check_every or max(1, kills // 3)
    acked = {}
    with tempfile.TemporaryDirectory(prefix="sagitta-crash-") as folder:
        folder = pathlib.Path(folder)
        node = h.Node(folder, settings=[f"storage.volume_size={kind.volume_size}", f"storage.layout={kind.layout}",
                                        f"storage.stream_above={kind.stream_above}"])
        try:
            for kill in range(1, kills + 1):
                list_of_acked = folder / f"acked{kill}"
                before = bytes_of(node)
                loading = load(node, kind, kill * 20_000_000, list_of_acked, 60)
                h.wait_until(lambda: bytes_of(node) > before, "the first bytes")
                time.sleep(chance.uniform(0.02, options.longest))
                node.kill()
                loading.process.wait(h.PATIENCE)
                lines = list_of_acked.read_text().split("\n")[:-1] if list_of_acked.exists() else []
                for line in lines:
                    _, uid, _, _, crc = line.split()
                    acked[uid] = int(crc)
                node.start()
                if kill % every == 0 or kill == kills:
                    present = check(node, acked)
                    print(f"kill {kill}: {len(acked)} acknowledged, {present} present, none lost", flush=True)
            node.stop()
            verified = h.sagitta("verify", "--data", node.data, timeout=600)
            if verified.status != 0:
                raise Faults(f"sagitta verify: {verified.text[-1500:]}")
            h.sagitta("reindex", "--data", node.data, check=0, timeout=600)
            node.start()
            check(node, acked)
            node.stop()
        except (Faults, AssertionError) as fault:
            print(f"FAULT (seed {seed}): {fault}")
            print(node.process.log_text()[-3000:])
            raise
        finally:
            node.kill()
    if not acked:
        raise Faults("nothing was acknowledged: the test proved nothing")
    return len(acked)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kills", nargs="?", type=int, default=5)
    parser.add_argument("--hours", type=float, help="as many kills as fit instead")
    parser.add_argument("--associations", type=int)
    parser.add_argument("--size", type=int)
    parser.add_argument("--layout", choices=["volumes", "files"])
    parser.add_argument("--stream-above")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--longest", type=float, default=0.7, help="seconds of load before a kill")
    parser.add_argument("--check-every", type=int, default=0, help="full check after so many kills (default: about three times)")
    options = parser.parse_args()
    try:
        h.need(h.LOAD, "findscu")
        h.need_sagitta()
    except h.Missing as missing:
        print(f"skipped: {missing}")
        return h.SKIP
    end = time.monotonic() + 3600 * options.hours if options.hours else None
    killed, acked, seed = 0, 0, options.seed
    try:
        while time.monotonic() < end if end else killed < options.kills:
            kills = KILLS_OF_A_ROUND if end else min(KILLS_OF_A_ROUND, options.kills - killed)
            acked += play(options, seed, kills)
            killed, seed = killed + kills, seed + 1
    except (Faults, AssertionError):
        return 1
    print(f"{killed} kills, {acked} acknowledged instances, none lost, none changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
