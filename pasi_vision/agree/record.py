"""The one result of this part: a statistic with its interval, what it was computed from, and why if it could not be."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from pasi_vision.errors import InputError
from pasi_vision.storage import write_json, write_text

__all__ = ["Agreement", "Basis", "answered", "find", "read_agreement", "unanswered", "write_agreement"]


@dataclass(frozen=True)
class Agreement:
    """One statistic of agreement.

    Attributes:
        statistic: Its name, such as `icc_a1`.
        subset: None for the whole; otherwise `column=value` or `rater vs reference`, joined by "; ".
        value: None when it could not be given; never NaN.
        low, high: 95 % confidence interval (or the level asked for); None when it could not be given.
        n_subjects, n_ratings: What it was computed from.
        n_dropped: Ratings that were there, or rows without a value, and not used.
        method: How value and interval were made.
        source: Publication the method follows.
        reason: Why there is no value or no interval, what was dropped, or what to beware of; None when there is nothing to say.
    """

    statistic: str
    subset: str | None
    value: float | None
    low: float | None
    high: float | None
    n_subjects: int
    n_ratings: int
    n_dropped: int
    method: str
    source: str
    reason: str | None = None

    def within(self, subset: str) -> Agreement:
        """The same record as part of a wider subset."""
        return replace(self, subset=subset if self.subset is None else f"{subset}; {self.subset}")


@dataclass(frozen=True)
class Basis:
    """What a group of statistics was computed from: shared by the records that come out of it."""

    subset: str | None
    n_subjects: int
    n_ratings: int
    n_dropped: int
    notes: tuple[str, ...] = ()


def answered(
    basis: Basis,
    statistic: str,
    estimate: Sequence[float | None],
    method: str,
    source: str,
    *,
    caution: str = "",
) -> Agreement:
    """A record from value, low, high; anything not finite becomes "no value" with a reason."""
    value, low, high = (_finite(number) for number in estimate)
    notes = [caution] if caution else []
    if value is None and not caution:
        notes.append("not defined on these ratings: they do not vary enough")
    elif value is not None and (low is None or high is None) and not caution:
        notes.append("no interval: too few subjects, or no disagreement to estimate it from")
    if value is None:
        low = high = None
    reason = "; ".join([*notes, *basis.notes]) or None
    return Agreement(
        statistic,
        basis.subset,
        value,
        low,
        high,
        basis.n_subjects,
        basis.n_ratings,
        basis.n_dropped,
        method,
        source,
        reason,
    )


def unanswered(basis: Basis, statistics: Iterable[str], reason: str, method: str, source: str) -> list[Agreement]:
    """Records of statistics that could not be given, with the reason."""
    return [answered(basis, name, (None, None, None), method, source, caution=reason) for name in statistics]


def find(records: Iterable[Agreement], statistic: str, subset: str | None = None) -> Agreement:
    """The record of one statistic and subset.

    Raises:
        InputError: There is none.
    """
    for record in records:
        if record.statistic == statistic and record.subset == subset:
            return record
    raise InputError(f"no record {statistic!r} of subset {subset!r}", fix="See agreement.csv for what there is.")


def write_agreement(folder: Path, records: Sequence[Agreement]) -> None:
    """Write agreement.json and agreement.csv (the same records; empty cells for what is not known)."""
    rows = [asdict(record) for record in records]
    write_json(folder / "agreement.json", rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Agreement)], lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: "" if value is None else value for key, value in row.items()} for row in rows)
    write_text(folder / "agreement.csv", text.getvalue())


def read_agreement(path: str | Path) -> list[Agreement]:
    """Read agreement.json back.

    Raises:
        InputError: The file is missing or does not hold such records.
    """
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))
        return [Agreement(**row) for row in rows]
    except FileNotFoundError as error:
        raise InputError("file not found", where=str(path), fix="Check the path.") from error
    except (json.JSONDecodeError, TypeError, UnicodeDecodeError) as error:
        raise InputError(
            f"not a list of agreement records ({error})", where=str(path), fix="Run agree again."
        ) from error


def _finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else float(number)
