"""Studies of known truth: to measure how often the intervals hold it, and to check a plan before the study is done.

A rating is 20 + subject + visit + rater + residual + reading; the residual may grow with the subject. Grades 0-4 are cut from the same
numbers. Raters are drawn anew for what speaks of raters in general (ICC, SEM, variance components) and are taken as they are for what
speaks of these raters (bias, limits, kappa ...). The one-way ICC is for subjects who each have raters of their own: it is simulated so too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from pasi_vision.agree.alpha import alpha_of_grid
from pasi_vision.agree.chance import chance_of_grid, exact_of_grid
from pasi_vision.agree.consensus import individual_equivalence
from pasi_vision.agree.icc import icc_of_grid
from pasi_vision.agree.intra import intra_rater
from pasi_vision.agree.kappa import kappa_of_pair, light_kappa
from pasi_vision.agree.limits import limits_of_pair
from pasi_vision.agree.pairs import pair_of, repeated_of
from pasi_vision.agree.passing_bablok import passing_bablok_of_pair
from pasi_vision.agree.ratings import Floats, Ratings, assemble
from pasi_vision.agree.record import Agreement
from pasi_vision.agree.regression import ccc_of_pair, deming_of_pair
from pasi_vision.agree.resample import Resampling
from pasi_vision.agree.scale import Scale, parse_scale
from pasi_vision.agree.variance import variance_components

__all__ = ["DESIGNS", "OWN_RATERS", "Coverage", "Study", "StudyDesign", "coverage", "simulate"]

OWN_RATERS = " (own raters)"
"""Marks the one-way ICC where every item has raters of its own."""

_CUTS = np.array([17.6, 19.2, 20.8, 22.4])
_CONTINUOUS = parse_scale("0-72 continuous")
_ORDINAL = parse_scale("0-4 ordinal")


@dataclass(frozen=True)
class StudyDesign:
    """A design of known truth; variances add up, `growth` is how fast the residual's SD grows per SD of the subjects."""

    name: str
    n_subjects: int = 50
    n_visits: int = 1
    n_raters: int = 4
    missing: float = 0.0
    growth: float = 0.0
    subject: float = 4.0
    visit: float = 0.0
    rater: float = 0.6
    residual: float = 1.2
    reading: float = 0.6

    @property
    def error(self) -> float:
        """Variance of a single reading about subject, visit and rater."""
        return self.residual + self.reading


@dataclass(frozen=True)
class Study:
    """One simulated study: ratings as numbers and as grades (rater 0 reads twice), and the raters' true effects."""

    numbers: Ratings
    grades: Ratings
    effects: Floats


DESIGNS = (
    StudyDesign("balanced"),
    StudyDesign("missing", missing=0.15),
    StudyDesign("visits", n_visits=3, visit=1.0),
    StudyDesign("uneven spread", growth=0.3),
    StudyDesign("visits, missing, uneven", n_visits=3, visit=1.0, missing=0.15, growth=0.3),
)
"""Balanced, missing at random, repeated visits, heteroscedastic, and all of it at once."""


@dataclass
class Coverage:
    """How often an interval held the truth, and on which side it missed."""

    held: int = 0
    below: int = 0
    above: int = 0
    absent: int = 0

    def add(self, other: Coverage) -> None:
        """Add another count."""
        self.held, self.below = self.held + other.held, self.below + other.below
        self.above, self.absent = self.above + other.above, self.absent + other.absent

    @property
    def share(self) -> float:
        """Share of the intervals that held the truth."""
        return self.held / max(self.held + self.below + self.above, 1)


def simulate(design: StudyDesign, generator: np.random.Generator, effects: Floats | None = None) -> Study:
    """Draw a study; `effects` fixes the raters: (k,) the same raters for all, or (n, v, k) raters of their own for each item."""
    n, v, k = design.n_subjects, design.n_visits, design.n_raters
    subject = generator.normal(0, np.sqrt(design.subject), (n, 1, 1, 1))
    visit = generator.normal(0, np.sqrt(design.visit), (n, v, 1, 1)) if design.visit else np.zeros((n, v, 1, 1))
    if effects is None:
        effects = generator.normal(0, np.sqrt(design.rater), k)
    # Scaled so that the mean variance stays what the design says.
    growth = np.exp(design.growth * subject / np.sqrt(design.subject) - design.growth**2)
    residual = generator.normal(0, np.sqrt(design.residual), (n, v, k, 1)) * growth
    reading = generator.normal(0, np.sqrt(design.reading), (n, v, k, 2)) * growth
    y = 20 + subject + visit + effects[..., None] + residual + reading
    seen = np.zeros(y.shape, dtype=bool)
    seen[..., 0] = generator.random((n, v, k)) >= design.missing
    seen[..., 0, 1] = seen[..., 0, 0]
    s, i, r, m = np.nonzero(seen)
    frame = pd.DataFrame(
        {
            "subject_id": s.astype(str),
            "visit": i.astype(str),
            "rater": r.astype(str),
            "reading": m + 1,
            "value": y[seen],
        }
    )
    grades = frame.assign(value=np.searchsorted(_CUTS, y[seen]).astype(float))
    return Study(_made(frame, _CONTINUOUS), _made(grades, _ORDINAL), effects)


def coverage(design: StudyDesign, replicates: int, resampling: Resampling, seed: int = 0) -> dict[str, Coverage]:
    """Simulate and count, per statistic, how often its interval holds the truth."""
    generator = np.random.default_rng([seed, *design.name.encode()])
    found: dict[str, Coverage] = {}
    for number in range(replicates):
        drawn = Resampling(resampling.level, resampling.n, seed=number)
        study = simulate(design, generator)
        records = numeric_records(study, drawn) + variance_components(study.numbers, drawn)
        _count(found, records, numeric_truth(design, study.effects))
        _count(found, own_rater_records(design, generator, drawn), numeric_truth(design, study.effects))
        fixed = simulate(design, generator, _fixed_effects(design))
        _count(found, grade_records(fixed, drawn), grade_truth(design))
    return found


