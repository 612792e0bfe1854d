#!/usr/bin/env python3
"""C-FIND on archives as large as nobody fills for a test: the index alone, made by its own writer.

    index.py [--simulated N,N…] [--rounds N] [--seconds S] [--seed N] [--statistics] [--folder DIR] [--json FILE] [--docs DIR]

For each N (instances; default 100000,1000000,10000000) an index of N/20 studies over ten years, 2 to 4 series and 20 instances
each, is made (index_fill.cpp), beside sealed volumes that are files without bytes. The real node is started on all of them, and
asked in turns over one association each what users ask: values drawn from all over the archive. Questions of which the answers grow
with the archive stand apart, with their number. The indices have no statistics (ANALYZE), as those that grew by storing; --statistics leaves
them those of a rebuild. All lies in the page cache. Noted, too: how long a node takes to listen, its memory, the size of the index. Nothing here asserts a
time.
"""
import argparse
import contextlib
import json
import pathlib
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import run as bench  # noqa: E402
from archive import Question  # noqa: E402

h = bench.h
FILL = h.BUILD / "tests" / "bench" / "index-fill"
PER_STUDY, DAYS = 20, 3652
COLUMNS = ("id", "name", "accession", "study", "series", "date", "modality")


class Node(bench.Server):
    name, aet = "sagitta", "SAGITTA"

    def __init__(self, instances, folder, options):
        self.instances = instances
        began = time.monotonic()
        done = h.run(FILL, folder / "data", instances // PER_STUDY, options.seed, 500, timeout=3600, check=0)
        if done.status != 0:
            raise SystemExit(done.text)
        self.fill_s = time.monotonic() - began
        self.sample = [dict(zip(COLUMNS, line.split("\t"))) for line in done.out.decode().splitlines()]
        index = folder / "data" / "index.sqlite"
        if not options.statistics:
            with contextlib.closing(sqlite3.connect(index)) as database:
                database.execute("DROP TABLE sqlite_stat1")
        self.index_bytes = index.stat().st_size
        with open(index, "rb") as file:    # into the page cache
            while file.read(1 << 22):
                pass
        self.folder, self.port = folder, h.free_port()
        self.finds = {}
        began = time.monotonic()
        self.process = h.Process([h.SAGITTA, "serve", "--port", self.port, "--data", folder / "data", "--set", "patrol.every=0s"],
                                 folder / "log")
        self.process.wait_for(r"listening on \S+")
        self.start_s = time.monotonic() - began

    def memory_mib(self):
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line for line in text.splitlines() if line.startswith("RssAnon")).split()[1]) / 1024


def next_day(date, days):
    moved = time.gmtime(time.mktime((int(date[:4]), int(date[4:6]), int(date[6:]), 12, 0, 0, 0, 0, 0)) + 86400 * days)
    return time.strftime("%Y%m%d", moved)


