#!/usr/bin/env python3
"""Sagitta beside Orthanc and dcmqrscp: the same load, one after the other, A B C A B C …

    run.py [--quick | --full] [--fill N] [--rounds N] [--only LOAD,…] [--peers NAME,…]
           [--folder DIR] [--json FILE] [--markdown FILE]

Loads: store_ct (527 KB, 4 associations; store_ct1, store_ct16: 1 and 16), store_small (10 KB, 16 associations), echo,
assoc, get_ct and move_ct (a series of 100 each, 4 associations; get_ct1, move_ct1: one; moved to a sink of our own),
idle (a new association beside 1,000 that do nothing), find_id and find_name (with N instances on file), window (10 KB
over a line with 20 ms more latency, with and without the asynchronous operations window), large (105 MB, 4 associations) and
huge (1 GiB, 10 associations), each on a server just started, for its memory. Medians of all rounds,
ratios to Orthanc, the server's processor time per operation, and what the machine itself can do in the
same run (appending to the disk; associations answered with ready-made bytes). DCMTK-based peers run with TCP_NODELAY=1, without which every answer waits 44 ms.
Nothing here asserts a time.
"""
import argparse
import json
import os
import pathlib
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
sys.dont_write_bytecode = True
import harness as h  # noqa: E402
import proxy  # noqa: E402

APPEND = h.BUILD / "tests" / "bench" / "append-limit"
CT_BYTES, SMALL_BYTES, FILL_BYTES = 527_000, 10_000, 2_000
IMAGES_PER_SERIES = 100


class Server:
    durability = ""

    def __init__(self, folder, sink=0):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.port = h.free_port()
        self.sink = sink    # where C-MOVE to SINK goes
        self.start()

    @property
    def pid(self):
        return self.process.process.pid

    @property
    def address(self):
        return f"{self.aet}@127.0.0.1:{self.port}"

    def stop(self):
        self.process.process.send_signal(signal.SIGTERM)
        try:
            self.process.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class SagittaServer(Server):
    name, aet = "sagitta", "SAGITTA"
    durability = "before each answer: bytes appended and fdatasync'ed, many objects per sync"
    needs = (h.SAGITTA,)

    def start(self):
        self.process = h.Process([h.SAGITTA, "serve", "--port", self.port, "--data", self.folder / "data", "--set",
                                  "limits.associations=2000", "--peer", f"SINK@127.0.0.1:{self.sink or 104}"],
                                 self.folder / "log")
        self.process.wait_for(r"listening on \S+")


class OrthancServer(Server):
    name, aet = "orthanc", "ORTHANC"
    durability = "its defaults: one file per object, SQLite index"
    needs = ("Orthanc",)

    def start(self):
        config = {"Name": "T", "StorageDirectory": str(self.folder / "D"), "IndexDirectory": str(self.folder / "D"),
                  "DicomAet": self.aet, "DicomPort": self.port, "HttpPort": h.free_port(), "RemoteAccessAllowed": False,
                  "AuthenticationEnabled": False, "DicomAlwaysAllowStore": True, "DicomAlwaysAllowFind": True,
                  "DicomAlwaysAllowGet": True, "DicomAlwaysAllowMove": True,
                  "DicomModalities": {"sink": ["SINK", "127.0.0.1", self.sink or 104]}}
        (self.folder / "config.json").write_text(json.dumps(config))
        self.process = h.Process(["Orthanc", self.folder / "config.json"], self.folder / "log")
        h.wait_for_port(self.process, self.port)


class DcmqrscpServer(Server):
    name, aet = "dcmqrscp", "QRSCP"
    durability = "none: no sync; loses acknowledged objects with several senders"
    needs = ("dcmqrscp",)

    def start(self):
        store = self.folder / "store"
        store.mkdir()
        config = self.folder / "config"
        config.write_text(f"NetworkTCPPort = {self.port}\nMaxPDUSize = 131072\nMaxAssociations = 64\nHostTable BEGIN\n"
                          f"sink = (SINK, 127.0.0.1, {self.sink or 104})\nHostTable END\nVendorTable BEGIN\nVendorTable END\nAETable BEGIN\n"
                          f"{self.aet} {store} RW (500, 20480mb) ANY\nAETable END\n")
        self.process = h.Process(["dcmqrscp", "-c", config, self.port], self.folder / "log")
        h.wait_for_port(self.process, self.port)


