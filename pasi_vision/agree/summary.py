"""The audit in a few plain sentences, and the facts of what was read."""

from __future__ import annotations

from collections.abc import Sequence

from pasi_vision.agree.planning import plan_limits, subjects_for_icc
from pasi_vision.agree.ratings import Ratings
from pasi_vision.agree.record import Agreement
from pasi_vision.agree.resample import Resampling

__all__ = ["facts", "summary"]

_WIDE = 0.2
"""Width of an interval of ICC or kappa from which it cannot tell moderate from good."""

_FEW_RATERS = 5


def facts(ratings: Ratings, reference: str | None, resampling: Resampling) -> dict[str, str]:
    """Name -> text of what was read and how it was treated."""
    told = {
        "Subjects": str(len(ratings.subjects)),
        "Things rated": f"{len(ratings.item_subject)} (a subject at a visit; of a region and sign where the table has them)",
        "Raters": ", ".join(ratings.raters),
        "Ratings": f"{ratings.n_ratings}, {ratings.grid.basis.n_ratings} of them first readings",
        "Not used": f"{ratings.n_dropped} rows" + (f": {'; '.join(ratings.notes)}" if ratings.notes else ""),
        "Scale": str(ratings.scale),
        "Reference": reference or "none: every pair, first named minus second",
        "Interval": f"{resampling.level:.0%}".replace("%", " %"),
        "Resampling": f"{resampling.n} bootstrap replicates of subjects, seed {resampling.seed}",
    }
    return told


def summary(ratings: Ratings, records: Sequence[Agreement], reference: str | None) -> list[str]:
    """What a reader should know first, in sentences."""
    found = {(r.statistic, r.subset): r for r in records}
    lines = _reliability(found) + _kappa(found)
    lines += _against(ratings, records, reference) + _ceiling(ratings, found)
    if not lines:
        reasons = dict.fromkeys(r.reason for r in records if r.value is None and r.reason)
        lines.append(f"Nothing can be said about agreement between raters: {next(iter(reasons), 'no ratings')}.")
    n = len(ratings.subjects)
    if ratings.scale.is_numeric and n >= 2:
        lines.append(plan_limits(n).sentence)
    return lines + _not_shown(ratings, found)


def _not_shown(ratings: Ratings, found: dict[tuple[str, str | None], Agreement]) -> list[str]:
    """What the data at hand cannot show: an ICC or kappa that is hardly pinned down, and raters who are too few."""
    lines = []
    n, k = len(ratings.subjects), len(ratings.raters)
    icc = found.get(("icc_a1", None))
    if icc is not None and icc.value is not None and icc.low is not None and icc.high is not None:
        if icc.high - icc.low > _WIDE:
            need = "more raters would help, more subjects hardly"
            alone = found.get(("icc_c1", None))
            if alone is not None and None not in (alone.value, alone.low, alone.high):
                single, width = float(alone.value or 0.0), float(alone.high or 0.0) - float(alone.low or 0.0)
                if width > _WIDE and 0 < single < 1:
                    more = subjects_for_icc(_WIDE, single, k).n_subjects
                    need = f"+-{_WIDE / 2:g} would take about {max(more, n + 1)} subjects, and more if raters differ"
            lines.append(
                f"Not shown: the ICC closer than {icc.low:.2f} to {icc.high:.2f} with {n} subjects and {k} raters; {need}."
            )
        if k < _FEW_RATERS:
            lines.append(
                f"Not shown: how much raters in general differ, because there are {k}; only more raters help, not more subjects."
            )
    kappa = found.get(("kappa_quadratic", None)) or found.get(("kappa_unweighted", None))
    if kappa is not None and kappa.low is not None and kappa.high is not None and kappa.high - kappa.low > _WIDE:
        lines.append(f"Not shown: kappa closer than {kappa.low:.2f} to {kappa.high:.2f} with {n} subjects.")
    return lines


def _shown(record: Agreement, digits: int = 2) -> str:
    interval = ""
    if record.low is not None and record.high is not None:
        interval = f" ({record.low:.{digits}f} to {record.high:.{digits}f})"
    return f"{record.value:.{digits}f}{interval}"


def _reliability(found: dict[tuple[str, str | None], Agreement]) -> list[str]:
    single, mean, error, change = (found.get((name, None)) for name in ("icc_a1", "icc_ak", "sem", "mdc95"))
    if single is None or single.value is None or error is None or error.value is None or change is None:
        return []
    lines = [f"One rating by one rater has an ICC(A,1) of {_shown(single)}."]
    if mean is not None and mean.value is not None:
        lines.append(f"The mean of all raters would have {_shown(mean)}.")
    lines.append(
        f"A single rating lies within about {error.value:.3g} (one standard error) of what the average rater would give; "
        f"two raters must differ by more than {change.value:.3g} before it says anything about the patient."
    )
    return lines


def _kappa(found: dict[tuple[str, str | None], Agreement]) -> list[str]:
    record = found.get(("kappa_quadratic", None)) or found.get(("kappa_unweighted", None))
    same = found.get(("exact", None))
    if record is None or record.value is None:
        return []
    name = "Quadratic kappa" if record.statistic == "kappa_quadratic" else "Kappa"
    text = f"{name} is {_shown(record)}"
    return [
        f"{text}; {same.value:.0%} of pairs of ratings are the same." if same and same.value is not None else f"{text}."
    ]


def _against(ratings: Ratings, records: Sequence[Agreement], reference: str | None) -> list[str]:
    if not ratings.scale.is_numeric:
        return []
    found = {(r.statistic, r.subset): r for r in records}
    names = [f"{r} vs {reference}" for r in ratings.raters if r != reference] if reference else []
    if not names and len(ratings.raters) == 2:
        names = [" vs ".join(ratings.raters)]
    lines = []
    for name in names[:8]:
        bias, low, high = (found.get((statistic, name)) for statistic in ("bias", "loa_low", "loa_high"))
        if bias and low and high and None not in (bias.value, low.value, high.value):
            lines.append(f"{name}: bias {_shown(bias)}; 95% limits of agreement {low.value:.3g} to {high.value:.3g}.")
    return lines


def _ceiling(ratings: Ratings, found: dict[tuple[str, str | None], Agreement]) -> list[str]:
    farther, closer = [], []
    for rater in ratings.raters:
        ratio = found.get(("individual_equivalence_ratio", f"{rater} vs the others"))
        if ratio is None or ratio.low is None or ratio.high is None or ratio.value is None:
            continue
        if ratio.low > 1:
            farther.append(f"{rater} {_shown(ratio)}")
        elif ratio.high < 1:
            closer.append(f"{rater} {_shown(ratio)}")
    text = "{} the others than the others {} among themselves (ratio of mean squared differences): {}."
    lines = [text.format("Farther from", "are", ", ".join(farther))] if farther else []
    return lines + ([text.format("Closer to", "are", ", ".join(closer))] if closer else [])
