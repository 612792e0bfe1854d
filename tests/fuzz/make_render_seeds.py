#!/usr/bin/env python3
"""Writes the hand-made seeds of corpus/render_fuzz: small images with each kind of table (invented values)."""
import pathlib
import struct

HERE = pathlib.Path(__file__).parent / "corpus" / "render_fuzz"
LONG = {b"OB", b"OW", b"SQ", b"OF", b"UN"}


def element(tag, vr, value):
    value += b"\0" * (len(value) % 2) if vr in LONG or vr == b"UI" else b" " * (len(value) % 2)
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr
    return head + (struct.pack("<HI", 0, len(value)) if vr in LONG else struct.pack("<H", len(value))) + value


def us(tag, *numbers):
    return element(tag, b"US", struct.pack(f"<{len(numbers)}H", *numbers))


def words(*numbers):
    return struct.pack(f"<{len(numbers)}H", *numbers)


def item(value):
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(value)) + value


def sequence(tag, *items):
    return element(tag, b"SQ", b"".join(item(one) for one in items))


def table(descriptor, entries):
    return us(0x00283002, *descriptor) + element(0x00283006, b"OW", words(*entries))


def image(bits, signed, photometric, pixels, before=b"", middle=b"", overlays=b"", samples=1, frames=1, groups=b""):
    return (before + us(0x00280002, samples) + element(0x00280004, b"CS", photometric) +
            (us(0x00280006, 0) if samples > 1 else b"") + element(0x00280008, b"IS", str(frames).encode()) +
            us(0x00280010, 4) + us(0x00280011, 4) + us(0x00280100, 8 if bits <= 8 else 16) +
            us(0x00280101, bits) + us(0x00280102, bits - 1) + us(0x00280103, signed) + middle + groups + overlays +
            element(0x7FE00010, b"OW", pixels))


def palette(descriptor, data, segmented=False):
    first = 0x00281221 if segmented else 0x00281201
    return (b"".join(us(0x00281101 + n, *descriptor) for n in range(3)) +
            b"".join(element(first + n, b"OW", data) for n in range(3)))


def overlay(group, allocated, position, data):
    base = group << 16
    return (us(base + 0x10, 4) + us(base + 0x11, 4) + element(base + 0x40, b"CS", b"G") +
            element(base + 0x50, b"SS", struct.pack("<2h", 0, 2)) + us(base + 0x100, allocated) +
            us(base + 0x102, position) + (element(base + 0x3000, b"OW", data) if data else b""))


def main():
    eight = bytes(range(0, 160, 10))
    sixteen = words(*range(0, 4096, 256))
    window = element(0x00281050, b"DS", b"100\\40") + element(0x00281051, b"DS", b"50\\400")
    rescale = element(0x00281052, b"DS", b"-1024") + element(0x00281053, b"DS", b"2")
    exact = element(0x00281056, b"CS", b"SIGMOID")
    frame_voi = sequence(0x00289132, window)
    frame_values = sequence(0x00289145, rescale)
    seeds = {
        "window": (1, image(12, 1, b"MONOCHROME2", sixteen, middle=window + rescale + exact)),
        "monochrome1": (9, image(12, 0, b"MONOCHROME1", sixteen)),
        "modality_lut": (1, image(12, 0, b"MONOCHROME2", sixteen,
                                  middle=sequence(0x00283000, table((4, 65534, 16), (0, 9, 300, 65535))))),
        "voi_lut": (1, image(8, 0, b"MONOCHROME2", eight,
                             middle=sequence(0x00283010, table((4, 10, 8), (0, 9, 30, 255)), table((2, 0, 12), (1, 2))))),
        "palette": (1, image(8, 0, b"PALETTE COLOR", eight, middle=palette((4, 0, 8), bytes((1, 2, 3, 4))))),
        "segments": (1, image(8, 0, b"PALETTE COLOR", eight, middle=palette(
            (12, 0, 16), words(0, 2, 5, 9, 1, 4, 900, 2, 2, 0, 0), True))),
        "supplement": (1, image(12, 0, b"MONOCHROME2", sixteen, before=element(0x00089205, b"CS", b"MIXED"),
                                middle=palette((2, 1000, 16), words(0, 65535)))),
        "overlays": (0x11, image(12, 0, b"MONOCHROME2", sixteen, overlays=overlay(0x6000, 1, 0, b"\x5a\xa5") +
                                 overlay(0x6002, 16, 13, b""))),
        "rgb": (0xB1, image(8, 0, b"RGB", eight * 3, samples=3)),
        "frames": (0xC1, image(8, 0, b"MONOCHROME2", eight * 3, frames=3,
                               groups=sequence(0x52009229, frame_values) +
                               sequence(0x52009230, frame_voi, b"", frame_values))),
        "presentation": (1, image(8, 0, b"MONOCHROME2", eight, overlays=sequence(
            0x20500010, table((3, 0, 10), (0, 1000, 1023))))),
    }
    HERE.mkdir(parents=True, exist_ok=True)
    for name, (choice, data) in seeds.items():
        (HERE / name).write_bytes(bytes([choice]) + data)


if __name__ == "__main__":
    main()