class StorescpServer(Server):
    name, aet = "storescp", "STORESCP"
    durability = "none: no sync, no index; one association after the other unless it forks"
    needs = ("storescp",)

    def start(self):
        store = self.folder / "store"
        store.mkdir()
        self.process = h.Process(["storescp", "--fork", "-aet", self.aet, "-od", store, "-pdu", "131072", self.port],
                                 self.folder / "log")
        h.wait_for_port(self.process, self.port)


SERVERS = {kind.name: kind for kind in (SagittaServer, OrthancServer, DcmqrscpServer)}
LARGE_SERVERS = {kind.name: kind for kind in (SagittaServer, OrthancServer, DcmqrscpServer, StorescpServer)}
LARGE = {"large": (105_000_000, 4, 12), "huge": (1 << 30, 10, 10)}    # bytes, associations, objects


def load(server, mode, *options, timeout=1800):
    done = subprocess.run([str(word) for word in (h.LOAD, mode, server.address, "--pid", server.pid, *options)],
                          capture_output=True, timeout=timeout, env=h.ENVIRONMENT)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {"error": (done.stderr or done.stdout).decode("utf-8", "replace").strip()[-300:], "operations": 0,
                "failures": 1}


def uid(run_id, kind, number):
    """As load_objects.cpp makes them."""
    return f"2.25.1{run_id % 10**19:019}{kind}{number:018}"


