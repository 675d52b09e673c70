"""The decoder: orientation, colour, depth, transparency, damage, limits."""

import hashlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pasi_vision.errors import PhotoError
from pasi_vision.photo import ReadLimits, read_photo

RED, GREEN, BLUE, WHITE = (200, 30, 30), (30, 180, 30), (30, 30, 200), (240, 240, 240)
# The colours at upper left, upper right, lower right, lower left once a file stored as `corners` with this orientation is upright
# (EXIF 2.32, tag 274: which side of the stored picture is the visual top).
UPRIGHT = {
    1: (RED, GREEN, BLUE, WHITE),
    2: (GREEN, RED, WHITE, BLUE),
    3: (BLUE, WHITE, RED, GREEN),
    4: (WHITE, BLUE, GREEN, RED),
    5: (RED, WHITE, BLUE, GREEN),
    6: (WHITE, RED, GREEN, BLUE),
    7: (BLUE, GREEN, RED, WHITE),
    8: (GREEN, BLUE, WHITE, RED),
}


def seen(pixels):
    """Colours at the middle of the four quarters, clockwise from the upper left."""
    h, w = pixels.shape[:2]
    places = ((h // 4, w // 4), (h // 4, 3 * w // 4), (3 * h // 4, 3 * w // 4), (3 * h // 4, w // 4))
    return np.array([pixels[place] for place in places], int)


def exif(orientation, **more):
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags.update(more)
    return tags


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_applied_once(corners, encode, kind, orientation):
    options = {"JPEG": {"quality": 98, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    photo = read_photo(encode(corners, kind, exif=exif(orientation), **options))
    assert photo.pixels.shape == ((32, 24, 3) if orientation >= 5 else (24, 32, 3))
    assert photo.pixels.flags.c_contiguous
    np.testing.assert_allclose(seen(photo.pixels), UPRIGHT[orientation], atol=4)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_taken_as_upright(corners, encode, orientation):
    photo = read_photo(encode(corners, "PNG", exif=exif(orientation)))
    np.testing.assert_array_equal(photo.pixels, corners)


def test_heic_is_turned_once_and_converted():
    # Stored as `corners` with orientation 6 and a Display P3 profile: tests/photo/data/README.md.
    photo = read_photo(Path(__file__).parent / "data" / "turned_p3.heic")
    assert photo.pixels.shape == (64, 48, 3)
    # Display P3 -> sRGB: red (200, 30, 30) is (218, 0, 6), green (30, 180, 30) (0, 183, 0), blue and white as good as unchanged.
    np.testing.assert_allclose(seen(photo.pixels), [WHITE, (218, 0, 6), (0, 183, 0), (29, 30, 208)], atol=4)
    assert photo.metadata == {"camera_make": "Phone", "camera_model": "Phone 9"}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("space", ["display_p3", "adobe_rgb"])
def test_embedded_profiles_become_srgb(encode, icc_profile, expected_srgb, kind, space):
    colours = [(180, 120, 100), (120, 80, 60), (220, 180, 160), (150, 60, 60), (128, 128, 128), (60, 40, 30)]
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    for colour in colours:
        flat = np.full((16, 16, 3), colour, np.uint8)
        photo = read_photo(encode(flat, kind, icc_profile=icc_profile(space), **options))
        np.testing.assert_allclose(photo.pixels[8, 8], expected_srgb(space, colour), atol=2)
        assert f"converted from test {space}" in photo.notes


def test_an_srgb_profile_changes_nothing(corners, encode, icc_profile):
    photo = read_photo(encode(corners, "PNG", icc_profile=icc_profile("srgb")))
    np.testing.assert_array_equal(photo.pixels, corners)
    assert photo.notes == ()


def test_a_broken_profile_is_said_and_the_photograph_is_read(corners, encode):
    photo = read_photo(encode(corners, "PNG", icc_profile=b"no profile" * 20))
    np.testing.assert_array_equal(photo.pixels, corners)
    assert "taken as sRGB" in photo.notes[0]


def test_adobe_rgb_that_is_only_marked_in_exif(encode, expected_srgb):
    tags = exif(1)
    tags.get_ifd(0x8769)[0xA001] = 0xFFFF
    tags.get_ifd(0x8769)[0xA005] = {1: "R03\0"}
    flat = np.full((16, 16, 3), (150, 60, 60), np.uint8)
    photo = read_photo(encode(flat, "JPEG", quality=100, subsampling=0, exif=tags))
    np.testing.assert_allclose(photo.pixels[8, 8], expected_srgb("adobe_rgb", (150, 60, 60)), atol=2)


def test_grey_palette_and_one_bit(encode):
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for picture in (Image.fromarray(ramp), Image.fromarray(ramp).convert("P")):
        photo = read_photo(encode(picture))
        np.testing.assert_array_equal(photo.pixels, np.repeat(ramp[..., None], 3, axis=2))
    bits = Image.fromarray(ramp > 127)
    assert set(np.unique(read_photo(encode(bits)).pixels)) == {0, 255}
    photo = read_photo(encode(Image.fromarray(ramp), "JPEG", quality=100))
    np.testing.assert_allclose(photo.pixels[..., 1], ramp, atol=3)


def png16(values):
    """A 16-bit PNG (grey or RGB) written by hand: Pillow cannot write 16-bit RGB."""
    height, width = values.shape[:2]
    kind = 2 if values.ndim == 3 else 0
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))  # noqa: E731
    head = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("channels", [(), (3,)])
def test_16_bits_are_reduced_to_8(channels):
    values = np.linspace(0, 65535, 64).round().astype(np.uint16).reshape(8, 8)
    values = np.repeat(values[..., None], 3, axis=2) if channels else values
    photo = read_photo(png16(values))
    exact = values / 257 if channels else np.repeat(values[..., None], 3, axis=2) / 257
    np.testing.assert_allclose(photo.pixels, exact, atol=1)
    assert (photo.pixels.min(), photo.pixels.max(), photo.bit_depth) == (0, 255, 16)


def test_16_bit_grey_tiff(encode):
    values = np.linspace(0, 65535, 64).round().astype(np.uint16).reshape(8, 8)
    photo = read_photo(encode(values, "TIFF"))
    np.testing.assert_allclose(photo.pixels[..., 0], values / 257, atol=0.51)
    assert photo.bit_depth == 16


def test_transparent_parts_are_shown_on_white(encode):
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[..., :3] = (100, 50, 20)
    rgba[:, 1, 3], rgba[:, 2, 3], rgba[:, 3, 3] = 51, 204, 255
    photo = read_photo(encode(rgba))
    # alpha 0.2: 0.2 x colour + 0.8 x 255
    np.testing.assert_array_equal(photo.pixels[0], [[255, 255, 255], [224, 214, 208], [131, 91, 67], [100, 50, 20]])
    assert "transparent parts shown on white" in photo.notes
    opaque = rgba.copy()
    opaque[..., 3] = 255
    assert read_photo(encode(opaque)).notes == ()


def test_cmyk_without_a_profile_is_refused(encode):
    cmyk = Image.new("CMYK", (8, 8), (0, 100, 100, 0))
    with pytest.raises(PhotoError, match="CMYK without a colour profile"):
        read_photo(encode(cmyk, "JPEG"))


def test_one_pixel(encode):
    photo = read_photo(encode(np.array([[[10, 20, 30]]], np.uint8)))
    np.testing.assert_array_equal(photo.pixels, [[[10, 20, 30]]])


def test_the_extension_does_not_matter_and_the_original_stays(tmp_path, corners, encode):
    path = tmp_path / "really_a_png.jpg"
    data = encode(corners)
    path.write_bytes(data)
    photo = read_photo(path)
    np.testing.assert_array_equal(photo.pixels, corners)
    assert photo.source == path
    assert photo.sha256 == hashlib.sha256(data).hexdigest()
    assert path.read_bytes() == data


def textured(side=96):
    return np.random.default_rng(5).integers(0, 256, (side, side, 3), dtype=np.uint8)


def read_or_error(data):
    """Pixels, or the one kind of error that is allowed."""
    try:
        return read_photo(data, ReadLimits(pixels=100_000)).pixels
    except PhotoError as error:
        return error


@pytest.mark.parametrize("kind", ["JPEG", "progressive", "PNG", "TIFF", "WEBP"])
def test_truncated_at_any_place_is_refused(encode, kind):
    options = {"progressive": {"progressive": True}, "TIFF": {"compression": "tiff_lzw"}}.get(kind, {})
    data = encode(textured(), "JPEG" if kind == "progressive" else kind, **options)
    whole = read_photo(data).pixels
    for kept in [0, 1, 7, 12, 40, *np.linspace(100, len(data) - 16, 40).astype(int)]:
        outcome = read_or_error(data[:kept])
        if isinstance(outcome, PhotoError):
            assert outcome.exit_code == 2
            assert str(outcome).startswith("photograph: ")
        else:  # nothing of the picture may be missing (a PNG or TIFF may lose its trailing bookkeeping)
            np.testing.assert_array_equal(outcome, whole)


def test_random_damage_never_escapes_as_another_error(encode):
    rng = np.random.default_rng(11)
    for kind in ("JPEG", "PNG", "TIFF", "WEBP"):
        data = np.frombuffer(encode(textured(48), kind), np.uint8)
        for _ in range(60):
            hurt = data.copy()
            hurt[rng.integers(0, len(hurt), 6)] = rng.integers(0, 256, 6)
            outcome = read_or_error(hurt.tobytes())
            assert not isinstance(outcome, PhotoError) or outcome.fix


def bomb(width, height):
    """A PNG whose header promises far more than its bytes hold."""
    data = bytearray(png16(np.zeros((1, 1), np.uint16)))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (10_000, 9_000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_from_its_header(width, height):
    with pytest.raises(PhotoError, match=r"over the limit|refused") as caught:
        read_photo(bomb(width, height))
    assert caught.value.fix


def test_limits(encode):
    data = encode(textured())
    with pytest.raises(PhotoError, match="96 x 96 is 0 million pixels, over the limit"):
        read_photo(data, ReadLimits(pixels=96 * 96 - 1))
    read_photo(data, ReadLimits(pixels=96 * 96, bytes=len(data)))
    with pytest.raises(PhotoError, match="over the limit"):
        read_photo(data, ReadLimits(bytes=len(data) - 1))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty file"),
        (b"subject_id,visit\n1,1\n", "not a photograph that can be read"),
        (b"%PDF-1.7 ...", "not a photograph that can be read"),
        (b"GIF89a" + bytes(30), "not a photograph that can be read"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "damaged or truncated"),
    ],
)
def test_what_is_not_a_photograph(tmp_path, content, what):
    path = tmp_path / "file.jpg"
    path.write_bytes(content)
    with pytest.raises(PhotoError, match=what) as caught:
        read_photo(path)
    assert caught.value.where == str(path)
    assert caught.value.fix


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(PhotoError, match="file not found"):
        read_photo(tmp_path / "none.jpg")
    with pytest.raises(PhotoError, match="is a folder"):
        read_photo(str(tmp_path))


def test_a_multi_page_file_gives_its_first_page(corners):
    stream = io.BytesIO()
    Image.fromarray(corners).save(stream, "TIFF", save_all=True, append_images=[Image.new("RGB", (5, 5))])
    photo = read_photo(stream.getvalue())
    np.testing.assert_array_equal(photo.pixels, corners)
    assert photo.notes == ("first of several pictures in the file",)


def test_a_phone_jpeg_with_a_second_picture_behind_it_gives_the_first(corners):
    stream = io.BytesIO()
    first = Image.fromarray(corners)
    first.save(stream, "MPO", save_all=True, append_images=[Image.new("RGB", (8, 8), (0, 255, 0))], quality=98)
    photo = read_photo(stream.getvalue())
    np.testing.assert_allclose(seen(photo.pixels), UPRIGHT[1], atol=6)
    assert photo.notes == ()


def test_jpeg_pixels_equal_those_of_pillow(encode):
    data = encode(textured(), "JPEG", quality=85)
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_allclose(read_photo(data).pixels, np.asarray(image), atol=1)
