"""Colour and scale from a drawn 24-patch card under known light, and what is refused."""

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from pasi_vision.photo import CalibrationSettings, calibrate, check_photo
from pasi_vision.photo.card import find_card
from pasi_vision.photo.card_colours import CardEdition
from pasi_vision.records import CalibrationStatus, Photo

# sRGB of cards made from November 2014 on, as their maker publishes them, in reading order.
CARD = np.array([
    (116, 79, 65), (197, 144, 127), (91, 120, 155), (91, 108, 64), (131, 127, 175), (95, 189, 172),
    (224, 124, 48), (69, 90, 167), (197, 80, 95), (93, 58, 104), (156, 187, 58), (227, 161, 39),
    (40, 62, 145), (61, 147, 70), (178, 54, 57), (236, 199, 15), (191, 79, 146), (0, 133, 165),
    (241, 242, 235), (201, 202, 201), (161, 163, 163), (121, 121, 121), (83, 84, 85), (50, 50, 50),
], np.uint8)  # fmt: skip
PITCH = 60  # px of the drawn card, between the middles of its patches
SKIN = (205, 160, 138)
LIGHT = np.array([[0.80, 0.06, 0.02], [0.04, 0.62, 0.03], [0.01, 0.05, 0.45]])  # a warm, dim light on a crude camera


def drawn_card(colours=CARD):
    picture = np.full((4 * PITCH + 20, 6 * PITCH + 20, 3), 18, np.uint8)
    for index, colour in enumerate(colours):
        row, column = divmod(index, 6)
        y, x = 10 + row * PITCH + 3, 10 + column * PITCH + 3
        picture[y : y + PITCH - 6, x : x + PITCH - 6] = colour
    return picture


def linear(pixels):
    values = pixels / 255.0
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def levels(light):
    light = np.clip(light, 0, 1)
    return np.round(255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)).astype(
        np.uint8
    )


def scene(card, *, light=None, angle=0.0, scale=1.0, tilt=0.0, noise=1.0, centre=(700, 500), size=(900, 1300)):
    """A card on skin, turned, tilted and lit; with the place of its patch field's four outer middles."""
    height, width = card.shape[:2]
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    move = np.array([[cosine, -sine, 0], [sine, cosine, 0], [tilt, tilt / 2, 1.0]])
    middle = move @ [width / 2, height / 2, 1]
    move = (
        np.array([[1, 0, centre[0] - middle[0] / middle[2]], [0, 1, centre[1] - middle[1] / middle[2]], [0, 0, 1]])
        @ move
    )
    rng = np.random.default_rng(4)
    skin = (
        np.array(SKIN, np.float32)
        * (1 + 0.02 * cv2.GaussianBlur(rng.normal(0, 1, size).astype(np.float32), (0, 0), 1.5))[..., None]
    )
    picture = skin.astype(np.uint8)
    warped = cv2.warpPerspective(card, move, size[::-1], flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.full(card.shape[:2], 255, np.uint8), move, size[::-1]) > 127
    picture[mask] = warped[mask]
    if light is not None:
        picture = levels(linear(picture) @ light.T)
    noisy = picture + rng.normal(0, noise, picture.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), move


def run(pixels, **settings):
    photo = Photo(pixels, None, "")
    return calibrate(photo, check_photo(photo), None, CalibrationSettings(**settings))


def test_a_known_light_is_undone():
    pixels, _ = scene(drawn_card(), light=LIGHT)
    image = run(pixels)
    calibration = image.calibration
    assert calibration.status is CalibrationStatus.CARD
    assert calibration.residual_before_de2000 > 8
    assert calibration.residual_de2000 < 1.0
    np.testing.assert_allclose(calibration.matrix @ LIGHT, np.eye(3), atol=0.03)
    # The skin, which the fit never saw, comes back to its own colour.
    np.testing.assert_allclose(np.median(image.pixels[50:200, 50:300].reshape(-1, 3), axis=0), SKIN, atol=4)
    assert image.pixels.shape == pixels.shape
    assert image.photo.pixels is pixels


@pytest.mark.parametrize("angle", [0.0, 0.4, np.pi / 2, np.pi, -2.0])
def test_turned_and_tilted_cards_are_read_in_the_right_order(angle):
    pixels, move = scene(drawn_card(), light=LIGHT, angle=angle, scale=0.9, tilt=1e-4)
    calibration = run(pixels).calibration
    assert calibration.status is CalibrationStatus.CARD, calibration.reason
    assert calibration.residual_de2000 < 1.5
    # Corner 1 lies beside "dark skin", then clockwise on the card: bluish green, black, white.
    patches = np.array(
        [[10 + PITCH * x, 10 + PITCH * y, 1] for x, y in ((0.5, 0.5), (5.5, 0.5), (5.5, 3.5), (0.5, 3.5))]
    )
    places = patches @ move.T
    places = places[:, :2] / places[:, 2:]
    assert (np.linalg.norm(calibration.card_corners - places, axis=1) < 1.0 * PITCH).all()


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.6])
def test_scale_comes_from_the_card(scale):
    pixels, _ = scene(drawn_card(), scale=scale)
    calibration = run(pixels, card_pitch_mm=15.0).calibration
    assert calibration.mm_per_px == pytest.approx(15.0 / (PITCH * scale), rel=0.02)
    assert run(pixels).calibration.mm_per_px is None  # the card's size is not known: no scale is made up