class Bench:
    def __init__(self, options):
        self.options = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=options.folder))
        self.servers = [SERVERS[name] for name in options.peers]
        self.results = {}    # load → server → list of answers
        self.limits = {}     # load → list of objects/s
        self.run_id = int(time.time()) * 1000

    def next_run(self):
        self.run_id += 1
        return self.run_id

    def record(self, name, server, answer):
        self.results.setdefault(name, {}).setdefault(server.name, []).append(answer)
        rate = answer.get("ops_per_s", 0)
        print(f"  {name:12} {server.name:9} {rate:10.1f}/s  p50 {answer.get('p50_ms', 0):8.2f} ms  "
              f"failures {answer.get('failures')}  {answer.get('error', '')}", file=sys.stderr, flush=True)

    def running(self, group, sink=0):
        return [kind(self.folder / f"{group}-{kind.name}", sink) for kind in self.servers]

    def append_limit(self, name, size, count):
        done = h.run(APPEND, self.folder / "append", size, count, 64, check=0)
        self.limits.setdefault(name, []).append(float(done.out))

    def stores(self):
        o = self.options
        wanted = [x for x in o.only if x.startswith(("store_", "get_", "move_"))]
        if not wanted:
            return
        port = h.free_port()
        sink = h.Process([h.LOAD, "sink", "--threads", 2, f"SINK@127.0.0.1:{port}"], self.folder / "sink.log")
        sink.wait_for("listening")
        servers = self.running("store", port)
        try:
            # Everybody's first objects are not measured: files, caches and threads come to be.
            self.first = {server.name: self.next_run() for server in servers}
            for server in servers:
                load(server, "store", "-a", 1, "-n", 4 * IMAGES_PER_SERIES, "--size", CT_BYTES, "--run-id",
                     self.first[server.name], "--images-per-series", IMAGES_PER_SERIES)
            for _ in range(o.rounds):
                for name, associations in (("store_ct", 4), ("store_ct1", 1), ("store_ct16", 16)):
                    if name in wanted:
                        self.append_limit(name, CT_BYTES, o.ct)
                        for server in servers:
                            self.record(name, server, load(server, "store", "-a", associations, "-n", o.ct, "--size",
                                                           CT_BYTES, "--run-id", self.next_run()))
                for name in ("get_ct", "get_ct1", "move_ct", "move_ct1"):
                    if name in wanted:
                        for server in servers:
                            self.retrieve(name, server)
                if "store_small" in wanted:
                    self.append_limit("store_small", SMALL_BYTES, o.small * 4)
                    for server in servers:
                        count = o.small if server.name != "dcmqrscp" else min(o.small, 1000)
                        self.record("store_small", server, load(server, "store", "-a", 16, "-n", count, "--size",
                                                                SMALL_BYTES, "--run-id", self.next_run()))
        finally:
            for server in servers:
                server.stop()
            sink.stop()

    def large_objects(self):
        for name, (size, associations, count) in LARGE.items():
            if name not in self.options.only:
                continue
            for _ in range(self.options.rounds):
                self.append_limit(name, size, min(count, 4))
                for kind in self.large_servers(size * associations):
                    server = kind(self.folder / f"{name}-{kind.name}")
                    try:
                        self.record(name, server, load(server, "store", "-a", associations, "-n", count, "--size", size,
                                                       "--max-pdu", 131072, "--run-id", self.next_run()))
                    finally:
                        server.stop()

    def large_servers(self, bytes_at_once):
        """Those who collect objects in memory only where there is memory for them, twice, beside the sender's."""
        with open("/proc/meminfo", encoding="ascii") as lines:
            available = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
        for name, kind in LARGE_SERVERS.items():
            if name not in self.options.peers and name != "storescp" or shutil.which(kind.needs[0]) is None and name != "sagitta":
                continue
            if name == "orthanc" and available < 3 * bytes_at_once:
                print(f"  orthanc is left out: {bytes_at_once} bytes at once need more memory", file=sys.stderr)
                continue
            yield kind

    def retrieve(self, name, server):
        """Series of 100, one association after the other or four at once."""
        first = self.first[server.name]
        pool = self.folder / "series"
        pool.write_text("".join(uid(first, 2, n) + "\n" for n in range(4)))
        answer = load(server, name.split("_")[0], "-a", 1 if name.endswith("1") else 4, "--threads", 2, "-n", 16, "--level", "SERIES", "-k",
                      "SeriesInstanceUID={}", "-k", f"StudyInstanceUID={uid(first, 3, 0)}", "--pool-file", pool,
                      "--destination", "SINK")
        expected = 16 * IMAGES_PER_SERIES
        if answer.get("matches") != expected:
            answer["error"] = f"{answer.get('matches')} of {expected} instances; {answer.get('error', '')}"
        answer["mb_per_s"] = answer.get("ops_per_s", 0) * IMAGES_PER_SERIES * CT_BYTES / 1e6
        self.record(name, server, answer)

    def long_line(self):
        """What the operations window does where a peer is far away: a proxy holds every byte for 10 ms each way."""
        if "window" not in self.options.only or SagittaServer not in self.servers:
            return
        server = SagittaServer(self.folder / "far")
        line = proxy.DelayingProxy(server.port, delay=0.010)
        near, server.port = server.port, line.port
        try:
            for _ in range(self.options.rounds):
                for window in (1, 64):
                    answer = load(server, "store", "-a", 1, "-n", 60 if window == 1 else 2000, "--size", SMALL_BYTES, "--window", window,
                                  "--run-id", self.next_run())
                    self.record(f"window_{window}", server, answer)
        finally:
            server.port = near
            line.stop()
            server.stop()

    def small_talk(self):
        o = self.options
        if not {"echo", "assoc", "idle"} & set(o.only):
            return
        servers = self.running("talk")
        port = h.free_port()
        least = h.Process([h.LOAD, "least", "--threads", 4, f"LEAST@127.0.0.1:{port}"], self.folder / "least.log")
        least.wait_for("listening")
        try:
            for _ in range(o.rounds):
                if "assoc" in o.only:
                    answer = subprocess.run([str(h.LOAD), "assoc", f"LEAST@127.0.0.1:{port}", "-a", "4", "-n", "6000"],
                                            capture_output=True, timeout=300, env=h.ENVIRONMENT)
                    self.limits.setdefault("assoc", []).append(json.loads(answer.stdout)["ops_per_s"])
                for name, associations, count in (("echo", 4, 8000), ("assoc", 4, 6000), ("idle", 1000, 500)):
                    if name not in o.only:
                        continue
                    for server in servers:
                        # The others make a thread or a process of each, and hold 64 or 100 at most.
                        ours = server.name == "sagitta"
                        held = associations if ours else min(associations, 50)
                        times = count if ours or name != "idle" else 3
                        self.record(name if held == associations else f"{name}_{held}", server,
                                    load(server, name, "-a", held, "-n", times))
        finally:
            least.stop()
            for server in servers:
                server.stop()

    def finds(self):
        o = self.options
        keys = {"find_id": ["-k", "PatientID=LOAD{}"], "find_name": ["-k", "PatientName=NAME{}*"]}
        if not set(keys) & set(o.only):
            return
        servers = [kind(self.folder / f"find-{kind.name}") for kind in self.servers if kind is not DcmqrscpServer]
        try:
            for server in servers:
                filled = load(server, "store", "-a", 8, "-n", o.fill, "--size", FILL_BYTES, "--images-per-series", 5,
                              "--series-per-study", 4, "--studies-per-patient", 1, "--run-id", self.next_run())
                self.record(f"fill_{o.fill}", server, filled)
            for _ in range(o.rounds):
                for name, key in keys.items():
                    if name not in o.only:
                        continue
                    for server in servers:
                        self.record(name, server, load(
                            server, "find", "-a", 1, "-n", 300 if server.name != "sagitta" else 2000, *key, "-k",
                            "StudyInstanceUID", "-k", "StudyDate", "--pool", max(1, o.fill // 20)))
        finally:
            for server in servers:
                server.stop()


def median(answers, key):
    values = [answer[key] for answer in answers if key in answer and answer.get("operations")]
    return statistics.median(values) if values else 0.0


def machine(folder):
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    kind = subprocess.run(["findmnt", "-n", "-o", "FSTYPE", "--target", str(folder)],
                          capture_output=True, text=True).stdout.strip()
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(), "file_system": kind}


def table(bench, facts):
    lines = [f"{facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}, {facts['file_system']}; load generator on "
             f"the same machine; peers with TCP_NODELAY=1; medians of {bench.options.rounds} interleaved rounds", "",
             "| load | server | ops/s | MB/s | p50 ms | p99 ms | server CPU ms/op | peak MiB | failures | × Orthanc |",
             "|---|---|---|---|---|---|---|---|---|---|"]
    for name, servers in bench.results.items():
        base = median(servers.get("orthanc", []), "ops_per_s")
        for server, answers in servers.items():
            rate = median(answers, "ops_per_s")
            ratio = f"{rate / base:.1f}" if base else "–"
            lines.append(f"| {name} | {server} | {rate:.1f} | {median(answers, 'mb_per_s'):.0f} | "
                         f"{median(answers, 'p50_ms'):.2f} | {median(answers, 'p99_ms'):.2f} | "
                         f"{median(answers, 'server_cpu_ms_per_op'):.3f} | {median(answers, 'server_peak_rss_mib'):.0f} | "
                         f"{sum(answer.get('failures', 0) for answer in answers)} | {ratio} |")
        if name in bench.limits:
            limit = statistics.median(bench.limits[name])
            ours = median(servers.get("sagitta", []), "ops_per_s")
            share = f"; Sagitta reaches {100 * ours / limit:.0f} % of it" if ours else ""
            what = "four threads that answer with ready-made bytes" if name == "assoc" else "append + one fdatasync per 64"
            times = f"{limit / base:.1f}" if base and name == "assoc" else ""
            lines.append(f"| {name} | {what}{share} | {limit:.1f} | | | | | | | {times} |")
    lines += ["", "Durability of an acknowledged object:"]
    lines += [f"- {kind.name}: {kind.durability}" for kind in bench.servers]
    if set(LARGE) & set(bench.results):
        lines.append(f"- {StorescpServer.name}: {StorescpServer.durability}")
    return "\n".join(lines)


def main():
    loads = ["store_ct", "get_ct", "move_ct", "store_small", "echo", "assoc", "find_id", "find_name"]
    more = ["large", "huge", "store_ct1", "store_ct16", "get_ct1", "move_ct1", "idle", "window"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the default: a few minutes")
    parser.add_argument("--full", action="store_true", help="more of everything, 100,000 instances on file")
    parser.add_argument("--fill", type=int, help="instances on file for the queries")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", default=",".join(loads), type=lambda text: text.split(","))
    parser.add_argument("--peers", default="sagitta,orthanc,dcmqrscp", type=lambda text: text.split(","))
    parser.add_argument("--folder", default=str(h.BUILD), help="where the archives are made: name a real disk")
    parser.add_argument("--json")
    parser.add_argument("--markdown")
    options = parser.parse_args()
    if isinstance(options.only, str):
        options.only = options.only.split(",")
    if isinstance(options.peers, str):
        options.peers = options.peers.split(",")
    if options.full and options.only == loads:
        options.only = loads + more
    options.rounds = options.rounds or (5 if options.full else 3)
    options.fill = options.fill or (100_000 if options.full else 10_000)
    options.ct, options.small = (2000, 16_000) if options.full else (400, 3000)
    for name in list(options.peers):
        try:
            h.need(*SERVERS[name].needs)
        except h.Missing as missing:
            print(f"left out: {name} ({missing})", file=sys.stderr)
            options.peers.remove(name)
    h.need(h.LOAD, APPEND)
    bench = Bench(options)
    try:
        bench.stores()
        bench.large_objects()
        bench.small_talk()
        bench.long_line()
        bench.finds()
        facts = machine(bench.folder)
        text = table(bench, facts)
        print(text)
        if options.markdown:
            pathlib.Path(options.markdown).write_text(text + "\n")
        if options.json:
            pathlib.Path(options.json).write_text(json.dumps(
                {"machine": facts, "results": bench.results, "limit": bench.limits}, indent=1) + "\n")
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
