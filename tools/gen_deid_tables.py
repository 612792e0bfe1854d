#!/ usr / bin / env python3
"""Makes the C++ tables of src/deid from the TSV files beside it (facts of PS3.15 Annex E and PS3.3)."""
import argparse
import csv
import pathlib

OPTIONS = ("safe_private uids device institution patient full_dates modified_dates descriptors structured_content "
           "graphics").split()
ACTIONS = {"X": "remove", "Z": "empty", "D": "dummy", "U": "uid", "K": "keep", "C": "clean", "hash": "hash",
           "Z/D": "empty_or_dummy", "X/Z": "remove_or_empty", "X/D": "remove_or_dummy",
           "X/Z/D": "remove_empty_or_dummy", "X/Z/U*": "remove_empty_or_uid"}


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def text(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def pattern(tag):
    digits = tag[1:5] + tag[6:10]
    return (int("".join("0" if d == "x" else d for d in digits), 16),
            int("".join("0" if d == "x" else "f" for d in digits), 16))


def bits(options, letter):
    return sum(1 << OPTIONS.index(name) for name, _, value in (o.partition("=") for o in options.split())
               if value == letter)


def table(tables, name, action, array):
    found = sorted((pattern(row["tag"]) + (row,) for row in rows(tables / name)), key=lambda r: r[0])
    yield f"constexpr TableRow {array}[] = {{"
    for value, mask, row in found:
        yield (f"{{Tag(0x{value:08x}u), 0x{mask:08x}u, TableAction::{ACTIONS[row[action]]}, "
               f"{bits(row['options'], 'K')}, {bits(row['options'], 'C')}}},")
    yield "};"


def iods(tables):
    yield "constexpr SopClassIod kIods[] = {"
    found = [(uid, row["number"]) for row in rows(tables / "iods.tsv") for uid in row["sop_classes"].split()]
    for uid, number in sorted(found):
        yield f"{{{text(uid)}, {number}}},"
    yield "};"


def iod_bits(ranges):
    if ranges == "*":
        return (1 << 192) - 1
    mask = 0
    for part in ranges.split():
        first, _, last = part.partition("-")
        for number in range(int(first), int(last or first) + 1):
            mask |= 1 << number
    return mask


def words(mask):
    return ", ".join(f"0x{mask >> shift & (2**64 - 1):x}u" for shift in (0, 64, 128))


def attribute_types(tables):
    yield "constexpr TypeRow kTypes[] = {"
    found = []
    for row in rows(tables / "attribute_types.tsv"):
        tags = [pattern(tag)[0] for tag in row["path"].split(">")]
        parent, tag = tags if len(tags) == 2 else (0, tags[0])
        found.append((tag, parent, int(row["type"]), iod_bits(row["iods"])))
    for tag, parent, kind, mask in sorted(found):
        yield (f"{{Tag(0x{tag:08x}u), Tag(0x{parent:08x}u), AttributeType::type{kind}, "
               f"{{{words(mask)}}}}},")
    yield "};"


def safe_private(tables):
    yield "constexpr SafeRow kSafePrivate[] = {"
    found = []
    for row in rows(tables / "safe_private.tsv"):
        key = int(row["tag"][1:5], 16) << 8 | int(row["tag"][8:10], 16)
        found.append((row["creator"].encode(), key, row["vr"][:2] or "UN"))
    for creator, key, vr in sorted(found):
        yield f"{{{text(creator.decode())}, 0x{key:06x}u, Vr::{vr}}},"
    yield "};"


def identifying(tables):
    yield "constexpr IdentifyingRow kIdentifying[] = {"
    for value, row in sorted((pattern(row["tag"])[0], row["kind"]) for row in rows(tables / "identifying.tsv")):
        yield f"{{Tag(0x{value:08x}u), IdentityKind::{row}}},"
    yield "};"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    lines = ["// Made by tools/gen_deid_tables.py."]
    lines += table(options.tables, "confidentiality_profile.tsv", "basic", "kProfile")
    lines += table(options.tables, "other_attributes.tsv", "action", "kOthers")
    for part in (iods, attribute_types, safe_private, identifying):
        lines += part(options.tables)
    (options.out / "tables.inc").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
