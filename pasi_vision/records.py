"""Frozen records that pass between the stages: Photo -> CalibratedImage -> Masks -> Finding -> Score.

Arrays in them are not to be written to. Each record that a run can stop at is saved and read back whole: photographs are files already,
masks by `Masks.save` and `Masks.load`, findings and scores as tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import Region, Sign, View
from pasi_vision.errors import InputError
from pasi_vision.storage import read_picture, write_picture
from pasi_vision.tables import Status

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "SIGN_LEVELS_PER_GRADE",
    "CalibratedImage",
    "Calibration",
    "CalibrationStatus",
    "Finding",
    "Masks",
    "Photo",
    "PhotoResult",
    "QualityMeasure",
    "QualityReport",
    "RegionMeasurement",
    "Score",
    "Verdict",
    "finding_frame",
    "findings_of",
    "preview_size",
]

SIGN_LEVELS_PER_GRADE = 60
"""A signs mask holds grade x 60 in 8 bits, so quarter grades survive: R erythema, G induration, B scaling."""


@dataclass(frozen=True)
class Photo:
    """A decoded photograph, upright.

    Attributes:
        pixels: (H, W, 3) uint8, sRGB.
        source: The file it was read from; None for bytes.
        sha256: Of the original bytes.
        metadata: What was kept of the file's own metadata (camera, exposure ...: the allow-list of `photo/deidentify.py`).
        bit_depth: Bits per channel of the original (8 or 16).
        notes: What was done while reading ("rotated by EXIF 6", "converted from Display P3" ...).
    """

    pixels: NDArray[np.uint8]
    source: Path | None
    sha256: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    bit_depth: int = 8
    notes: tuple[str, ...] = ()


class Verdict(StrEnum):
    """What to do with a photograph."""

    ACCEPT = "accept"
    WARN = "accept with warning"
    RETAKE = "retake"


@dataclass(frozen=True)
class QualityMeasure:
    """One measured quality: value and unit, its limits (None where open), the verdict that follows and what to do about it."""

    name: str
    value: float
    unit: str
    low: float | None
    high: float | None
    verdict: Verdict
    advice: str


@dataclass(frozen=True)
class QualityReport:
    """All measures of one photograph; the verdict is the worst of them."""

    measures: tuple[QualityMeasure, ...]
    verdict: Verdict

    @property
    def advice(self) -> tuple[str, ...]:
        """Sentences for whoever holds the camera, worst first."""
        failed = [m for m in self.measures if m.verdict is not Verdict.ACCEPT]
        return tuple(m.advice for m in sorted(failed, key=lambda m: m.verdict is not Verdict.RETAKE))


class CalibrationStatus(StrEnum):
    """How a photograph's colours were brought to a common standard."""

    CARD = "card"  # fitted to a colour card in the photograph, residual within its limit
    FALLBACK = "fallback"  # no card: the stated fallback, flagged
    UNCALIBRATED = "uncalibrated"  # a card was seen but the fit is bad: colours left as they are


@dataclass(frozen=True)
class Calibration:
    """How colour and scale were calibrated.

    Attributes:
        status: Card, fallback or uncalibrated.
        matrix: (3, 3) float, linear-light RGB of the camera -> linear sRGB; identity if uncalibrated.
        residual_de2000: Mean CIEDE2000 of the card's patches after the fit; None without a card.
        mm_per_px: Millimetres per pixel at the card; None if not known.
        reason: Why it is what it is, in plain words.
        card_edition: The reference values used; None without a card.
        card_corners: (4, 2) float pixel positions (x, y) of the card's corners; None without a card.
        residual_before_de2000: The same mean before the fit; None without a card.
    """

    status: CalibrationStatus
    matrix: NDArray[np.float64]
    residual_de2000: float | None = None
    mm_per_px: float | None = None
    reason: str = ""
    card_edition: str | None = None
    card_corners: NDArray[np.float64] | None = None
    residual_before_de2000: float | None = None


@dataclass(frozen=True)
class CalibratedImage:
    """A photograph ready for segmentation: (H, W, 3) uint8 sRGB, colours calibrated as `calibration` says."""

    pixels: NDArray[np.uint8]
    photo: Photo
    quality: QualityReport
    calibration: Calibration
    view: View | None = None


