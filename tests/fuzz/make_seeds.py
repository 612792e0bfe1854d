#!/usr/bin/env python3
"""Writes the hand-made seeds of corpus/*_fuzz for data sets, values, files, edits, JSON and DICOMDIRs (invented values)."""
import json
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


def edits(whole):
    lines = {
        "plain": ["sPatientID=4711", "sPatientName=J\u00e4ger^Eva", "dInstanceNumber", "s(0010,1010)=045Y"],
        "nested": ["sReferencedSeriesSequence[1].(0008,1199)[0].ReferencedSOPInstanceUID=1.2.5",
                   "sReferencedSeriesSequence[+].SeriesInstanceUID=1.9", "iReferencedSeriesSequence[0]",
                   "dReferencedSeriesSequence[*].ReferencedSOPClassUID", "d00081115[7]"],
        "private": ['s(0009,"SAGITTA TEST",05):US=5\\6', 's(0011,"A.B=C",01)[0].(0013,"\\"X",02):LO=y',
                    'd(0009,"SAGITTA TEST",01)', 's(0009,"SAGITTA TEST",02)[0].Modality=CT'],
        "character_sets": ["sSpecificCharacterSet=\\ISO 2022 IR 87", "sPatientName=Yamada=\u5c71\u7530",
                           "sReferencedSeriesSequence[0].SpecificCharacterSet=ISO_IR 144",
                           "sReferencedSeriesSequence[0].SeriesDescription=\u041b"],
        "values": ["sRows=65536", "sPixelData=hex:00ff", "sSelectorFDValue=1e300\\-0", "sFrameIncrementPointer=Rows",
                   "sPixelRepresentation=1", "sSmallestImagePixelValue=-5", "sReferencedSeriesSequence="],
    }
    return {name: "".join(line + "\n" for line in edits).encode() + b"\n" + whole for name, edits in lines.items()}


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
    write("edit_fuzz", edits(whole))
    write("deid_fuzz", deid_seeds())
    write("json_fuzz", json_seeds())
    write("dicomdir_fuzz", dicomdir_seeds())


def deid_seeds():
    name, number = b"Zwyxqvogel", b"PLNT773155"

    def planted(kind):
        inner = element(kind, 0x10, 0x10, b"PN", name + b"^Quetzaltan ") + element(kind, 0x20, 0x4000, b"LT", b"of " + name + b" ")
        deep = element(kind, 8, 0x1140, b"SQ", item(kind, inner, True), True)
        private_block = (element(kind, 0x43, 0x10, b"LO", b"GEMS_PARM_01") + element(kind, 0x43, 0x1027, b"SH", b"1.5 Zwyx") +
                         element(kind, 0x43, 0x1030, b"UN", number))
        return (element(kind, 8, 0x20, b"DA", b"20240301") + element(kind, 8, 0x1030, b"LO", b"Knee " + name + b" ") +
                deep + element(kind, 0x10, 0x4000, b"LT", number + b" born 1.2.1950") + element(kind, 0x18, 0x24, b"SH", name) +
                element(kind, 0x20, 0x13, b"IS", b"77315500") + private_block +
                element(kind, 0x40, 0xA730, b"SQ", item(kind, element(kind, 0x40, 0xA160, b"UT", b"Dr. " + name))) +
                element(kind, 0x6000, 0x4000, b"LT", name) + element(kind, 0x7FE0, 0x10, b"OW", bytes(64)))

    seeds = {f"{label}_{kind_of}": bytes([flag | kind_of]) + planted(kind)
             for label, kind, flag in (("explicit", EXPLICIT, 0), ("implicit", IMPLICIT, 4)) for kind_of in range(4)}
    swapped = element(EXPLICIT, 0x20, 0x4000, b"LT", name) + element(EXPLICIT, 8, 0x1030, b"LO", name)
    return {**seeds, "out_of_order": bytes([1]) + swapped, "twice": bytes([1]) + swapped + swapped}


def attribute(vr, *values):
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}


