"""Stacks a series with pydicom and NumPy alone and compares it with a volume of ours.

    volume_oracle.py VOLUME.npy FILE...     prints what differs; exit status 1 if anything does

The order is by the position along the normal; enhanced images are taken apart by their functional groups.
"""
import json
import pathlib
import sys

import numpy
import pydicom


def group(data_set, frame, name):
    own = data_set.get("PerFrameFunctionalGroupsSequence")
    if own is not None and name in own[frame]:
        return own[frame][name].value[0]
    shared = data_set.get("SharedFunctionalGroupsSequence")
    if shared and name in shared[0]:
        return shared[0][name].value[0]
    return data_set


def slices(path):
    data_set = pydicom.dcmread(path)
    pixels = data_set.pixel_array
    if int(data_set.get("NumberOfFrames", 1)) == 1:
        pixels = pixels.reshape((1,) + pixels.shape)
    for frame, stored in enumerate(pixels):
        rescale = group(data_set, frame, "PixelValueTransformationSequence")
        slope = float(rescale.get("RescaleSlope", 1))
        intercept = float(rescale.get("RescaleIntercept", 0))
        position = numpy.array(group(data_set, frame, "PlanePositionSequence").ImagePositionPatient, float)
        orientation = numpy.array(group(data_set, frame, "PlaneOrientationSequence").ImageOrientationPatient, float)
        if "DoseGridScaling" in data_set:
            slope = float(data_set.DoseGridScaling)
            offsets = [float(offset) for offset in data_set.GridFrameOffsetVector]
            position = position + numpy.cross(orientation[:3], orientation[3:]) * (offsets[frame] - offsets[0])
        spacing = numpy.array(group(data_set, frame, "PixelMeasuresSequence").PixelSpacing, float)
        yield position, orientation, spacing, stored.astype(float) * slope + intercept


def main():
    path = pathlib.Path(sys.argv[1])
    all_slices = [one for name in sys.argv[2:] for one in slices(name)]
    orientation = all_slices[0][1]
    normal = numpy.cross(orientation[:3], orientation[3:])
    all_slices.sort(key=lambda one: one[0] @ normal)
    volume = numpy.load(path)
    about = json.loads(path.with_suffix(".json").read_text())
    theirs = numpy.stack([one[3] for one in all_slices])
    if str(volume.dtype).startswith("float"):
        theirs = theirs.astype(volume.dtype)
    faults = []
    if list(volume.shape) != about["shape"] or volume.dtype.name != about["dtype"]:
        faults.append(f"the JSON says {about['shape']} {about['dtype']}, the array is {volume.shape} {volume.dtype}")
    if volume.shape != theirs.shape:
        faults.append(f"shape {volume.shape}, not {theirs.shape}")
    elif not numpy.array_equal(volume, theirs):
        faults.append(f"{(volume != theirs).sum()} numbers differ, by {abs(volume - theirs).max()}")
    affine = numpy.array(about["affine"])
    for index, (position, _, spacing, _) in enumerate(all_slices):
        if not numpy.allclose(affine @ [0, 0, index, 1], numpy.append(position, 1), atol=0.02):
            faults.append(f"slice {index} lies at {position}, not {affine @ [0, 0, index, 1]}")
            break
    step = all_slices[0][2]
    if not numpy.allclose(affine[:3, 0], orientation[:3] * step[1]):
        faults.append("columns lie otherwise")
    if not numpy.allclose(affine[:3, 1], orientation[3:] * step[0]):
        faults.append("rows lie otherwise")
    print("\n".join(faults) or f"equal: {volume.shape} {volume.dtype}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
