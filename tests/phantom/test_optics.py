"""Skin colour against published colour science and the optics that it cites."""

from __future__ import annotations

import numpy as np
import pytest

from pasi_vision.phantom.optics import (
    blood_absorption,
    ita_of,
    lab_of,
    linear_rgb,
    melanin_for_ita,
    reflectance,
    skin_colour,
)


def test_a_perfect_white_is_white() -> None:
    np.testing.assert_allclose(linear_rgb(np.ones(31)), [1, 1, 1], atol=2e-3)
    np.testing.assert_allclose(lab_of(np.ones(3)), [100, 0, 0], atol=0.02)


def test_lab_of_srgb_primaries() -> None:
    # Published CIE Lab (D65) of sRGB red and blue
    np.testing.assert_allclose(lab_of(np.array([1.0, 0, 0])), [53.24, 80.09, 67.20], atol=0.1)
    np.testing.assert_allclose(lab_of(np.array([0, 0, 1.0])), [32.30, 79.19, -107.86], atol=0.1)


def test_blood_absorbs_as_tabulated() -> None:
    # Prahl: oxyhaemoglobin at 540 nm has 53236 cm-1/M; 150 g/l of 64500 g/mol are 2.326 mmol/l
    at = (540 - 400) // 10
    assert blood_absorption(1.0)[at] == pytest.approx(2.303 * 53236 * 150 / 64500, rel=1e-6)
    # The isosbestic point near 500 nm: saturation changes little there, and a lot at 660 nm (pulse oximetry)
    oxy, deoxy = blood_absorption(1.0), blood_absorption(0.0)
    assert abs(oxy[10] / deoxy[10] - 1) < 0.05
    assert deoxy[26] / oxy[26] > 8


@pytest.mark.parametrize("ita", [60.0, 40.0, 20.0, 0.0, -30.0, -55.0])
def test_melanin_reaches_every_typology_angle(ita: float) -> None:
    melanin = melanin_for_ita(ita, 0.011)
    got = float(ita_of(linear_rgb(reflectance(np.array(melanin), np.array(0.011), 0.7))))
    assert got == pytest.approx(ita, abs=8 if ita == 60 else 0.6)  # the palest skin is limited by its blood


def test_twice_the_blood_moves_redness_as_the_optics_says() -> None:
    """On light skin a two-fold blood difference raises a* by 3-7 and darkens; on dark skin it shows far less."""

    def change(ita: float) -> np.ndarray:
        melanin = np.array(melanin_for_ita(ita, 0.015))
        once, twice = (lab_of(linear_rgb(reflectance(melanin, np.array(b), 0.7))) for b in (0.015, 0.030))
        return np.asarray(twice - once)

    light, dark = change(50.0), change(-50.0)
    assert 3.0 < light[1] < 7.0
    assert light[0] < -3.0
    assert 0.0 < dark[1] < 0.5 * light[1]
    # the picture's table gives the same as the spectra
    melanin = np.float32(melanin_for_ita(50.0, 0.015))
    maps = skin_colour(np.full((2, 2), melanin), np.array([[0.015, 0.030]] * 2, np.float32), 0.7)
    table = lab_of(maps[0, 1]) - lab_of(maps[0, 0])
    np.testing.assert_allclose(table, light, atol=0.15)


def test_venous_blood_is_more_violet() -> None:
    melanin, blood = np.array(0.02), np.array(0.06)
    red, violet = (lab_of(linear_rgb(reflectance(melanin, blood, s))) for s in (0.95, 0.35))
    assert violet[2] < red[2] - 2
    assert violet[0] < red[0]
