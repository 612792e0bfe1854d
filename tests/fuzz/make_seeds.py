#!/usr/bin/env python3
"""Writes the hand-made seeds of corpus/data_set_fuzz, values_fuzz and part10_fuzz (invented values only)."""
import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).parent / "corpus"
IMPLICIT, EXPLICIT, BIG, DEFLATED, ENCAPSULATED = range(5)
UNDEFINED = 0xFFFFFFFF
LONG = {b"OB", b"OW", b"SQ", b"UN", b"UT", b"OF", b"UC"}


def element(kind, group, number, vr, value, undefined=False):
    order = ">" if kind == BIG else "<"
    length = UNDEFINED if undefined else len(value)
    head = struct.pack(order + "HH", group, number)
    if kind == IMPLICIT:
        return head + struct.pack("<I", length) + value
    if vr in LONG:
        return head + vr + b"\0\0" + struct.pack(order + "I", length) + value
    return head + vr + struct.pack(order + "H", length) + value


def mark(kind, number, length=0, value=b""):
    return struct.pack((">" if kind == BIG else "<") + "HHI", 0xFFFE, number, length) + value


def item(kind, value, undefined=False):
    if undefined:
        return mark(kind, 0xE000, UNDEFINED) + value + mark(kind, 0xE00D)
    return mark(kind, 0xE000, len(value), value)


