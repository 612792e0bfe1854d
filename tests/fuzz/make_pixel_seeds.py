#!/usr/bin/env python3
"""Writes the hand-made seeds of corpus/*_fuzz for codecs and frames (invented pixels)."""
import pathlib
import struct

HERE = pathlib.Path(__file__).parent / "corpus"
SOI, EOI = b"\xff\xd8", b"\xff\xd9"


def rle(*segments):
    """A frame of PS3.5 Annex G."""
    offsets, at = [], 64
    for segment in segments:
        offsets.append(at)
        at += len(segment)
    header = struct.pack("<I", len(segments)) + b"".join(struct.pack("<I", offset) for offset in offsets)
    return header.ljust(64, b"\0") + b"".join(segments)


def marker(code, payload):
    return b"\xff" + bytes([code]) + struct.pack(">H", len(payload) + 2) + payload


def frame_header(sof, precision, rows, columns, components):
    return marker(sof, struct.pack(">BHHB", precision, rows, columns, len(components)) +
                  b"".join(bytes([n + 1, factors, 0]) for n, factors in enumerate(components)))


def huffman(selector, *codes_of_length):
    """Symbols by length, from one bit on."""
    counts = bytes(len(codes) for codes in codes_of_length).ljust(16, b"\0")
    return marker(0xC4, bytes([selector]) + counts + b"".join(bytes(codes) for codes in codes_of_length))


def scan(components, start, end, low, data):
    return marker(0xDA, bytes([len(components)]) + b"".join(bytes([n, 0]) for n in components) +
                  bytes([start, end, low])) + data


def lossless(predictor=1, restart=False, components=(0x11,), precision=8):
    tables = huffman(0, [0], [1], [2], [3, 4])
    interval = marker(0xDD, struct.pack(">H", 8)) if restart else b""
    data = b"\xa5\x3c\x96" * 9 * len(components)
    if restart:
        data = data + b"\xff\xd0" + data + b"\xff\xd1" + data
    ids = range(1, len(components) + 1)
    return SOI + frame_header(0xC3, precision, 8, 8, components) + tables + interval + \
        scan(ids, predictor, 0, 0, data) + EOI


def transformed(sof, precision, components=(0x11,), before=b""):
    quantization = marker(0xDB, b"\0" + bytes(range(1, 65)))
    tables = huffman(0, [0], [7], [5]) + huffman(0x10, [0], [1, 0x12], [0xF0])
    ids = range(1, len(components) + 1)
    return SOI + before + quantization + frame_header(sof, precision, 16, 16, components) + tables + \
        scan(ids, 0, 63, 0, b"\x50\x7a\x31\x00\x55" * 12) + EOI


def element(group, number, vr, value):
    long = vr in (b"OB", b"OW", b"OF", b"OV")
    head = struct.pack("<HH", group, number) + vr
    return head + (b"\0\0" + struct.pack("<I", len(value)) if long else struct.pack("<H", len(value))) + value


def short(number, value):
    return element(0x28, number, b"US", struct.pack("<H", value))


def image(syntax, pixels, rows=2, columns=2, bits=8, frames=2, samples=1, photometric=b"MONOCHROME2 "):
    meta = element(2, 0x10, b"UI", syntax + b"\0" * (len(syntax) % 2))
    data = element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.7\0") + short(2, samples) + \
        element(0x28, 4, b"CS", photometric) + element(0x28, 8, b"IS", str(frames).encode().ljust(2)) + \
        short(0x10, rows) + short(0x11, columns) + short(0x100, bits) + short(0x101, bits) + short(0x102, bits - 1) + \
        short(0x103, 0)
    return b"\0" * 128 + b"DICM" + meta + data + pixels


def items(*values, delimiter=True):
    head = struct.pack("<HH", 0x7FE0, 0x10) + b"OB\0\0\xff\xff\xff\xff"
    end = b"\xfe\xff\xdd\xe0\0\0\0\0" if delimiter else b""
    return head + b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<I", len(value)) + value for value in values) + end


def frames_seeds():
    explicit, uncompressed = b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.1.98"
    four, other = b"\1\2\3\4", b"\5\6\7\0"
    extended = element(0x7FE0, 1, b"OV", struct.pack("<QQ", 0, 12)) + element(0x7FE0, 2, b"OV", struct.pack("<QQ", 4, 3))
    return {
        "native": image(explicit, element(0x7FE0, 0x10, b"OB", four + other)),
        "bits": image(explicit, element(0x7FE0, 0x10, b"OB", b"\x85\x07\x02\0"), 3, 3, 1),
        "short": image(explicit, element(0x7FE0, 0x10, b"OW", four), bits=16),
        "float": image(explicit, element(0x7FE0, 8, b"OF", four * 8), bits=32),
        "chrominance": image(explicit, element(0x7FE0, 0x10, b"OB", four * 4), samples=3, photometric=b"YBR_FULL_422"),
        "no_table": image(uncompressed, items(b"", four, other)),
        "table": image(uncompressed, items(struct.pack("<II", 0, 20), four[:2], four[2:], other)),
        "extended": image(uncompressed, extended + items(b"", four, other)),
        "no_delimiter": image(uncompressed, items(b"", four, other, delimiter=False)),
        "rle": image(b"1.2.840.10008.1.2.5", items(b"", rle(b"\3" + four + b"\x80"), rle(b"\xfd\7"))),
        "jpeg": image(b"1.2.840.10008.1.2.4.70", items(b"", lossless()[:60], lossless()[60:], lossless()), 8, 8),
        "bare_stream": image(b"1.2.840.10008.1.2.4.50", element(0x7FE0, 0x10, b"OB", transformed(0xC0, 8)), 16, 16, frames=1),
    }


def main():
    write("rle_fuzz", {
        "runs": b"\0\3\7" + rle(b"\xfd\1\3\1\2\3\4\x80\xe9\7"), "words": b"\1\1\1" + rle(b"\3\1\2\3\4", b"\xfd\7"),
        "colour": b"\4\1\1" + rle(b"\xfd\1", b"\xfd\2", b"\3\1\2\3\4"), "cut": b"\0\3\7" + rle(b"\7\1\2"),
        "long_words": b"\2\0\1" + rle(b"\1\1\2", b"\xff\1", b"\xff\2", b"\1\7\7"),
    })
    colours = (0x11, 0x11, 0x11)
    write("jpeg_fuzz", {
        **{f"lossless_{n}": b"\0" + lossless(n) for n in range(1, 8)}, "restarts": b"\1" + lossless(4, True),
        "lossless_colour": b"\2" + lossless(1, False, colours), "lossless_words": b"\3" + lossless(1, False, (0x11,), 16),
        "extended": b"\1" + transformed(0xC1, 12), "extended_colour": b"\3" + transformed(0xC1, 12, (0x22, 0x11, 0x11)),
        "baseline": b"\0" + transformed(0xC0, 8), "progressive": b"\0" + transformed(0xC2, 8),
        "baseline_colour": b"\2" + transformed(0xC0, 8, (0x21, 0x11, 0x11), marker(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")),
        "adobe": b"\2" + transformed(0xC0, 8, colours, marker(0xEE, b"Adobe\0\x64\0\0\0\0\0")),
    })
    write("frame_source_fuzz", frames_seeds())


def write(target, files):
    (HERE / target).mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (HERE / target / name).write_bytes(data)


main()
