"""DICOM files, made by pydicom and, where frames are compressed, by imagecodecs."""

import io

import imagecodecs
import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN, RLE, JPEG, JPEG_LS, JPEG_2000 = (
    UID(f"1.2.840.10008.1.2{end}") for end in ("", ".1", ".1.99", ".2", ".5", ".4.70", ".4.80", ".4.90")
)
JPEG_BASELINE = UID("1.2.840.10008.1.2.4.50")

PALETTE = {"PhotometricInterpretation": "PALETTE COLOR"}
for _name, _colours in (("Red", b"\0\x10\x20\x30"), ("Green", b"abcd"), ("Blue", b"\xff\xfe\xfd\xfc")):
    PALETTE[f"{_name}PaletteColorLookupTableDescriptor"] = [4, 0, 8]
    PALETTE[f"{_name}PaletteColorLookupTableData"] = _colours

_ENCODERS = {
    JPEG: lambda samples: imagecodecs.ljpeg_encode(samples),
    JPEG_LS: lambda samples: imagecodecs.jpegls_encode(samples),
    JPEG_2000: lambda samples: imagecodecs.jpeg2k_encode(samples, codecformat="J2K", reversible=True, level=0),
}


def described(samples, frames, syntax, elements):
    """A data set without pixels, of samples as (height, width, channels)."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = syntax, UID("1.2.840.10008.5.1.4.1.1.7")
    meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    found = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    found.PatientName, found.SOPClassUID, found.SOPInstanceUID = "Nobody", meta.MediaStorageSOPClassUID, UID("1.2.3")
    found.Rows, found.Columns, found.SamplesPerPixel = samples.shape
    found.BitsAllocated = found.BitsStored = 8 * samples.itemsize
    found.HighBit, found.PixelRepresentation = found.BitsStored - 1, int(samples.dtype.kind == "i")
    found.PhotometricInterpretation = "RGB" if samples.shape[2] == 3 else "MONOCHROME2"
    if samples.shape[2] == 3:
        found.PlanarConfiguration = 0
    if frames > 1:
        found.NumberOfFrames = frames
    for keyword, value in elements.items():
        setattr(found, keyword, value)
    return found


def written(dataset):
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def dicom(*frames, syntax=EXPLICIT, **elements):
    """A DICOM file of frames whose samples stand plainly, with further elements by their keywords."""
    found = described(frames[0], len(frames), syntax, elements)
    ordered = [np.moveaxis(one, -1, 0) if elements.get("PlanarConfiguration") else one for one in frames]
    big = syntax == BIG_ENDIAN and frames[0].itemsize > 1
    pixels = b"".join((one.byteswap() if big else one).tobytes() for one in ordered)
    found.PixelData = pixels + bytes(len(pixels) % 2)
    found["PixelData"].VR = "OW" if frames[0].itemsize > 1 else "OB"
    return written(found)


def packed(syntax, *frames, **elements):
    """A DICOM file of frames that are compressed without loss."""
    found = described(frames[0], len(frames), EXPLICIT, elements)
    if syntax == RLE:
        found.PixelData = b"".join(one.tobytes() for one in frames)
        found["PixelData"].VR = "OW"
        found.compress(syntax, generate_instance_uid=False)
        return written(found)
    found.file_meta.TransferSyntaxUID = syntax
    found.PixelData = encapsulate([_ENCODERS[syntax](np.squeeze(one)) for one in frames])
    found["PixelData"].VR = "OB"
    found["PixelData"].is_undefined_length = True
    return written(found)
