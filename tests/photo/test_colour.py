"""CIEDE2000 and Lab against published values; a colour matrix over a photograph against plain arithmetic."""

import numpy as np
import pytest

from pasi_vision.photo.card_colours import CardEdition, reference_linear
from pasi_vision.photo.colour import apply_matrix, ciede2000, lab_of_linear, linear_of_lab_d50, srgb_to_linear

# Sharma, Wu & Dalal, Color Res Appl 2005;30:21-30, table 1: Lab, Lab, CIEDE2000.
PUBLISHED = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 3.1571, -77.2803), (50.0, 0.0, -82.7485), 2.8615),
    ((50.0, 2.8361, -74.0200), (50.0, 0.0, -82.7485), 3.4412),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0009), 7.1792),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0011), 7.2195),
    ((50.0, -0.0010, 2.4900), (50.0, 0.0009, -2.4900), 4.8045),
    ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((50.0, 2.5, 0.0), (61.0, -5.0, 29.0), 22.8977),
    ((50.0, 2.5, 0.0), (56.0, -27.0, -3.0), 31.9030),
    ((50.0, 2.5, 0.0), (58.0, 24.0, 15.0), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((63.0109, -31.0961, -5.8663), (62.8187, -29.7946, -4.0864), 1.2630),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("first", "second", "expected"), PUBLISHED)
def test_ciede2000_against_the_published_table(first, second, expected):
    assert ciede2000(np.array(first), np.array(second)) == pytest.approx(expected, abs=5e-5)
    assert ciede2000(np.array(second), np.array(first)) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("srgb", "lab"),
    [  # sRGB primaries under D65, as tabulated widely (Lindbloom)
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((255, 255, 255), (100.0, 0.0, 0.0)),
        ((119, 119, 119), (50.03, 0.0, 0.0)),
    ],
)
def test_lab_of_known_colours(srgb, lab):
    np.testing.assert_allclose(lab_of_linear(srgb_to_linear(np.array(srgb) / 255)), lab, atol=0.02)


# The card maker's sRGB values of cards made from November 2014 on, and before (in reading order, cyan left out: out of gamut).
AFTER = [(116, 79, 65), (197, 144, 127), (91, 120, 155), (91, 108, 64), (131, 127, 175), (95, 189, 172)]
BEFORE = [(116, 81, 67), (199, 147, 129), (91, 122, 156), (90, 108, 64), (130, 128, 176), (92, 190, 172)]


@pytest.mark.parametrize(
    ("edition", "expected"), [(CardEdition.AFTER_NOVEMBER_2014, AFTER), (CardEdition.BEFORE_NOVEMBER_2014, BEFORE)]
)
def test_reference_colours_agree_with_the_published_srgb(edition, expected):
    linear = reference_linear(edition)
    assert linear.shape == (24, 3)
    np.testing.assert_allclose(linear[:6], srgb_to_linear(np.array(expected) / 255), atol=0.004)
    greys = linear[18:].mean(axis=1)
    assert (np.diff(greys) < 0).all()


def test_adaptation_keeps_greys_grey():
    linear = linear_of_lab_d50(np.array([[50.0, 0.0, 0.0], [100.0, 0.0, 0.0]]))
    np.testing.assert_allclose(linear, [[0.18419] * 3, [1.0] * 3], atol=2e-4)


def test_a_matrix_over_a_photograph():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (300, 7, 3), dtype=np.uint8)
    matrix = np.array([[1.2, -0.1, 0.0], [0.05, 0.9, 0.02], [-0.02, 0.1, 1.4]])
    linear = np.clip(srgb_to_linear(pixels / 255) @ matrix.T, 0, 1)
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(apply_matrix(pixels, matrix) - srgb * 255).max() < 0.6
    np.testing.assert_array_equal(apply_matrix(pixels, np.eye(3)), pixels)