def of_a_user(node):
    """A few answers, whatever the size."""
    sample = node.sample

    def pool(*columns):
        return [" ".join(s[c] for c in columns) for s in sample]

    rare = [s for s in sample if s["name"].split("^")[0] not in COMMON]
    series_keys = ("SeriesInstanceUID", "Modality", "SeriesNumber", "NumberOfSeriesRelatedInstances")
    counts = ("StudyInstanceUID", "ModalitiesInStudy", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances")
    study = ["StudyInstanceUID={}"]
    return [
        Question("Patient ID", "STUDY", ["PatientID={}"], pool("id")),
        Question("accession number", "STUDY", ["AccessionNumber={}"], pool("accession")),
        Question("study UID", "STUDY", study, pool("study")),
        Question("study UID, with counts", "STUDY", study, pool("study"), counts),
        Question("name prefix (Libile^Yu*)", "STUDY", ["PatientName={}*"], [s["name"][:-2] for s in rare]),
        Question("name infix (*bile^Yu*)", "STUDY", ["PatientName=*{}*"], [s["name"][2:-2] for s in rare]),
        Question("accession infix (*012345*)", "STUDY", ["AccessionNumber=*{}*"], [s["accession"][-6:] for s in sample]),
        Question("name and day", "STUDY", ["PatientName={}*", "StudyDate={}"],
                 [f"{s['name'].split('^')[0]} {s['date']}" for s in rare]),
        Question("Patient ID and modality", "STUDY", ["PatientID={}", "ModalitiesInStudy={}"], pool("id", "modality")),
        Question("nothing found", "STUDY", ["PatientID=NONE{}"], pool("id")),
        Question("series of a study", "SERIES", study, pool("study"), series_keys),
        Question("instances of a series", "IMAGE", [*study, "SeriesInstanceUID={}"], pool("study", "series"),
                 ("SOPInstanceUID", "InstanceNumber")),
    ]


def of_many(node):
    """What a larger archive has more answers to, or more to look through for."""
    sample = node.sample
    most = max(1, 5000 * DAYS * PER_STUDY // node.instances)
    common = [s for s in sample if s["name"].split("^")[0] in COMMON]
    days, spans = [s["date"] for s in sample], [(s["date"], next_day(s["date"], 6)) for s in sample]
    rows = ("StudyInstanceUID", "PatientName", "PatientID", "StudyDate", "AccessionNumber")
    return [
        Question("a day and a rare modality (NM)", "STUDY", ["StudyDate={}", "ModalitiesInStudy=NM"], days),
        Question("a day and a modality", "STUDY", ["StudyDate={}", "ModalitiesInStudy={}"], [f"{s['date']} {s['modality']}" for s in sample]),
        Question("a day", "STUDY", ["StudyDate={}"], days, rows),
        Question("a week", "STUDY", ["StudyDate={}"], [f"{a}-{b}" for a, b in spans], rows),
        Question("about 5,000 studies listed", "STUDY", ["StudyDate={}"],
                 [f"{s['date']}-{next_day(s['date'], most - 1)}" for s in sample if s["date"] <= next_day("20241231", -most)] or
                 ["20150101-20241231"], rows),
        Question("common family name and day", "STUDY", ["PatientName={}*", "StudyDate={}"],
                 [f"{s['name'].split('^')[0]} {s['date']}" for s in common]),
        Question("common family name and week", "STUDY", ["PatientName={}^*", "StudyDate={}"],
                 [f"{s['name'].split('^')[0]} {s['date']}-{next_day(s['date'], 6)}" for s in common]),
        Question("common family and given name", "STUDY", ["PatientName={}"], [s["name"] for s in common]),
        Question("common family name", "STUDY", ["PatientName={}^*"], [s["name"].split("^")[0] for s in common], rows),
        Question("common given name (*Yuki*)", "STUDY", ["PatientName=*{}*"], [s["name"].split("^")[1] for s in common], rows),
    ]


COMMON = set("""Smith Nguyen Garcia Mueller Schmidt Martin Rossi Silva Kim Wang Johnson Brown Jones Miller Davis Weber Fischer Meyer Wagner Becker Dubois
Moreau Laurent Simon Russo Ferrari Bianchi Costa Santos Oliveira Lopez Perez Sanchez Tanaka Suzuki Sato Ivanov Novak Horvat Kowalski Nowak Hansen Jensen
Nielsen Larsen Virtanen Korhonen O'Neill""".split())


def ask(nodes, make, folder, options):
    for questions in zip(*(make(node) for node in nodes)):
        rounds = {node.instances: [] for node in nodes}
        for _ in range(options.rounds):
            for node, question in zip(nodes, questions):
                question.ask(node, folder, 0.3)    # caches fill
                rounds[node.instances].append(question.ask(node, folder, options.seconds))
        for node, question in zip(nodes, questions):
            answers = rounds[node.instances]
            found = {"p50_ms": statistics.median(a.get("p50_ms", 0) for a in answers),
                     "p99_ms": statistics.median(a.get("p99_ms", 0) for a in answers),
                     "matches": statistics.median(a.get("matches", 0) / max(1, a["operations"]) for a in answers),
                     "failures": sum(a["failures"] for a in answers)}
            node.finds[question.name] = found
            print(f"  {node.instances:9} {question.name:40} p50 {found['p50_ms']:9.3f}  p99 {found['p99_ms']:9.3f} ms  "
                  f"{found['matches']:.1f} answers  {answers[0].get('error', '')}", file=sys.stderr, flush=True)


def table(nodes, names):
    lines = ["| C-FIND | " + " | ".join(f"{n.instances:,} | answers" for n in nodes) + " | last to first |",
             "|---|" + "---|---|" * len(nodes) + "---|"]
    for name in names:
        found = [n.finds[name] for n in nodes]
        cells = [f"{f['p50_ms']:.3f} ({f['p99_ms']:.3f}) | {f['matches']:,.1f}" if not f["failures"] else "– | –" for f in found]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {found[-1]['p50_ms'] / max(1e-6, found[0]['p50_ms']):.2f} |")
    return lines


def report(nodes, first, second, facts, options):
    lines = [f"`./dev bench index --simulated {','.join(str(n.instances) for n in nodes)} --rounds {options.rounds} --seconds {options.seconds:g}"
             f"{' --statistics' if options.statistics else ''}` on {facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}, {facts['file_system']}. "
             f"An index without an archive: {PER_STUDY} instances and 2 to 4 series to a study, 2.5 studies to a patient, ten years. "
             "p50 (p99) in milliseconds over one association, load generator on the same machine, medians of interleaved rounds.", "",
             "| instances | studies | index | made in | listening after | memory of the node, at first / asked |", "|---|---|---|---|---|---|"]
    for n in nodes:
        lines.append(f"| {n.instances:,} | {n.instances // PER_STUDY:,} | {n.index_bytes / 1e6:,.0f} MB | {n.fill_s:.1f} s | {n.start_s:.2f} s "
                     f"| {n.rss_before:.0f} / {n.rss_after:.0f} MiB |")
    lines += ["", "Few answers, whatever the size:", "", *table(nodes, first), "", "More answers, or more to look through, the larger it is:", "",
              *table(nodes, second)]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulated", default="100000,1000000,10000000", help="instances")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2, help="each question is asked for so long a round")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--statistics", action="store_true")
    parser.add_argument("--folder", default=str(h.BUILD), help="where the indices are made: 500 MB for a million")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--docs", type=pathlib.Path)
    options = parser.parse_args()
    h.need(h.LOAD)
    h.need(FILL)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=options.folder))
    nodes = []
    try:
        for count in options.simulated.split(","):
            node = Node(int(count), folder / count, options)
            nodes.append(node)
            node.rss_before = node.memory_mib()
            print(f"  {node.instances:9} made in {node.fill_s:.1f} s, {node.index_bytes / 1e6:.0f} MB, listening after {node.start_s:.2f} s, "
                  f"{node.rss_before:.0f} MiB", file=sys.stderr, flush=True)
        ask(nodes, of_a_user, folder, options)
        ask(nodes, of_many, folder, options)
        for node in nodes:
            node.rss_after = node.memory_mib()
        names = [[q.name for q in make(nodes[0])] for make in (of_a_user, of_many)]
        text = report(nodes, *names, bench.machine(folder), options)
        print(text)
        if options.json:
            options.json.write_text(json.dumps({str(n.instances): n.finds for n in nodes}, indent=1) + "\n")
        if options.docs:
            options.docs.mkdir(parents=True, exist_ok=True)
            (options.docs / "index.md").write_text(text)
    finally:
        for node in nodes:
            node.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
