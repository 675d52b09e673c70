"""The report shows what was measured, says what was refused, and needs no network."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from pasi_vision.anatomy import Region, Sign, View
from pasi_vision.provenance import run_record
from pasi_vision.records import Finding, Masks, PhotoResult, RegionMeasurement, finding_frame
from pasi_vision.report.overlay import mask_path, painted
from pasi_vision.report.plots import Limits
from pasi_vision.report.study import StudyReport, render, write_report
from pasi_vision.score import score_findings
from pasi_vision.storage import write_picture
from pasi_vision.tables import Status


@pytest.fixture
def report(tmp_path: Path) -> StudyReport:
    """One visit: clinician and model, one photograph used, one refused, views missing, a region not scorable."""
    regions = np.zeros((60, 80), np.uint8)
    regions[10:50, 10:70] = Region.TRUNK.code
    lesion = np.zeros((60, 80), bool)
    lesion[20:30, 20:40] = True
    outline = np.zeros((60, 80), bool)
    outline[18:32, 18:42] = True
    Masks(regions, lesion, outline, np.zeros((60, 80, 3), np.uint8)).save(tmp_path, "k1")
    write_picture(tmp_path / "k1.preview.jpg", np.full((60, 80, 3), 150, np.uint8), quality=80)
    trunk = RegionMeasurement(Region.TRUNK, 2400, 8.3, 14.0, 200, dict.fromkeys(Sign, 2.0))
    photos = [
        PhotoResult(
            "S<1>", "week 0", 1, View.TRUNK_FRONT, "a.jpg", "0", "k1", True, "", regions=(trunk,), size=(80, 60)
        ),
        PhotoResult("S<1>", "week 0", 1, View.TRUNK_BACK, "b.jpg", reason="cannot be read: it is cut off"),
    ]
    rows = [Finding("S<1>", "week 0", 1, "clinician_1", 1, region, 15.0, None, 2, 2, 2) for region in Region]
    rows += [
        Finding("S<1>", "week 0", 1, "phantom-x", 1, region, 14.0, None, 2.2, 1.9, 2.0, 11.0, 17.0, coverage=0.5)
        for region in list(Region)[:3]
    ]
    rows.append(
        Finding(
            "S<1>",
            "week 0",
            1,
            "phantom-x",
            1,
            Region.LOWER_LIMBS,
            status=Status.NOT_SCORABLE,
            reason="no usable photograph",
        )
    )
    findings = finding_frame(rows)
    run = run_record(
        "score", settings={"band_policy": "half_open"}, model={"name": "phantom-x", "version": "0", "sha256": "0"}
    )
    return StudyReport(
        "A study",
        photos,
        tmp_path,
        findings,
        score_findings(findings),
        "phantom-x",
        [View.TRUNK_FRONT, View.HEAD_FRONT],
        run,
        [
            Limits("phantom-x", "clinician_1", [10, 12, 9], [1, -1, 0.5], 0.2, -1.9, 2.3, 3),
            Limits("phantom-x", "clinician_2", [10], [1], None, None, None, 1, "1 visit allows no limits of agreement"),
        ],
    )


class Tags(HTMLParser):
    """Collects every attribute that could make a browser fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.fetched += [value for name, value in attributes if name in ("src", "href", "xlink:href") and value]


def test_the_report_is_self_contained(report: StudyReport) -> None:
    page = render(report)
    tags = Tags()
    tags.feed(page)
    assert tags.fetched
    assert all(link.startswith(("#", "data:")) for link in tags.fetched)
    assert "<script" not in page
    assert "@import" not in page


def test_the_report_shows_scores_reasons_and_gaps(report: StudyReport) -> None:
    page = render(report)
    text = re.sub(r"\s+", " ", page)
    # Grades 2, 2, 2 and 15 % (band 2) everywhere: 6 x 2 x (0.1 + 0.2 + 0.3 + 0.4) = 12.0
    assert '<td class="number">12.0</td>' in text
    assert "cannot be read: it is cut off" in text
    assert "no photograph of this view" in text
    assert "no usable photograph" in text
    assert "not for diagnosis" in text
    assert "1 visit allows no limits of agreement" in text
    assert "bias +0.2, 95 % limits of agreement -1.9 to +2.3" in text
    assert "nan" not in re.sub(r"data:[^\"]+", "", text).lower().replace("provenance", "")


def test_names_are_escaped(report: StudyReport) -> None:
    page = render(report)
    assert "S&lt;1&gt;" in page
    assert "S<1>" not in page


def test_plots_for_papers_are_written_beside_it(report: StudyReport, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_report(tmp_path / "out" / "report.html", report)
    names = {p.name for p in (tmp_path / "out" / "plots").iterdir()}
    assert names == {"course_S-1-.png", "agreement_clinician-1.png", "agreement_clinician-2.png"}
    assert all((tmp_path / "out" / "plots" / name).read_bytes().startswith(b"\x89PNG") for name in names)


def test_a_mask_becomes_the_path_of_its_border() -> None:
    mask = np.zeros((60, 80), bool)
    mask[10:21, 20:41] = True
    numbers = [tuple(map(float, p.split(","))) for p in re.findall(r"[\d.]+,[\d.]+", mask_path(mask, 80, 60))]
    assert {(x, y) for x, y in numbers} == {(20.5, 10.5), (40.5, 10.5), (40.5, 20.5), (20.5, 20.5)}
    assert mask_path(np.zeros((5, 5), bool), 5, 5) == ""


def test_painting_leaves_the_photograph_alone() -> None:
    pixels = np.full((40, 40, 3), 120, np.uint8)
    lesion = np.zeros((40, 40), bool)
    lesion[10:20, 10:20] = True
    masks = Masks(np.full((40, 40), 3, np.uint8), lesion, lesion, np.zeros((40, 40, 3), np.uint8))
    picture = painted(pixels, masks)
    assert (pixels == 120).all()
    assert (picture[15, 15] != 120).any()
    assert (picture[30, 30] == 120).all()
