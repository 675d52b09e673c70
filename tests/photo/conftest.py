"""Pictures and colour profiles that the photo tests make themselves, from published numbers."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
WHITE_D65, WHITE_D50 = np.array([0.95047, 1.0, 1.08883]), np.array([0.96422, 1.0, 0.82521])
PRIMARIES = {  # x, y of red, green, blue
    "srgb": ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),  # IEC 61966-2-1
    "display_p3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),  # SMPTE EG 432-1 primaries, D65
    "adobe_rgb": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),  # Adobe RGB (1998)
}


def xyz_of_rgb(space):
    """Linear RGB -> XYZ (D65) of a space, from its primaries."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in PRIMARIES[space]]).T
    return columns * np.linalg.solve(columns, WHITE_D65)


def decode(space, values):
    values = np.asarray(values, float)
    if space == "adobe_rgb":
        return values ** (563 / 256)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def expected_srgb(space, level):
    """8-bit sRGB of an 8-bit colour in another space, from the published definitions."""
    linear = np.linalg.solve(xyz_of_rgb("srgb"), xyz_of_rgb(space) @ decode(space, np.array(level) / 255))
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055) * 255


def icc_profile(space):
    """A version 2 matrix profile (ICC.1:2001-04) of one of the spaces."""
    gain = (BRADFORD @ WHITE_D50) / (BRADFORD @ WHITE_D65)
    colorants = np.linalg.inv(BRADFORD) @ np.diag(gain) @ BRADFORD @ xyz_of_rgb(space)
    fixed = lambda v: struct.pack(">i", round(v * 65536))  # noqa: E731
    xyz = lambda v: b"XYZ \0\0\0\0" + b"".join(map(fixed, v))  # noqa: E731
    curve = np.round(decode(space, np.linspace(0, 1, 256)) * 65535).astype(">u2").tobytes()
    curve = b"curv\0\0\0\0" + struct.pack(">I", 256) + curve
    name = f"test {space}".encode()
    text = b"desc\0\0\0\0" + struct.pack(">I", len(name) + 1) + name + b"\0" + bytes(78)
    tags = {b"desc": text, b"cprt": b"text\0\0\0\0none\0", b"wtpt": xyz(WHITE_D50)}
    tags |= {b"rXYZ": xyz(colorants[:, 0]), b"gXYZ": xyz(colorants[:, 1]), b"bXYZ": xyz(colorants[:, 2])}
    tags |= {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for key, value in tags.items():
        shared = key in (b"gTRC", b"bTRC")
        table += key + struct.pack(">II", start + len(body) - (len(value) if shared else 0), len(value))
        body += b"" if shared else value + bytes(-len(value) % 4)
    size = start + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + b"".join(map(fixed, WHITE_D50))
    return header + bytes(128 - len(header)) + struct.pack(">I", len(tags)) + table + body


def encode(pixels, kind="PNG", **options):
    """Pixels (or a Pillow image) as the bytes of a file."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture(name="encode")
def _encode():
    return encode


@pytest.fixture(name="icc_profile")
def _icc_profile():
    return icc_profile


@pytest.fixture(name="expected_srgb")
def _expected_srgb():
    return expected_srgb


@pytest.fixture
def corners():
    """24 x 32 pixels whose four quarters are red, green, blue and white, clockwise from the upper left."""
    pixels = np.zeros((24, 32, 3), np.uint8)
    pixels[:12, :16], pixels[:12, 16:], pixels[12:, 16:], pixels[12:, :16] = (
        (200, 30, 30), (30, 180, 30), (30, 30, 200), (240, 240, 240),
    )  # fmt: skip
    return pixels