@dataclass(frozen=True)
class Masks:
    """What a model (or a truth) saw on one photograph, in the photograph's upright size.

    Attributes:
        regions: (H, W) uint8: 0 not skin, 1-4 the regions in the order of `Region`, 5 other skin.
        lesion: (H, W) bool: the affected skin, exactly. Always inside skin.
        outline: (H, W) bool: what a dermatologist's pen would enclose. Always inside skin.
        signs: (H, W, 3) uint8: grade x 60 of erythema, induration, scaling; 0 outside the lesion.
        expected_lesion, expected_outline: Mean probability over each region's visible skin, as a percentage by region (the soft
            twins of the areas, which the intervals start from); empty when not from a model.
        model: Name and version of the model, or the name of another source.
        reason: Why nothing can be said ("no skin found" ...); "" when something can.
    """

    regions: NDArray[np.uint8]
    lesion: NDArray[np.bool_]
    outline: NDArray[np.bool_]
    signs: NDArray[np.uint8]
    expected_lesion: Mapping[Region, float] = field(default_factory=dict)
    expected_outline: Mapping[Region, float] = field(default_factory=dict)
    model: str = ""
    reason: str = ""

    def grades(self, sign: Sign) -> NDArray[np.float32]:
        """(H, W) float32 grade (0-4) of one sign."""
        channel = self.signs[..., list(Sign).index(sign)]
        return np.divide(channel, SIGN_LEVELS_PER_GRADE, dtype=np.float32)

    def save(self, folder: Path, stem: str) -> None:
        """Write `<stem>.regions.png`, `.lesion.png`, `.outline.png` (0/255) and `.signs.png`."""
        write_picture(folder / f"{stem}.regions.png", self.regions)
        write_picture(folder / f"{stem}.lesion.png", self.lesion.astype(np.uint8) * 255)
        write_picture(folder / f"{stem}.outline.png", self.outline.astype(np.uint8) * 255)
        write_picture(folder / f"{stem}.signs.png", self.signs)

    @classmethod
    def load(cls, folder: Path, stem: str, *, model: str = "") -> Masks:
        """Read what `save` wrote, or masks of the data contract (expected shares are not in the files).

        Raises:
            InputError: A mask is missing, of another size, or holds classes that do not exist.
        """
        regions = read_picture(folder / f"{stem}.regions.png", grey=True)
        lesion = read_picture(folder / f"{stem}.lesion.png", grey=True)
        outline = read_picture(folder / f"{stem}.outline.png", grey=True)
        signs = read_picture(folder / f"{stem}.signs.png")
        where = str(folder / stem)
        for name, mask in (("lesion", lesion), ("outline", outline), ("signs", signs)):
            if mask.shape[:2] != regions.shape:
                raise InputError(
                    f"the {name} mask is {mask.shape[1]} x {mask.shape[0]}, the regions mask {regions.shape[1]} x {regions.shape[0]}",
                    where=where,
                    fix="Write all masks in the photograph's upright size.",
                )
        if regions.max(initial=0) > 5:
            raise InputError(
                f"region class {regions.max()} does not exist", where=f"{where}.regions.png", fix="Use 0 to 5."
            )
        return cls(regions, lesion > 127, outline > 127, signs, model=model)


@dataclass(frozen=True)
class RegionMeasurement:
    """What one photograph shows of one region.

    Attributes:
        region: The region.
        skin_px: Visible skin of that region, in pixels; the denominator of every share (never the picture's size).
        lesion_percent: Exactly affected share of that skin, 0-100.
        outline_percent: Share that a dermatologist's pen would enclose, 0-100.
        lesion_px: Exactly affected pixels; the weight of the grades.
        grades: Mean grade 0-4 of each sign over the affected pixels; 0 where nothing is affected.
    """

    region: Region
    skin_px: int
    lesion_percent: float
    outline_percent: float
    lesion_px: int
    grades: Mapping[Sign, float]