def header(kind):
    return (element(kind, 8, 5, b"CS", b"ISO_IR 192") +
            element(kind, 8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.7\0") +
            element(kind, 8, 0x18, b"UI", b"2.25.1234567890\0") + element(kind, 8, 0x60, b"CS", b"OT"))


def patient(kind):
    return (element(kind, 0x10, 0x10, b"PN", "Öffner^Test".encode()) + element(kind, 0x10, 0x20, b"LO", b"P1\\P2 ") +
            element(kind, 0x20, 0x13, b"IS", b"-7"))


def sequences(kind):
    inner = element(kind, 8, 0x1150, b"UI", b"1.2.3\0") + element(kind, 8, 0x1155, b"UI", b"1.2.3.4\0")
    nested = element(kind, 8, 0x1199, b"SQ", item(kind, inner, True) + item(kind, b"") + mark(kind, 0xE0DD), True)
    return (element(kind, 8, 0x1115, b"SQ", item(kind, inner) + item(kind, nested)) +
            element(kind, 8, 0x1140, b"SQ", b"") + element(kind, 8, 0x2112, b"SQ", mark(kind, 0xE0DD), True))


def private(kind):
    return (element(kind, 9, 0x10, b"LO", b"SAGITTA TEST") + element(kind, 9, 0x1001, b"UN", b"\1\2\3\4") +
            element(kind, 9, 0x1002, b"UN", mark(IMPLICIT, 0xE000, 10) + element(IMPLICIT, 9, 0x1003, b"LO", b"x ") +
                    mark(IMPLICIT, 0xE0DD), True))


def pixels(kind):
    order = ">" if kind == BIG else "<"
    return (element(kind, 0x28, 0x10, b"US", struct.pack(order + "H", 2)) +
            element(kind, 0x28, 0x11, b"US", struct.pack(order + "H", 3)) +
            element(kind, 0x28, 9, b"AT", struct.pack(order + "HH", 0x18, 0x1063)) +
            element(kind, 0x7FE0, 0x10, b"OW", struct.pack(order + "6H", 1, 2, 3, 4, 5, 65535)))


def fragments(kind):
    return element(kind, 0x7FE0, 0x10, b"OB", item(kind, struct.pack("<I", 0)) + item(kind, b"\xff\xd8\xff\xd9") +
                   item(kind, b"") + mark(kind, 0xE0DD), True)


def typed(kind):
    """A value of nearly every type, at the top and in an item; a LUT, a waveform and a private block."""
    times = (element(kind, 8, 0x20, b"DA", b"20240101-20240103 ") + element(kind, 8, 0x2A, b"DT", b"202402+0100 ") +
             element(kind, 8, 0x30, b"TM", b"10:30:15"))
    numbers = (element(kind, 0x18, 0x50, b"DS", b"2.50\\-1e3 ") + element(kind, 0x20, 0x13, b"IS", b"+7") +
               element(kind, 0x28, 0x103, b"US", b"\1\0") + element(kind, 0x28, 0x120, b"US", b"\0\x80"))
    table = (element(kind, 0x28, 0x3002, b"US", struct.pack("<3H", 1, 0, 16)) +
             element(kind, 0x28, 0x3006, b"US", struct.pack("<H", 1)))
    block = element(kind, 0x29, 0x11, b"LO", b"SIEMENS CSA HEADER") + element(kind, 0x29, 0x1108, b"CS", b"IMAGE NUM 4 ")
    wave = element(kind, 0x5400, 0x1004, b"US", b"\x08\0") + element(kind, 0x5400, 0x1010, b"OB", b"\1\2")
    name = element(kind, 0x10, 0x10, b"PN", b"Yamada^Tarou=^b=c ")
    placed = (element(kind, 0x20, 0xE, b"UI", b"1.2\0") + element(kind, 0x20, 0x32, b"DS", b"1\\2\\3 ") +
              element(kind, 0x20, 0x37, b"DS", b"1\\0\\0\\0\\1\\0 "))
    return (element(kind, 8, 0x18, b"UI", b"1.3\0") + times + name + placed + numbers + block +
            element(kind, 0x28, 0x3010, b"SQ", item(kind, table)) + element(kind, 0x40, 0x275, b"SQ", item(kind, times + name)) +
            element(kind, 0x5400, 0x100, b"SQ", item(kind, wave)))


def deflate(data):
    machine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return machine.compress(data) + machine.flush()


def main():
    seeds = {}
    for kind in (IMPLICIT, EXPLICIT, BIG):
        seeds[f"plain_{kind}"] = (kind, header(kind) + patient(kind) + pixels(kind))
        seeds[f"sequences_{kind}"] = (kind, header(kind) + private(kind) + sequences(kind))
    whole = header(EXPLICIT) + sequences(EXPLICIT) + patient(EXPLICIT) + pixels(EXPLICIT)
    seeds["deflated"] = (DEFLATED, deflate(whole))
    seeds["deflated_padded"] = (DEFLATED, deflate(whole[:400]) + b"\0")
    seeds["encapsulated"] = (ENCAPSULATED, header(EXPLICIT) + fragments(EXPLICIT))
    seeds["lenient_cut"] = (EXPLICIT | 0x10, whole[:-5])
    seeds["header_only"] = (EXPLICIT | 0x20, whole)
    seeds["length_past_end"] = (EXPLICIT, header(EXPLICIT) + element(EXPLICIT, 0x10, 0x10, b"PN", b"A")[:-1])
    seeds["unterminated"] = (EXPLICIT, struct.pack("<HH2sHI", 8, 0x1115, b"SQ", 0, UNDEFINED) * 8)
    write("data_set_fuzz", {name: bytes([kind]) + data for name, (kind, data) in seeds.items()})

    understood = {}
    for kind in (IMPLICIT, EXPLICIT):
        understood[f"typed_{kind}"] = bytes([kind]) + typed(kind)
        understood[f"sequences_{kind}"] = bytes([kind | 6]) + header(kind) + private(kind) + sequences(kind)
    write("values_fuzz", understood)

    syntaxes = {EXPLICIT: b"1.2.840.10008.1.2.1\0", IMPLICIT: b"1.2.840.10008.1.2\0", BIG: b"1.2.840.10008.1.2.2\0",
                DEFLATED: b"1.2.840.10008.1.2.1.99", ENCAPSULATED: b"1.2.840.10008.1.2.4.70"}
    files = {}
    for name, (kind, data) in seeds.items():
        meta = (element(EXPLICIT, 2, 1, b"OB", b"\0\1") + element(EXPLICIT, 2, 2, b"UI", b"1.2.840.10008.5.1.4.1.1.7\0") +
                element(EXPLICIT, 2, 3, b"UI", b"2.25.1234567890\0") +
                element(EXPLICIT, 2, 0x10, b"UI", syntaxes[kind & 15]) + element(EXPLICIT, 2, 0x12, b"UI", b"2.25.1\0\0"))
        group = element(EXPLICIT, 2, 0, b"UL", struct.pack("<I", len(meta)))
        files[name] = b"\0" * 128 + b"DICM" + group + meta + data
    files["no_preamble"] = header(IMPLICIT) + patient(IMPLICIT)
    files["no_group_length"] = b"\0" * 128 + b"DICM" + meta + header(EXPLICIT)
    files["preamble_only"] = b"\0" * 128 + b"DICM"
    write("part10_fuzz", files)


def write(target, files):
    (HERE / target).mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (HERE / target / name).write_bytes(data)


main()
