#!/usr/bin/env python3
"""Acknowledged means safe: kill -9 under load, again and again, then count.

    crash_test.py [KILLS] [--associations K] [--size BYTES] [--seed N] [--keep DIR]

Each round starts the node on the same archive, stores over K associations, kills the node at a random
moment and starts it again. Every SOP Instance UID that was acknowledged must be found, and its bytes
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


class Archive:
    """The volumes, read with tar and nothing of ours."""

    def __init__(self, node):
        self.sums = {}
        for volume in node.volumes():
            if volume.stat().st_size == 0:  # just begun when the node was killed; Python's tarfile refuses it
                continue
            with tarfile.open(volume) as tar:
                for member in tar:
                    if not (member.isfile() and member.name.endswith(".dcm")):
                        continue
                    parts = h.FileParts(tar.extractfile(member).read())
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
    return sum(volume.stat().st_size for volume in node.volumes())


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
    unlisted = set(archive.sums) - names
    if unlisted:
        raise Faults(f"{len(unlisted)} instances are in the volumes and not listed, e.g. {sorted(unlisted)[0]}")
    wrong = [uid for uid, crc in acked.items() if archive.sums[uid] != crc]
    if wrong:
        raise Faults(f"{len(wrong)} acknowledged instances have other bytes, e.g. {wrong[0]}")
    return len(names)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kills", nargs="?", type=int, default=5)
    parser.add_argument("--associations", type=int, default=6)
    parser.add_argument("--size", type=int, default=12_000)
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
    options.run_id = options.seed + 1
    every = options.check_every or max(1, options.kills // 3)
    chance = random.Random(options.seed)
    print(f"seed {options.seed}: {options.kills} kills, {options.associations} associations, {options.size} bytes")
    acked = {}
    with tempfile.TemporaryDirectory(prefix="sagitta-crash-") as folder:
        folder = pathlib.Path(folder)
        # Small volumes, so that kills meet sealing too.
        node = h.Node(folder, settings=["storage.volume_size=4MiB"])
        try:
            for kill in range(1, options.kills + 1):
                list_of_acked = folder / f"acked{kill}"
                before = bytes_of(node)
                loading = load(node, options, kill * 20_000_000, list_of_acked, 60)
                h.wait_until(lambda: bytes_of(node) > before, "the first bytes")
                time.sleep(chance.uniform(0.02, options.longest))
                node.kill()
                loading.process.wait(h.PATIENCE)
                lines = list_of_acked.read_text().split("\n")[:-1] if list_of_acked.exists() else []
                for line in lines:
                    _, uid, _, _, crc = line.split()
                    acked[uid] = int(crc)
                node.start()
                if kill % every == 0 or kill == options.kills:
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
            print(f"FAULT (seed {options.seed}): {fault}")
            print(node.process.log_text()[-3000:])
            return 1
        finally:
            node.kill()
    if not acked:
        print("nothing was acknowledged: the test proved nothing")
        return 1
    print(f"{options.kills} kills, {len(acked)} acknowledged instances, none lost, none changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
