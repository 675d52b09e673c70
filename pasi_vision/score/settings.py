"""The choices of a study that can move a score or an endpoint: configs/study.yaml as one frozen model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from pasi_vision.anatomy import BSA_TABLES
from pasi_vision.score.bands import BandPolicy
from pasi_vision.settings import Settings

__all__ = ["DEFAULT_STUDY", "EndpointSettings", "MissingRule", "StudySettings"]

MissingRule = Literal["nri", "observed", "locf", "multiple_imputation"]
"""How a planned visit without a score counts in rates (see docs/endpoints.md)."""


class EndpointSettings(Settings):
    """Choices of the endpoints; days count from 1 = baseline."""

    baseline_day: int = 1
    """The last scored visit on or before this day, and not more than `baseline_window_days` earlier, is the baseline."""
    baseline_window_days: int = Field(0, ge=0)
    missing: MissingRule = "nri"
    imputations: int = Field(20, ge=2, le=1000)
    seed: int = 20170308
    """Seed of the one generator behind multiple imputation."""
    confidence: float = Field(0.95, gt=0, lt=1)
    relapse: Literal["npf", "ema"] = "npf"
    """Which of the two relapse rules the Kaplan-Meier curve and the summary follow (both stand in endpoints.csv)."""
    relapse_after_withdrawal: bool = False
    """Count a relapse only after treatment was withdrawn (needs the withdrawal table)."""
    rebound_npf_days: int = Field(91, gt=0)
    """Three months after withdrawal (Gordon 2005)."""
    rebound_ema_days: int = Field(61, gt=0)
    """Two months after withdrawal (CHMP 2004)."""
    flare_percent: float = Field(125, gt=100)
    """During treatment, a PASI of at least this percentage of baseline counts as a flare; no source gives a number."""
    refuse_unattainable: bool = True
    """Give no endpoint for a PASI that no grades can give; false for means of several raters."""


class StudySettings(Settings):
    """Scoring choices of a study. Each is recorded in every output."""

    area_convention: Literal["outline", "lesion"] = "outline"
    band_policy: BandPolicy = BandPolicy.HALF_OPEN
    bsa_table: str = "pasi"
    minimum_coverage: float = Field(0.25, ge=0, le=1)
    induration: str = "inferred"
    """`inferred` (as the finding says), `bounds` (0-4 for automated raters), or the rater to take it from for automated raters."""
    automated_raters: tuple[str, ...] = ("model*", "phantom-*")
    """Patterns of rater names that are automated; only to these does `induration` apply."""
    interval: float = Field(0.90, gt=0, lt=1)
    hand_percent: float = Field(1.0, gt=0, le=2)
    """Body surface in percent that one palm print with fingers stands for (see docs/scoring.md: 1, or 0.8 as measured)."""
    endpoints: EndpointSettings = EndpointSettings()

    @field_validator("bsa_table")
    @classmethod
    def _known_table(cls, name: str) -> str:
        if name not in BSA_TABLES:
            raise ValueError(f"is not one of {', '.join(BSA_TABLES)}")
        return name


DEFAULT_STUDY = StudySettings()
"""The choices that hold where a study makes none."""