def numeric_records(study: Study, resampling: Resampling) -> list[Agreement]:
    """Every statistic of numbers: all raters, rater 0 twice, and rater 0 against rater 1."""
    ratings = study.numbers
    single, both = pair_of(ratings, "0", "1"), repeated_of(ratings, "0", "1")
    records = icc_of_grid(ratings.grid, resampling) + limits_of_pair(both, resampling) + ccc_of_pair(single, resampling)
    records += deming_of_pair(single, resampling) + passing_bablok_of_pair(single, resampling)
    records += intra_rater(ratings, resampling)
    return records + individual_equivalence(ratings, "0", ratings.raters[1:], resampling)


def own_rater_records(design: StudyDesign, generator: np.random.Generator, resampling: Resampling) -> list[Agreement]:
    """icc_1 and icc_1k of a study in which every item has raters of its own."""
    shape = (design.n_subjects, design.n_visits, design.n_raters)
    study = simulate(design, generator, generator.normal(0, np.sqrt(design.rater), shape))
    records = icc_of_grid(study.numbers.grid, resampling)
    return [_named(r, f"{r.statistic}{OWN_RATERS}") for r in records if r.statistic in ("icc_1", "icc_1k")]


def grade_records(study: Study, resampling: Resampling) -> list[Agreement]:
    """Every statistic of grades: all raters together (kappa: of raters 0 and 1)."""
    ratings = study.grades
    pair = pair_of(ratings, "0", "1")
    records = chance_of_grid(ratings.grid, ratings.scale, resampling) + exact_of_grid(
        ratings.grid, ratings.scale, resampling
    )
    mean = [_named(r, f"{r.statistic} (mean of pairs)") for r in light_kappa(ratings.grid, ratings.scale, resampling)]
    return (
        records
        + alpha_of_grid(ratings.grid, ratings.scale, resampling)
        + kappa_of_pair(pair, ratings.scale, resampling)
        + mean
    )


def numeric_truth(design: StudyDesign, effects: Floats) -> dict[str, float]:
    """The true values that a study of this design estimates."""
    true, error, k = design.subject + design.visit, design.error, design.n_raters
    sd, apart = np.sqrt(2 * error), float(effects[0] - effects[1])
    rest = effects[1:]
    among = np.mean([(a - b) ** 2 for at, a in enumerate(rest) for b in rest[:at]])
    values = {
        "icc_a1": true / (true + design.rater + error),
        "icc_ak": true / (true + (design.rater + error) / k),
        "icc_c1": true / (true + error),
        "icc_ck": true / (true + error / k),
        "icc_1": true / (true + design.rater + error),
        "icc_1k": true / (true + (design.rater + error) / k),
        "sem": np.sqrt(design.rater + error),
        "sem_consistency": np.sqrt(error),
        "mdc95": 1.96 * np.sqrt(2 * (design.rater + error)),
        "bias": apart,
        "sd_difference": sd,
        "loa_low": apart - 1.96 * sd,
        "loa_high": apart + 1.96 * sd,
        "ccc": 2 * true / (2 * true + 2 * error + apart**2),
        "deming_slope": 1.0,
        "deming_intercept": apart,
        "passing_bablok_slope": 1.0,
        "passing_bablok_intercept": apart,
        "intra_sem": np.sqrt(design.reading),
        "intra_icc_1": (true + design.residual) / (true + error),
        "intra_bias": 0.0,
        "individual_equivalence": float(np.mean((effects[0] - rest) ** 2) - among),
        "individual_equivalence_ratio": float((2 * error + np.mean((effects[0] - rest) ** 2)) / (2 * error + among)),
        "variance_subject": design.subject,
        "variance_rater": design.rater,
        "variance_residual": design.residual,
        "variance_reading": design.reading,
    }
    values |= {f"{name}{OWN_RATERS}": values[name] for name in ("icc_1", "icc_1k")}
    if design.visit:
        values["variance_visit"] = design.visit
    return {name: float(value) for name, value in values.items()}


@lru_cache(maxsize=16)
def grade_truth(design: StudyDesign) -> dict[str, float]:
    """The same for grades, from a study of 30,000 subjects (its own error is a twentieth of an interval's)."""
    from dataclasses import replace

    large = replace(
        design, n_subjects=30_000, n_visits=1, missing=0.0, subject=design.subject + design.visit, visit=0.0
    )
    if design.visit and design.growth:
        large = replace(design, n_subjects=15_000, missing=0.0)
    study = simulate(large, np.random.default_rng(1), _fixed_effects(design))
    return {r.statistic: r.value for r in grade_records(study, Resampling(n=1)) if r.value is not None}


def _fixed_effects(design: StudyDesign) -> Floats:
    return np.asarray(np.sqrt(design.rater) * np.linspace(-1, 1, design.n_raters), dtype=np.float64)


def _made(frame: pd.DataFrame, scale: Scale) -> Ratings:
    return assemble(frame, scale)


def _named(record: Agreement, name: str) -> Agreement:
    from dataclasses import replace

    return replace(record, statistic=name)


def _count(found: dict[str, Coverage], records: list[Agreement], truth: dict[str, float]) -> None:
    for record in records:
        if record.statistic not in truth:
            continue
        tally = found.setdefault(record.statistic, Coverage())
        true = truth[record.statistic]
        if record.value is None or record.low is None or record.high is None:
            tally.absent += 1
        elif true < record.low:
            tally.below += 1
        elif true > record.high:
            tally.above += 1
        else:
            tally.held += 1
