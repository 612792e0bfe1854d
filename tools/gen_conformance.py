#!/usr/bin/env python3
"""Writes docs/CONFORMANCE_TABLES.md from the tables the program itself is made of: the storage SOP Classes and transfer
syntaxes of the conformance statement.

    gen_conformance.py [--check] [ROOT]

--check compares instead, exit status 1 when the page is not what it would write.
"""
import csv
import pathlib
import sys


def rows(root, name):
    with open(root / "src/dicom/tables" / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def page(root):
    uids = {row["uid"]: row for row in rows(root, "uids.tsv")}
    storage = rows(root, "storage_sop_classes.tsv")
    syntaxes = [row for row in uids.values() if row["type"] == "Transfer Syntax"]
    lines = ["# Tables of the conformance statement", "",
             "Made by `tools/gen_conformance.py` from `src/dicom/tables`, checked in the test run.", "",
             "## Transfer syntaxes", "",
             "Objects are stored and sent in each of these, and in any other that is proposed for storage, since bytes are kept "
             "as they came.", "",
             "| Transfer Syntax | UID | |", "|---|---|---|"]
    for row in sorted(syntaxes, key=lambda row: [int(part) for part in row["uid"].split(".")]):
        lines.append(f"| {row['name']} | {row['uid']} | {'retired' if row['retired'] == 'Y' else ''} |")
    lines += ["", "## Storage SOP Classes", "",
              f"{len(storage)}, each as SCP, and as SCU (C-MOVE and C-GET sub-operations, `sagitta store`).", "",
              "| SOP Class | UID | |", "|---|---|---|"]
    for row in sorted(storage, key=lambda row: [int(part) for part in row["uid"].split(".")]):
        entry = uids.get(row["uid"], row)
        retired = "retired" if entry.get("retired") == "Y" else ""
        lines.append(f"| {entry.get('name', '')} | {row['uid']} | {retired} |")
    return "\n".join(lines) + "\n"


def main():
    words = [word for word in sys.argv[1:] if word != "--check"]
    root = pathlib.Path(words[0] if words else pathlib.Path(__file__).resolve().parent.parent)
    target = root / "docs/CONFORMANCE_TABLES.md"
    text = page(root)
    if "--check" not in sys.argv[1:]:
        target.write_text(text, encoding="utf-8")
        return 0
    if target.exists() and target.read_text(encoding="utf-8") == text:
        return 0
    print("docs/CONFORMANCE_TABLES.md is not what tools/gen_conformance.py writes: run it")
    return 1


if __name__ == "__main__":
    sys.exit(main())
