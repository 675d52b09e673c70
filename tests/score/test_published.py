"""Published examples, the bands at their edges, and what a missing part does to a score."""

from __future__ import annotations

import pytest

from pasi_vision.anatomy import BSA_TABLES, Region
from pasi_vision.errors import InputError, SettingsError
from pasi_vision.records import Finding
from pasi_vision.score import StudySettings, pasi, pasi_tenths
from pasi_vision.score.bands import BandPolicy, area_score
from pasi_vision.score.bsa import area_percent_of_palms, bsa_percent, bsa_percent_of_palms
from pasi_vision.settings import settings_from
from pasi_vision.tables import Status

EXAMPLE = ((15, 2, 1, 2), (15, 2, 1, 2), (20, 2, 2, 2), (20, 3, 2, 2))


def visit(*regions: tuple[float | None, ...], **more: object) -> list[Finding]:
    """Findings of one visit from (area_percent, erythema, induration, scaling) per region."""
    return [
        Finding("s1", "baseline", 1, "r1", 1, region, area, *(None,), e, i, s, **more)  # type: ignore[arg-type]
        for region, (area, e, i, s) in zip(Region, regions, strict=False)
    ]


@pytest.mark.parametrize(
    ("regions", "expected"),
    [(((0, 0, 0, 0),) * 4, 0.0), (((100, 4, 4, 4),) * 4, 72.0), (EXAMPLE, 12.2)],
    ids=["clear", "all maximal", "published"],
)
def test_published_examples(regions: tuple[tuple[float, ...], ...], expected: float) -> None:
    score = pasi(visit(*regions))
    assert (score.pasi, score.pasi_low, score.pasi_high) == (expected, expected, expected)
    assert score.status is Status.SCORED


@pytest.mark.parametrize(
    ("percent", "half_open", "round_half_up", "floor"),
    [
        (0, 0, 0, 0), (0.001, 1, 0, 0), (0.49, 1, 0, 0), (0.5, 1, 1, 0), (0.99, 1, 1, 0), (1, 1, 1, 1),
        (9, 1, 1, 1), (9.49, 1, 1, 1), (9.5, 1, 2, 1), (9.99, 1, 2, 1), (10, 2, 2, 2),
        (29.5, 2, 3, 2), (30, 3, 3, 3), (49.4, 3, 3, 3), (49.5, 3, 4, 3), (50, 4, 4, 4),
        (69.5, 4, 5, 4), (70, 5, 5, 5), (89.5, 5, 6, 5), (90, 6, 6, 6), (100, 6, 6, 6),
    ],
)  # fmt: skip
def test_bands(percent: float, half_open: int, round_half_up: int, floor: int) -> None:
    assert [int(area_score(percent, policy)) for policy in BandPolicy] == [half_open, round_half_up, floor]


def test_tenths_need_every_region_on_its_scale() -> None:
    full = dict.fromkeys(Region, (4, 4, 4, 6))
    assert pasi_tenths(full) == 720
    with pytest.raises(InputError, match="trunk is missing"):
        pasi_tenths({r: v for r, v in full.items() if r is not Region.TRUNK})
    with pytest.raises(InputError, match="off the scale"):
        pasi_tenths({**full, Region.TRUNK: (5, 4, 4, 6)})


def test_a_missing_region_gives_bounds_never_zero() -> None:
    score = pasi(visit(*EXAMPLE[:3]))
    # 0.1 x 5 x 2 + 0.2 x 5 x 2 + 0.3 x 6 x 2 = 6.6; the lower limbs may add 0 to 0.4 x 12 x 6 = 28.8.
    assert (score.pasi, score.pasi_low, score.pasi_high) == (None, 6.6, 35.4)
    assert score.status is Status.PARTIAL
    assert score.reason == "Lower limbs: no finding."
    assert (score.bsa_percent, score.bsa_percent_low, score.bsa_percent_high) == (None, 10.5, 50.5)


def test_nothing_known_is_not_scorable_with_every_reason() -> None:
    score = pasi(visit(*((None,) * 4,) * 4, status=Status.NOT_SCORABLE, reason="no photograph was accepted"))
    assert score.status is Status.NOT_SCORABLE
    assert (score.pasi, score.pasi_low, score.bsa_percent, score.pasi_continuous) == (None,) * 4
    assert score.reason.count("not scorable (no photograph was accepted)") == 4


def test_clear_skin_needs_no_grades() -> None:
    assert pasi(visit(*((0, None, None, None),) * 4)).pasi == 0.0


def test_area_as_score_gives_the_classic_pasi_only() -> None:
    findings = [
        Finding("s1", "baseline", 1, "r1", 1, region, None, 2, e, i, s)
        for region, (_, e, i, s) in zip(Region, EXAMPLE, strict=True)
    ]
    score = pasi(findings)
    assert (score.pasi, score.pasi_continuous, score.bsa_percent) == (12.2, None, None)
    assert "area given as a score" in score.reason
    assert score.bsa_percent_low == 10
    assert score.bsa_percent_high == pytest.approx(30)


def test_area_score_against_its_percentage_is_no_guess() -> None:
    contradicting = [Finding("s1", "v", 1, "r1", 1, region, 20, 3, 1, 1, 1) for region in Region]
    score = pasi(contradicting)
    assert score.pasi is None
    assert (score.pasi_low, score.pasi_high) == (6.0, 9.0)
    assert "contradict" in score.reason


def test_bsa_tables_each_hold_a_whole_body() -> None:
    for table in BSA_TABLES:
        assert float(bsa_percent([100] * 4, table)) == pytest.approx(100)
    assert float(bsa_percent([0, 0, 100, 0], "rule_of_nines")) == 37
    # Livingston & Lee 2000: trunk 50 of the 102 that their figures sum to.
    assert float(bsa_percent([0, 0, 100, 0], "rule_of_nines_obese")) == pytest.approx(5000 / 102)
    # Lund & Browder 1944, adult: thighs 19 + legs 14 + feet 7 + buttocks 5.
    assert float(bsa_percent([0, 0, 0, 100], "measured")) == 45


def test_palms() -> None:
    assert bsa_percent_of_palms(12) == 12
    assert bsa_percent_of_palms(12, 0.8) == 9.6
    assert area_percent_of_palms(1, Region.HEAD_NECK) == 10
    with pytest.raises(InputError, match="more than the head and neck hold"):
        area_percent_of_palms(11, Region.HEAD_NECK)


def test_settings_name_the_nearest_key_and_refuse_an_unknown_table() -> None:
    with pytest.raises(SettingsError, match="'band_policy' meant"):
        settings_from(StudySettings, {"band_polcy": "floor"}, where="study.yaml")
    with pytest.raises(SettingsError, match="rule_of_nines_obese"):
        settings_from(StudySettings, {"bsa_table": "rule_of_eights"}, where="study.yaml")
