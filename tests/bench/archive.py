#!/usr/bin/env python3
"""An archive as it grows: stored through C-STORE, asked through C-FIND, beside Orthanc.

    archive.py [--instances N] [--orthanc N] [--orthanc-minutes M] [--size BYTES] [--folder DIR]
               [--json FILE] [--docs DIR]

Fills a node from nothing to N instances (default 1,000,000; 20 to a study, 16 associations) and notes the rate of each
step. At 1,000, 10,000, 100,000 and 1,000,000 it asks every question of QUESTIONS over one association and notes how long an
answer took. At the end the node is killed while it stores: how long until it listens again, and how fast its index is built
anew from the volumes. Orthanc (SQLite) gets the same up to --orthanc instances or until its minutes are over. --docs writes
archive.md and archive.svg there. Nothing here asserts a time.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import run as bench  # noqa: E402
import archive_chart  # noqa: E402

h = bench.h
SIZES = (1000, 10_000, 50_000, 100_000, 1_000_000, 10_000_000)
IMAGES, SERIES = 5, 4                      # of a series, of a study; a study to a patient
PER_STUDY = IMAGES * SERIES
ASSOCIATIONS = 16


def date_of(study):
    """As load_objects.cpp makes them."""
    return f"20{10 + study // 336 % 15:02}{1 + study // 28 % 12:02}{1 + study % 28:02}"


def given_name(patient):
    name, left = "", patient * 2654435761 % 24_010_000
    while len(name) < 8:
        name += "BDFGKLMNPRSTVZ"[left % 14] + "AEIOU"[left // 14 % 5]
        left //= 70
    return name


def long_times(studies):
    """All 15 years where that is 5,000 studies or less, else so many that it is about 5,000."""
    if studies <= 5040:
        return ["20100101-20241231"]
    months = max(1, 180 * 5000 // studies)
    spans = [(start, start + months - 1) for start in range(0, 180 - months, 7)]
    return [f"{2010 + a // 12}{a % 12 + 1:02}01-{2010 + b // 12}{b % 12 + 1:02}31" for a, b in spans]


def spread(count, wanted=500):
    """Numbers of things below `count`, all over it."""
    return [(n * 7919 + 13) % count for n in range(min(wanted, count))]


class Question:
    """One kind of C-FIND: its keys, with {} for a value drawn from the pool."""

    def __init__(self, name, level, keys, pool, returned=("StudyInstanceUID", "PatientName", "StudyDate")):
        self.name, self.level, self.pool = name, level, pool
        self.keys = [*keys, *(key for key in returned if not any(k.startswith(key + "=") for k in keys))]

    def ask(self, server, folder, seconds):
        values = folder / "pool"
        values.write_text("".join(f"{value}\n" for value in self.pool))
        keys = [word for key in self.keys for word in ("-k", key)]
        return bench.load(server, "find", "-a", 1, "-n", 1000, "--seconds", seconds, "--level", self.level, *keys,
                          "--pool-file", values)


def questions(count, run_id):
    studies = max(1, count // PER_STUDY)
    some = spread(studies)
    number = [f"{study:09}" for study in some]
    study_uid = [bench.uid(run_id, 3, study) for study in some]
    series_uid = [bench.uid(run_id, 2, study * SERIES) for study in some]
    days = [date_of(study) for study in some]
    series_keys = ("SeriesInstanceUID", "Modality", "SeriesNumber", "NumberOfSeriesRelatedInstances")
    image_keys = ("SOPInstanceUID", "InstanceNumber")
    counts = ("StudyInstanceUID", "ModalitiesInStudy", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances")
    return [
        Question("Patient ID", "STUDY", ["PatientID=LOAD{}"], number),
        Question("accession number", "STUDY", ["AccessionNumber=A{}"], number),
        Question("study UID", "STUDY", ["StudyInstanceUID={}"], study_uid),
        Question("study UID, with counts", "STUDY", ["StudyInstanceUID={}"], study_uid, counts),
        Question("name prefix", "STUDY", ["PatientName=NAME{}*"], number),
        Question("name infix", "STUDY", ["PatientName=*{}*"], [given_name(study)[1:7] for study in some]),
        Question("study date", "STUDY", ["StudyDate={}"], days),
        Question("dates of a week", "STUDY", ["StudyDate={}"], [f"{day[:6]}01-{day[:6]}07" for day in days]),
        Question("date and modality", "STUDY", ["StudyDate={}", "ModalitiesInStudy=MR"], days),
        Question("nothing found", "STUDY", ["PatientID=NONE{}"], number),
        Question("series of a study", "SERIES", ["StudyInstanceUID={}"], study_uid, series_keys),
        Question("instances of a series", "IMAGE", ["StudyInstanceUID={}", "SeriesInstanceUID={}"],
                 [f"{study} {series}" for study, series in zip(study_uid, series_uid)], image_keys),
        Question("up to 5,000 studies listed", "STUDY", ["StudyDate={}"], long_times(studies),
                 ("StudyInstanceUID", "PatientName", "PatientID", "StudyDate", "AccessionNumber")),
    ]


def steps(last):
    """1,000, 2,000, 5,000, 10,000 …, and from 100,000 on every 100,000."""
    at, done = 1000, []
    while at < min(last, 100_000):
        done += [at * k for k in (1, 2, 5)]
        at *= 10
    done += range(100_000, last + 1, 100_000)
    return sorted({min(step, last) for step in done} | {last})


class Growth:
    """One server, filled."""

    def __init__(self, server, folder, options, run_id):
        self.server, self.folder, self.options, self.run_id = server, folder, options, run_id
        self.rates, self.finds = [], {}

    def say(self, text):
        print(f"  {self.server.name:8} {text}", file=sys.stderr, flush=True)

    def store(self, first, count):
        return bench.load(self.server, "store", "-a", ASSOCIATIONS, "-n", count, "--first", first, "--size", self.options.size,
                          "--images-per-series", IMAGES, "--series-per-study", SERIES, "--studies-per-patient", 1,
                          "--run-id", self.run_id, timeout=7200)

    def fill(self, last, deadline):
        stored = 0
        for step in steps(last):
            limit = h.run(bench.APPEND, self.folder / "append", self.options.size, 20_000, 64, check=0)
            answer = self.store(stored, step - stored)
            if answer.get("failures") or answer.get("operations") != step - stored:
                self.say(f"stopped at {stored}: {answer.get('error') or answer.get('reasons')}")
                return stored
            self.rates.append({"to": step, "count": step - stored, "per_s": answer["ops_per_s"], "append_per_s": float(limit.out), "p99_ms": answer["p99_ms"],
                               "cpu_ms": answer["server_cpu_ms_per_op"], "rss_mib": answer["server_rss_mib"]})
            stored = step
            self.say(f"{stored:9} instances: {answer['ops_per_s']:8.0f}/s, {answer['server_cpu_ms_per_op']:.3f} ms of processor each; "
                     f"the disk {float(limit.out):8.0f}/s")
            is_over = time.monotonic() > deadline
            if stored in SIZES or step == last or is_over:
                self.ask(stored)
            if is_over:
                self.say("its time is over")
                return stored
        return stored

    def ask(self, stored):
        found = self.finds.setdefault(stored, {})
        for question in questions(stored, self.run_id):
            question.ask(self.server, self.folder, 0.5)    # caches fill
            answer = question.ask(self.server, self.folder, 5)
            done = max(1, answer["operations"])
            found[question.name] = {"p50_ms": answer.get("p50_ms"), "p99_ms": answer.get("p99_ms"),
                                    "matches": answer.get("matches", 0) / done, "failures": answer["failures"]}
            self.say(f"  {question.name:24} p50 {answer.get('p50_ms', 0):9.3f}  p99 {answer.get('p99_ms', 0):9.3f} ms  "
                     f"{found[question.name]['matches']:.1f} answers  {answer.get('error', '')}")


def crash_and_rebuild(growth, stored):
    """Killed while it stores; then the index built anew from what lies in the volumes."""
    server, options = growth.server, growth.options
    count = min(100_000, max(1000, stored // 10))
    sender = h.Process([h.LOAD, "store", server.address, "-a", ASSOCIATIONS, "-n", count, "--first", stored, "--size",
                        options.size, "--images-per-series", IMAGES, "--series-per-study", SERIES, "--studies-per-patient", 1,
                        "--run-id", growth.run_id], growth.folder / "sender.log")
    time.sleep(1.0)
    os.kill(server.pid, signal.SIGKILL)
    server.process.process.wait()
    sender.process.wait()
    began = time.monotonic()
    server.start()
    restart = time.monotonic() - began
    server.process.process.send_signal(signal.SIGTERM)
    server.process.process.wait(60)
    began = time.monotonic()
    done = h.run(h.SAGITTA, "reindex", "--data", server.folder / "data", check=0)
    rebuild = time.monotonic() - began
    for line in done.text.splitlines():
        growth.say(line)
    return {"restart_s": restart, "rebuild_s": rebuild, "rebuilt": stored, "rebuild_per_s": stored / rebuild}


def tables(facts, growths, after, options):
    lines = [f"{facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}, {facts['file_system']}; objects of {options.size} "
             f"bytes, {PER_STUDY} to a study, {ASSOCIATIONS} associations, load generator on the same machine; C-FIND over one "
             "association. \"The disk alone\": objects of that size appended with one fdatasync per 64, just before.", "",
             "Stored, instances a second (milliseconds of processor time each):", "",
             "| from | to | " + " | ".join(g.server.name for g in growths) + " | the disk alone |",
             "|---|---|---|" + "---|" * len(growths)]
    rates = [{rate["to"]: rate for rate in g.rates} for g in growths]
    for to in rates[0]:
        cells = [f"{r[to]['per_s']:,.0f} ({r[to]['cpu_ms']:.2f})" if to in r else "–" for r in rates]
        lines.append(f"| {to - rates[0][to]['count']:,} | {to:,} | " + " | ".join(cells) + f" | {rates[0][to]['append_per_s']:,.0f} |")
    for size in sorted({size for growth in growths for size in growth.finds}):
        lines += ["", f"{size:,} instances, {size // PER_STUDY:,} studies: p50 (p99) in milliseconds, and answers to a question:", "",
                  "| C-FIND | answers | " + " | ".join(g.server.name for g in growths) + " |", "|---|---|" + "---|" * len(growths)]
        asked = [growth.finds[size] for growth in growths if size in growth.finds]
        for name, ours in asked[0].items():
            cells = []
            answers = {g.server.name: g.finds[size][name]["matches"] for g in growths if name in g.finds.get(size, {})}
            if len({round(count, 1) for count in answers.values()}) > 1 and not name.startswith("name"):
                print(f"not the same answers to {name}: {answers}", file=sys.stderr)
            for growth in growths:
                found = growth.finds.get(size, {}).get(name)
                cells.append(f"{found['p50_ms']:.3g} ({found['p99_ms']:.3g})" if found and not found["failures"] else "–")
            lines.append(f"| {name} | {ours['matches']:,.0f} | " + " | ".join(cells) + " |")
    if after:
        lines += ["", f"Killed while storing at {after['rebuilt']:,}: listening again after {after['restart_s']:.2f} s. Index built "
                  f"anew from the volumes in {after['rebuild_s']:.1f} s: {after['rebuild_per_s']:,.0f} instances a second."]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=1_000_000)
    parser.add_argument("--orthanc", type=int, default=100_000, help="instances; 0: leave it out")
    parser.add_argument("--orthanc-minutes", type=float, default=15)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--folder", default=str(h.BUILD), help="where the archives are made: name a real disk")
    parser.add_argument("--json")
    parser.add_argument("--docs", type=pathlib.Path)
    options = parser.parse_args()
    h.need(h.LOAD)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=options.folder))
    run_id = int(time.time()) * 1000
    growths, after = [], None
    try:
        for kind, last, minutes in ((bench.SagittaServer, options.instances, 600),
                                    (bench.OrthancServer, min(options.orthanc, options.instances), options.orthanc_minutes)):
            if not last or shutil.which(str(kind.needs[0])) is None:
                continue
            server = kind(folder / kind.name)
            try:
                growth = Growth(server, folder, options, run_id)
                growths.append(growth)
                stored = growth.fill(last, time.monotonic() + 60 * minutes)
                if kind is bench.SagittaServer:
                    after = crash_and_rebuild(growth, stored)
            finally:
                server.stop()
        facts = bench.machine(folder)
        text = tables(facts, growths, after, options)
        print(text)
        kept = {"machine": facts, "size": options.size, "after": after,
                "servers": {g.server.name: {"rates": g.rates, "finds": g.finds} for g in growths}}
        if options.json:
            pathlib.Path(options.json).write_text(json.dumps(kept, indent=1) + "\n")
        if options.docs:
            options.docs.mkdir(parents=True, exist_ok=True)
            (options.docs / "archive.md").write_text(text)
            (options.docs / "archive.svg").write_text(archive_chart.drawn(kept["servers"]))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
