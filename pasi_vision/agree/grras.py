"""What a paper must say about a study of agreement: the GRRAS check list filled in from the data, and a methods paragraph to paste."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pasi_vision.agree.planning import plan_limits
from pasi_vision.agree.ratings import Ratings
from pasi_vision.agree.record import Agreement
from pasi_vision.agree.resample import Resampling

__all__ = ["GRRAS_SOURCE", "CheckItem", "grras", "methods_paragraph", "sources_of"]

GRRAS_SOURCE = "Kottner et al., J Clin Epidemiol 2011;64:96-106"
_AUTHORS = "for the authors to write"


@dataclass(frozen=True)
class CheckItem:
    """One item of GRRAS: number, section, what is asked, the answer from the data, and whether the data could answer it."""

    number: int
    section: str
    asked: str
    answer: str
    is_answered: bool


def grras(ratings: Ratings, records: Sequence[Agreement], resampling: Resampling) -> list[CheckItem]:
    """The 15 items of the Guidelines for Reporting Reliability and Agreement Studies, filled in as far as the data can."""
    found = {(r.statistic, r.subset): r for r in records}
    answers = {
        2: f"Scale: {ratings.scale}." if ratings.scale.kind is not None else None,
        6: f"{_counts(ratings)} {plan_limits(max(len(ratings.subjects), 2)).sentence} The rationale is for the authors to write.",
        8: _timing(ratings),
        10: "See the methods paragraph of this report.",
        11: f"{_counts(ratings)} {ratings.n_dropped} rows held no value.",
        12: _sample(ratings),
        13: _estimates(found, resampling),
        15: "agreement.csv and agreement.json hold every estimate with its interval, numbers and reason.",
    }
    return [
        CheckItem(number, section, asked, answers.get(number) or _AUTHORS, bool(answers.get(number)))
        for number, (section, asked) in enumerate(_ITEMS, start=1)
    ]


def methods_paragraph(
    ratings: Ratings, records: Sequence[Agreement], reference: str | None, resampling: Resampling
) -> str:
    """A paragraph for a paper: what was computed and how, in the words of the records themselves."""
    given = {r.statistic: r for r in records if r.value is not None}
    said = [
        f"Agreement was assessed in {len(ratings.subjects)} subjects ({ratings.n_ratings} ratings by {len(ratings.raters)} raters; "
        f"scale {ratings.scale}) with pasi-vision."
    ]
    if "icc_a1" in given:
        said.append(
            f"Intraclass correlations follow McGraw and Wong (1996); intervals: {given['icc_a1'].method}. "
            "The standard error of measurement includes differences between raters (de Vet 2006)."
        )
    if "loa_low" in given:
        against = f"each rater minus {reference}" if reference else "pairs of raters"
        said.append(
            f"Bias and 95% limits of agreement ({against}) follow Bland and Altman (1986, 1999, 2007), their intervals Zou (2013)."
        )
    if "ccc" in given:
        said.append(
            "Concordance correlation follows Lin (1989, 2000); Deming (Linnet 1990) and Passing-Bablok (1983) lines were fitted."
        )
    if "kappa_quadratic" in given or "kappa_unweighted" in given:
        said.append(
            "Kappa used all categories of the declared scale (Cohen 1968; Fleiss, Cohen and Everitt 1969; Light 1971); Fleiss' kappa, "
            "AC1 and AC2 follow Fleiss (1971) and Gwet (2014), alpha follows Krippendorff (2019)."
        )
    if any("studentised" in r.method for r in given.values()):
        said.append(
            "Where the usual intervals are too narrow, studentised bootstrap intervals were used (Efron and Tibshirani 1993)."
        )
    if any(r.statistic.startswith("intra_") and r.value is not None for r in records):
        said.append("Repeated readings by one rater entered the intra-rater figures and the limits of agreement only.")
    said.append(
        f"Intervals are at the {resampling.level:.0%} level; whatever was resampled was resampled by subject "
        f"({resampling.n} bootstrap replicates, seed {resampling.seed})."
    )
    return " ".join(said)


def sources_of(records: Sequence[Agreement]) -> list[str]:
    """Every publication that a given figure follows, once, in order of first use."""
    parts = [part.strip() for r in records if r.value is not None for part in r.source.split(";")]
    joined: list[str] = []
    for part in parts:
        # "Lancet 1986;1:307-310" is one source; a part that begins with a digit or bracket belongs to the one before.
        if joined and (not part or part[0].isdigit() or part[0] in "(:"):
            joined[-1] = f"{joined[-1]};{part}"
        else:
            joined.append(part)
    return list(dict.fromkeys(joined))


def _counts(ratings: Ratings) -> str:
    items, readings = len(ratings.item_subject), int(ratings.cells.count.max())
    return (
        f"{len(ratings.raters)} raters, {len(ratings.subjects)} subjects, {items} things rated, {ratings.n_ratings} ratings, "
        f"up to {readings} reading{'s' * (readings != 1)} by the same rater."
    )


def _timing(ratings: Ratings) -> str | None:
    days = [float(d) for d in ratings.columns.get("day", []) if d is not None and d == d]
    if not days:
        return None
    return f"Days {min(days):g} to {max(days):g} of the study. Blinding and information given to raters are for the authors to write."


def _sample(ratings: Ratings) -> str | None:
    if not ratings.scale.is_numeric:
        return None
    q = np.quantile(ratings.value, [0.25, 0.5, 0.75])
    shown = [f"Ratings: median {q[1]:.3g} (quartiles {q[0]:.3g} to {q[2]:.3g})"]
    for column in ("skin_tone", "site_id"):
        if column in ratings.columns:
            values = sorted({str(v) for v in ratings.columns[column] if v is not None and v == v})
            shown.append(f"{column}: {', '.join(values)}")
    return "; ".join(shown) + "."


def _estimates(found: dict[tuple[str, str | None], Agreement], resampling: Resampling) -> str | None:
    shown = []
    for name in ("icc_a1", "sem", "kappa_quadratic", "alpha_interval"):
        record = found.get((name, None))
        if record is not None and record.value is not None:
            interval = (
                f" ({record.low:.2f} to {record.high:.2f})"
                if record.low is not None and record.high is not None
                else ""
            )
            shown.append(f"{name} {record.value:.2f}{interval}")
    return f"{'; '.join(shown)} ({resampling.level:.0%} intervals); all others in agreement.csv." if shown else None


_ITEMS = (
    ("Title and abstract", "Identify in title or abstract that reliability or agreement was investigated."),
    ("Introduction", "Name and describe the diagnostic or measurement device explicitly."),
    ("Introduction", "Specify the subject population of interest."),
    ("Introduction", "Specify the rater population of interest."),
    ("Introduction", "Describe what is already known about reliability and agreement and provide a rationale."),
    (
        "Methods",
        "Explain how the sample size was chosen; state numbers of raters, subjects and replicate observations.",
    ),
    ("Methods", "Describe the sampling method."),
    ("Methods", "Describe the rating process: time between repeated ratings, clinical information, blinding."),
    ("Methods", "State whether ratings were conducted independently."),
    ("Methods", "Describe the statistical analysis."),
    ("Results", "State the actual numbers of raters, subjects and replicate observations."),
    ("Results", "Describe the characteristics of raters and subjects."),
    ("Results", "Report estimates of reliability and agreement with their statistical uncertainty."),
    ("Discussion", "Discuss the practical relevance of the results."),
    ("Auxiliary material", "Provide detailed results if possible."),
)
