#!/usr/bin/env python3
"""Makes the C++ tables of src/dicom from the TSV files beside it (facts of PS3.6, PS3.7 and PS3.4)."""
import argparse
import csv
import pathlib

VRS = ("AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV"
       ).split()
SLOT_BITS = 14  # the hash table of data_dictionary.inc: 2^14 slots for some 5,300 tags


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def text(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def tag_pattern(tag):
    digits = tag[1:5] + tag[6:10]
    mask = int("".join("0" if d == "x" else "f" for d in digits), 16)
    value = int("".join("0" if d == "x" else d for d in digits), 16)
    return mask, value


def vr_of(name):
    parts = [part for part in name.split(" or ")]
    if parts[0] not in VRS:
        return "none", "false"
    return parts[0], "true" if len(parts) > 1 else "false"


def entry(row, value):
    vr, ambiguous = vr_of(row["vr"])
    return (f"{{Tag(0x{value:08x}u), Vr::{vr}, {ambiguous}, {'true' if row['retired'] == 'Y' else 'false'}, "
            f"{text(row['vm'])}, {text(row['keyword'])}, {text(row['name'])}}},")


def data_dictionary(tables, out):
    single, repeating = [], []
    for row in rows(tables / "data_dictionary.tsv"):
        mask, value = tag_pattern(row["tag"])
        (single if mask == 0xFFFFFFFF else repeating).append((value, mask, row))
    single.sort(key=lambda item: item[0])

    lines = ["// Made by tools/gen_dictionary.py.", "#pragma once", '#include "dicom/tag.h"', "",
             "namespace sagitta::dicom::tags {"]
    for value, _, row in single:
        if row["keyword"]:
            lines.append(f"inline constexpr Tag {row['keyword']}{{0x{value:08x}u}};")
    lines.append("}  // namespace sagitta::dicom::tags")
    (out / "tags.h").write_text("\n".join(lines) + "\n", encoding="utf-8")

    lines = ["// Made by tools/gen_dictionary.py.", "constexpr DictionaryEntry kEntries[] = {"]
    lines += [entry(row, value) for value, _, row in single]
    lines += ["};", "struct RepeatingEntry { std::uint32_t mask; DictionaryEntry entry; };",
              "constexpr RepeatingEntry kRepeating[] = {"]
    lines += [f"{{0x{mask:08x}u, {entry(row, value)[:-1]}}}," for value, mask, row in repeating]
    lines.append("};")
    slots = [0] * (1 << SLOT_BITS)
    for index, (value, _, _) in enumerate(single):
        slot = ((value * 0x9E3779B1) & 0xFFFFFFFF) >> (32 - SLOT_BITS)
        while slots[slot]:
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = index + 1
    lines.append(f"constexpr unsigned kSlotBits = {SLOT_BITS};")
    lines.append("constexpr std::uint16_t kSlots[] = {" + ",".join(map(str, slots)) + "};")
    by_keyword = sorted((row["keyword"], index) for index, (_, _, row) in enumerate(single) if row["keyword"])
    lines.append("constexpr std::uint16_t kByKeyword[] = {" + ",".join(str(index) for _, index in by_keyword) + "};")
    (out / "data_dictionary.inc").write_text("\n".join(lines) + "\n", encoding="utf-8")


def uid_dictionary(tables, out):
    storage = {row["uid"] for row in rows(tables / "storage_sop_classes.tsv")}
    entries = sorted(rows(tables / "uids.tsv"), key=lambda row: row["uid"])
    lines = ["// Made by tools/gen_dictionary.py.", "constexpr UidEntry kUids[] = {"]
    for row in entries:
        lines.append(f"{{{text(row['uid'])}, {text(row['keyword'])}, {text(row['name'])}, {text(row['type'])}, "
                     f"{'true' if row['retired'] == 'Y' else 'false'}, "
                     f"{'true' if row['uid'] in storage else 'false'}}},")
    lines.append("};")
    (out / "uid_dictionary.inc").write_text("\n".join(lines) + "\n", encoding="utf-8")

    lines = ["// Made by tools/gen_dictionary.py.", "#pragma once", "#include <string_view>", "",
             "namespace sagitta::dicom::uids {"]
    seen = set()
    for row in entries:
        keyword = row["keyword"]
        if keyword and keyword.isidentifier() and keyword not in seen:
            seen.add(keyword)
            lines.append(f"inline constexpr std::string_view {keyword} = {text(row['uid'])};")
    lines.append("}  // namespace sagitta::dicom::uids")
    (out / "uids.h").write_text("\n".join(lines) + "\n", encoding="utf-8")


def transfer_syntaxes(tables, out):
    lines = ["// Made by tools/gen_dictionary.py.", "constexpr TransferSyntax kTransferSyntaxes[] = {"]
    for row in sorted(rows(tables / "transfer_syntaxes.tsv"), key=lambda row: row["uid"]):
        flag = {True: "true", False: "false"}
        lines.append(f"{{{text(row['uid'])}, {text(row['name'])}, {flag[row['vr'] == 'explicit']}, "
                     f"{flag[row['endian'] == 'big']}, {flag[row['dataset_deflated'] == 'Y']}, "
                     f"{flag[row['encapsulated'] == 'Y']}}},")
    lines.append("};")
    (out / "transfer_syntaxes.inc").write_text("\n".join(lines) + "\n", encoding="utf-8")


def private_dictionary(tables, out):
    """Creators in order, each with its run of tags in order; all text in one blob, each string once."""
    by_creator = {}
    for row in rows(tables / "private_dictionary.tsv"):
        group, offset = row["tag"][1:5], row["tag"][8:10]
        # A repeating group ends in 00, which no private group does.
        key = int(group.replace("xx", "00"), 16) << 8 | int(offset, 16)
        by_creator.setdefault(row["creator"], []).append((key, row))
    blob, places = [], {}
    size = 0

    def place(string):
        nonlocal size
        if string not in places:
            places[string] = size
            blob.append(string)
            size += len(string.encode())
        return f"{places[string]},{len(string.encode())}"

    vms = sorted({row["vm"] for tags in by_creator.values() for _, row in tags})
    creators, entries = [], []
    for creator in sorted(by_creator, key=str.encode):
        creators.append(f"{{{place(creator)},{len(entries)}}},")
        for key, row in sorted(by_creator[creator], key=lambda item: item[0]):
            vr, ambiguous = vr_of(row["vr"])
            entries.append(f"{{0x{key:06x},{place(row['name'])},{vms.index(row['vm'])},Vr::{vr},{ambiguous}}},")
    creators.append(f"{{0,0,{len(entries)}}},")
    lines = ["// Made by tools/gen_dictionary.py.",
             "struct PrivateCreator { std::uint32_t at; std::uint8_t size; std::uint16_t first; };",
             "struct PrivateRow { std::uint32_t key; std::uint32_t at; std::uint8_t size; std::uint8_t vm; Vr vr; "
             "bool ambiguous_vr; };",
             "constexpr std::string_view kPrivateVms[] = {" + ",".join(map(text, vms)) + "};",
             "constexpr PrivateCreator kPrivateCreators[] = {", *creators, "};",
             "constexpr PrivateRow kPrivateRows[] = {", *entries, "};",
             "constexpr char kPrivateText[] =", *map(text, blob), ";"]
    (out / "private_dictionary.inc").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    data_dictionary(options.tables, options.out)
    uid_dictionary(options.tables, options.out)
    transfer_syntaxes(options.tables, options.out)
    private_dictionary(options.tables, options.out)


if __name__ == "__main__":
    main()
