"""Nothing that names a person or a place leaves with a photograph."""

import io

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from pasi_vision.photo import read_photo, strip_metadata

SECRETS = ["Jane", "SN-4711", "UNIQUE99", "1981", "Clinic", "Berlin", "CANARY"]


@pytest.fixture
def telling(corners, icc_profile):
    """A JPEG that carries about everything a JPEG can tell."""
    exif = Image.Exif()
    exif.update(
        {
            0x010F: "Maker",
            0x0110: "Phone 9",
            0x0131: "Software of Jane",
            0x013B: "Jane Doe",
            0x8298: "(c) Clinic Berlin",
        }
    )
    exif.update({0x0132: "1981:02:03 04:05:06", 0x010E: "Jane, Clinic", 0x9C9D: "Jane".encode("utf-16-le")})
    details = exif.get_ifd(0x8769)
    details.update({0x829A: 1 / 125, 0x829D: 2.8, 0x8827: 200, 0x920A: 26.0, 0x9209: 16, 0xA405: 50})
    details.update(
        {0x9003: "1981:02:03 04:05:06", 0xA430: "Jane Doe", 0xA431: "SN-4711", 0xA435: "SN-4711", 0xA420: "UNIQUE99"}
    )
    details.update({0x927C: b"CANARY maker note", 0x9286: b"ASCII\0\0\0Jane's arm"})
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 36.0), 29: "1981:02:03"})
    stream = io.BytesIO()
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><dc:creator>Jane CANARY</dc:creator></x:xmpmeta>"
    Image.fromarray(corners).save(
        stream, "JPEG", quality=95, exif=exif, xmp=xmp, comment=b"CANARY comment", icc_profile=icc_profile("srgb")
    )
    data = stream.getvalue()
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0e\x1c\x02\x50\0\x08Jane Doe\0"
    block = b"\xff\xed" + (len(iptc) + 2).to_bytes(2, "big") + iptc
    return data[:2] + block + data[2:] + b"CANARY trailer"


def test_only_how_the_picture_was_taken_is_kept(telling):
    assert b"Jane" in telling
    metadata = read_photo(telling).metadata
    assert metadata == {
        "camera_make": "Maker",
        "camera_model": "Phone 9",
        "exposure_time_s": "0.008",
        "f_number": "2.8",
        "iso": "200",
        "flash": "16",
        "focal_length_mm": "26",
        "focal_length_35mm": "50",
    }


@pytest.mark.parametrize("lossless", [False, True])
def test_the_copy_carries_pixels_and_nothing_else(telling, lossless):
    photo = read_photo(telling)
    copy = strip_metadata(photo, lossless=lossless)
    for secret in SECRETS:
        assert secret.encode() not in copy
    with Image.open(io.BytesIO(copy)) as image:
        assert not dict(image.getexif())
        assert not set(image.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    again = read_photo(copy)
    assert again.metadata == {}
    if lossless:
        np.testing.assert_array_equal(again.pixels, photo.pixels)
    else:
        assert np.abs(again.pixels.astype(int) - photo.pixels).mean() < 1.0


def test_the_copy_holds_only_known_jpeg_segments(telling):
    copy = strip_metadata(read_photo(telling))
    place, found = 2, set()
    while copy[place + 1] != 0xDA:
        found.add(copy[place + 1])
        place += 2 + int.from_bytes(copy[place + 2 : place + 4], "big")
    # APP0 (JFIF), quantisation, frame, Huffman tables: no APP1 (EXIF, XMP), APP2 (ICC), APP13 (IPTC), COM
    assert found <= {0xE0, 0xDB, 0xC0, 0xC4}
    assert copy.endswith(b"\xff\xd9")


def test_the_copy_is_upright(corners, encode):
    exif = Image.Exif()
    exif[0x0112] = 6
    copy = strip_metadata(read_photo(encode(corners, "PNG", exif=exif)), lossless=True)
    with Image.open(io.BytesIO(copy)) as image:
        np.testing.assert_array_equal(np.asarray(image), np.rot90(corners, -1))


def test_text_chunks_of_png_are_not_kept(corners, encode):
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("Author", "Jane Doe")
    photo = read_photo(encode(corners, "PNG", pnginfo=chunks))
    assert photo.metadata == {}
    assert b"Jane" not in strip_metadata(photo, lossless=True)


def test_free_text_where_a_number_belongs_is_not_kept(corners, encode):
    exif = Image.Exif()
    exif[0x0110] = "line\nbreak"
    exif.get_ifd(0x8769)[0xA434] = "Lens of Jane"
    exif[0x8827] = "Jane"  # ISO
    assert read_photo(encode(corners, "PNG", exif=exif)).metadata == {}