@dataclass(frozen=True)
class PhotoResult:
    """What became of one photograph: saved as JSON beside its masks, so that a run can go on and a report can show it.

    Attributes:
        subject_id, visit, day, view, path: Its row of photos.csv (path as given there).
        sha256: Of the file's bytes; "" when it could not be read.
        key: The stem of its masks' file names.
        used: Whether it counts for findings.
        reason: Why it does not, or what to mind ("" when nothing).
        quality, calibration: As measured; None when it could not be read.
        regions: What it shows of each region.
        size: (width, height) in pixels, upright.
    """

    subject_id: str
    visit: str
    day: int
    view: View
    path: str
    sha256: str = ""
    key: str = ""
    used: bool = False
    reason: str = ""
    quality: QualityReport | None = None
    calibration: Calibration | None = None
    regions: tuple[RegionMeasurement, ...] = ()
    size: tuple[int, int] = (0, 0)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready mapping that `from_json` reads back."""
        content = asdict(self)
        if self.calibration is not None:
            corners = self.calibration.card_corners
            content["calibration"]["matrix"] = np.round(self.calibration.matrix, 8).tolist()
            content["calibration"]["card_corners"] = None if corners is None else np.round(corners, 2).tolist()
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> PhotoResult:
        """Read what `to_json` gave.

        Raises:
            KeyError, TypeError, ValueError: It is something else (an older version's, or damaged).
        """
        values = dict(content)
        quality, calibration = values["quality"], values["calibration"]
        if quality is not None:
            measures = tuple(QualityMeasure(**{**m, "verdict": Verdict(m["verdict"])}) for m in quality["measures"])
            values["quality"] = QualityReport(measures, Verdict(quality["verdict"]))
        if calibration is not None:
            corners = calibration["card_corners"]
            values["calibration"] = Calibration(
                **{
                    **calibration,
                    "status": CalibrationStatus(calibration["status"]),
                    "matrix": np.array(calibration["matrix"]),
                    "card_corners": None if corners is None else np.array(corners),
                }
            )
        values["regions"] = tuple(
            RegionMeasurement(
                **{**m, "region": Region(m["region"]), "grades": {Sign(k): v for k, v in m["grades"].items()}}
            )
            for m in values["regions"]
        )
        values["view"] = View(values["view"])
        values["size"] = (int(values["size"][0]), int(values["size"][1]))
        return cls(**values)


@dataclass(frozen=True)
class Finding:
    """One row of findings.csv; None is "not known" (never 0: 0 means clear skin)."""

    subject_id: str
    visit: str
    day: int
    rater: str
    reading: int
    region: Region
    area_percent: float | None = None
    area_score: int | None = None
    erythema: float | None = None
    induration: float | None = None
    scaling: float | None = None
    area_percent_low: float | None = None
    area_percent_high: float | None = None
    erythema_low: float | None = None
    erythema_high: float | None = None
    induration_low: float | None = None
    induration_high: float | None = None
    scaling_low: float | None = None
    scaling_high: float | None = None
    area_percent_exact: float | None = None
    coverage: float | None = None
    status: Status = Status.SCORED
    reason: str = ""


@dataclass(frozen=True)
class Score:
    """One row of scores.csv; None is "not known", with the reason beside it."""

    subject_id: str
    visit: str
    day: int
    rater: str
    reading: int
    pasi: float | None = None
    pasi_low: float | None = None
    pasi_high: float | None = None
    pasi_continuous: float | None = None
    bsa_percent: float | None = None
    bsa_percent_low: float | None = None
    bsa_percent_high: float | None = None
    status: Status = Status.SCORED
    reason: str = ""


PREVIEW_PX = 720
"""Longer side of the preview that is kept beside a photograph's masks."""


def preview_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) of the preview of a photograph; a small photograph is not enlarged."""
    scale = min(1.0, PREVIEW_PX / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def finding_frame(findings: list[Finding]) -> pd.DataFrame:
    """Findings as a frame in the order of findings.csv (None becomes empty)."""
    import pandas as pd

    names = [f.name for f in fields(Finding)]
    return pd.DataFrame([[getattr(f, name) for name in names] for f in findings], columns=names)


def findings_of(frame: pd.DataFrame) -> list[Finding]:
    """The rows of a checked findings frame as records."""
    import pandas as pd

    known = [f.name for f in fields(Finding) if f.name in frame.columns]
    rows = []
    for values in frame[known].itertuples(index=False, name=None):
        row: dict[str, Any] = {
            name: None if pd.isna(value) else value for name, value in zip(known, values, strict=True)
        }
        row["region"] = Region(row["region"])
        row["status"] = Status(row.get("status") or Status.SCORED)
        row["reason"] = row.get("reason") or ""
        rows.append(Finding(**row))
    return rows