def json_seeds():
    patient = {
        "00080005": attribute("CS", "ISO_IR 192"), "00080018": attribute("UI", "2.25.1234567890"),
        "00080050": attribute("SH"), "00080008": attribute("CS", "ORIGINAL", "PRIMARY", None, "AXIAL"),
        "00100010": attribute("PN", {"Alphabetic": "Öffner^Test", "Ideographic": "試験", "Phonetic": "しけん"}, None, {}),
        "00104000": attribute("LT", " a\\b\r\nc "), "0040A160": attribute("UT", "\u001b$B"),
    }
    numbers = {
        "00180050": attribute("DS", 1.5, "+02.50", -0.0, 1e-7, 0.12345678901234567), "00200013": attribute("IS", -7, "08"),
        "00280009": attribute("AT", "00181063", "0018106A"), "00280010": attribute("US", 0, 65535),
        "00280106": attribute("SS", -32768), "00089459": attribute("FL", 0.1, "nan"), "00189074": attribute("FD", 5e-324, "-inf"),
        "00291001": attribute("UV", "18446744073709551615"), "00291002": attribute("SV", -9223372036854775808),
        "00291003": attribute("UL", 4294967295), "00291004": attribute("SL", -2147483648),
    }
    nested = {"00081140": attribute("SQ", {}, {"00081155": attribute("UI", "1.2.3"), "00081199": attribute("SQ", {"00080005": attribute("CS")})}, None)}
    binary = {"00091001": {"vr": "UN", "InlineBinary": "AQID"}, "7FE00010": {"InlineBinary": "AQIDBA==", "vr": "OW"}}
    fragments = {"7FE00010": {"vr": "OB", "InlineBinary": "/v8A4AAAAAD+/wDgAgAAAP/Y"}}
    bulk = {"00281201": {"vr": "OW", "BulkDataURI": "bulk/1234"}, "0040A160": {"vr": "UT", "BulkDataURI": "text"}}
    meta = {"00020010": attribute("UI", "1.2.840.10008.1.2.1"), "00020000": attribute("UL", 26)}
    models = {"patient": (0, patient), "numbers": (0, numbers), "nested": (0, nested), "binary": (0, binary),
              "fragments": (1, fragments), "not_encapsulated": (0, fragments), "bulk": (2, bulk), "no_source": (0, bulk),
              "meta": (0, {**meta, **patient}), "list": (0, [patient, {}, numbers]), "pretty": (0, {**nested, **patient})}
    seeds = {name: bytes([kind]) + json.dumps(model, ensure_ascii=False, indent=2 if name == "pretty" else None).encode()
             for name, (kind, model) in models.items()}
    seeds["deep"] = b"\0" + b'{"00081199":{"vr":"SQ","Value":[' * 40
    seeds["brackets"] = b"\0" + b"[" * 64
    seeds["twice"] = b"\0" + b'{"00080060":{"vr":"CS"},"00080060":{"vr":"CS"}}'
    seeds["cut"] = seeds["patient"][:-20]
    seeds["not_utf8"] = b'\0{"00100020":{"vr":"LO","Value":["\xff"]}}'
    return seeds


def directory(links, kinds, in_use=()):
    """A DICOMDIR of empty records; `links`: (next, lower) of each as numbers of records from 1, or offsets beyond."""
    size = 8 + 12 + 10 + 12 + 24
    uid = b"1.2.840.10008.1.3.10"
    meta = element(EXPLICIT, 2, 2, b"UI", uid) + element(EXPLICIT, 2, 3, b"UI", b"2.25.1") + \
        element(EXPLICIT, 2, 0x10, b"UI", b"1.2.840.10008.1.2.1\0")
    front = element(EXPLICIT, 4, 0x1130, b"CS", b"")
    base = 132 + len(meta) + len(front) + 12 + 12 + 10 + 12

    def offset(record):
        return 0 if record == 0 else base + (record - 1) * size if record < 1000 else record

    items = b""
    for number, ((following, lower), kind) in enumerate(zip(links, kinds)):
        flag = struct.pack("<H", 0 if number in in_use else 0xFFFF)
        items += item(EXPLICIT, element(EXPLICIT, 4, 0x1400, b"UL", struct.pack("<I", offset(following))) +
                      element(EXPLICIT, 4, 0x1410, b"US", flag) +
                      element(EXPLICIT, 4, 0x1420, b"UL", struct.pack("<I", offset(lower))) +
                      element(EXPLICIT, 4, 0x1430, b"CS", kind.ljust(16)))
    root = struct.pack("<I", offset(1))
    return b"\0" * 128 + b"DICM" + meta + front + element(EXPLICIT, 4, 0x1200, b"UL", root) + \
        element(EXPLICIT, 4, 0x1202, b"UL", root) + element(EXPLICIT, 4, 0x1212, b"US", b"\0\0") + \
        element(EXPLICIT, 4, 0x1220, b"SQ", items)


def dicomdir_seeds():
    kinds = [b"PATIENT", b"STUDY", b"SERIES", b"IMAGE", b"IMAGE"]
    tree = [(0, 2), (0, 3), (0, 4), (5, 0), (0, 0)]
    seeds = {"tree": directory(tree, kinds), "circle": directory([(0, 2), (0, 3), (0, 1), (5, 0), (4, 0)], kinds),
             "own_sibling": directory([(1, 2), (0, 3), (0, 4), (5, 0), (5, 5)], kinds),
             "dangling": directory([(0, 2), (0, 9000), (70000, 4), (5, 0), (0, 0)], kinds),
             "never_set": directory([(0, 0)] * 5, kinds), "out_of_use": directory(tree, kinds, {2}),
             "backwards": directory([(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)], kinds[::-1])}
    return {name: b"\1" + data for name, data in seeds.items()} | {"strict": b"\0" + seeds["tree"]}


def write(target, files):
    (HERE / target).mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (HERE / target / name).write_bytes(data)


main()