def test_an_evenly_wrong_edition_fits_less_well():
    pixels, _ = scene(drawn_card())
    right = run(pixels).calibration
    wrong = run(pixels, card_edition=CardEdition.BEFORE_NOVEMBER_2014).calibration
    assert right.residual_de2000 < 0.7 < wrong.residual_de2000
    assert (right.card_edition, wrong.card_edition) == ("after_november_2014", "before_november_2014")


def uncalibrated(pixels, reason, **settings):
    image = run(pixels, **settings)
    assert image.calibration.status is CalibrationStatus.UNCALIBRATED
    assert reason in image.calibration.reason
    assert image.pixels is image.photo.pixels  # never silently corrected
    np.testing.assert_array_equal(image.calibration.matrix, np.eye(3))
    assert image.calibration.mm_per_px is None


def test_another_24_patch_card_is_not_used():
    others = CARD.copy()
    others[[0, 3, 5, 8, 11, 14]] = [
        (20, 90, 140),
        (200, 60, 60),
        (90, 60, 30),
        (40, 160, 90),
        (60, 50, 140),
        (240, 230, 90),
    ]
    uncalibrated(scene(drawn_card(others))[0], "does not fit")


def test_a_half_covered_card_is_not_used():
    card = drawn_card()
    card[:, 130:] = (60, 110, 50)  # a leaf
    card[:100, 60:200] = (70, 120, 60)
    image = run(scene(card)[0])
    assert image.calibration.status is not CalibrationStatus.CARD
    assert image.pixels is image.photo.pixels


def test_a_cut_off_card_is_not_used():
    image = run(scene(drawn_card(), centre=(700, 830))[0])
    assert image.calibration.status is not CalibrationStatus.CARD
    assert image.pixels is image.photo.pixels


def test_a_burnt_out_card_is_not_used():
    image = run(scene(drawn_card(), light=np.eye(3) * 4.5)[0])
    assert image.calibration.status is not CalibrationStatus.CARD
    assert image.pixels is image.photo.pixels


def test_a_card_in_deep_shadow_is_not_used():
    uncalibrated(scene(drawn_card(), light=np.eye(3) * 0.15, noise=0.3)[0], "brightness")


def test_a_strict_limit_refuses_a_fair_fit():
    pixels = scene(drawn_card(), light=LIGHT)[0]
    gamma = np.round(255 * (pixels / 255.0) ** 1.5).astype(np.uint8)  # a camera's contrast curve: no matrix undoes it
    image = run(gamma, max_residual_de2000=1.0)
    assert image.calibration.status is CalibrationStatus.UNCALIBRATED
    assert image.calibration.residual_de2000 > 1.0


def test_without_a_card_colours_stay_and_it_is_said():
    pixels = scene(np.full((8, 8, 3), SKIN, np.uint8), light=LIGHT)[0]
    image = run(pixels)
    assert image.calibration.status is CalibrationStatus.FALLBACK
    assert "no colour card found" in image.calibration.reason
    assert image.pixels is pixels
    assert image.calibration.residual_de2000 is None
    assert image.calibration.mm_per_px is None


def test_the_card_may_be_left_alone():
    assert run(scene(drawn_card())[0], find_card=False).calibration.status is CalibrationStatus.FALLBACK


def test_the_quick_look_passes_no_card_by():
    """Strong casts and dim light must not make the quick look skip the detector."""
    for gains, scale in (
        ((1.0, 0.7, 0.35), 0.3),
        ((0.45, 0.7, 1.0), 1.0),
        ((0.3, 0.3, 0.3), 0.3),
        ((1.0, 0.75, 0.9), 1.0),
    ):
        pixels, _ = scene(drawn_card(), light=np.diag(gains).astype(float), scale=scale)
        assert find_card(pixels) is not None, (gains, scale)


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (40, 40)])
def test_tiny_pictures_have_no_card(size):
    assert find_card(np.full((*size, 3), 128, np.uint8)) is None


def test_unknown_cards_are_refused():
    with pytest.raises(ValidationError):
        CalibrationSettings(card="spyder")
