"""Reading ratings: findings.csv, scores.csv or the long form, checked, with everything that is left out counted and explained."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pasi_vision.agree.ratings import ITEM_COLUMNS, Ratings, assemble
from pasi_vision.agree.scale import Scale, ScaleKind, parse_scale
from pasi_vision.anatomy import Sign
from pasi_vision.errors import InputError, TableError
from pasi_vision.tables import FINDINGS, SCORES, Column, Kind, Table, check_table, read_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["VALUES", "ratings_from", "read_ratings", "values_in"]


@dataclass(frozen=True)
class Value:
    """A value that findings.csv or scores.csv holds: its columns (one per sign for grades) and its scale."""

    table: Table
    columns: tuple[str, ...]
    scale: str


VALUES = {
    "grades": Value(FINDINGS, tuple(Sign), "0-4 ordinal"),
    **{str(sign): Value(FINDINGS, (str(sign),), "0-4 ordinal") for sign in Sign},
    "area_score": Value(FINDINGS, ("area_score",), "0-6 ordinal"),
    "area_percent": Value(FINDINGS, ("area_percent",), "0-100 continuous"),
    "pasi": Value(SCORES, ("pasi",), "0-72 continuous"),
    "pasi_continuous": Value(SCORES, ("pasi_continuous",), "0-72 continuous"),
    "bsa_percent": Value(SCORES, ("bsa_percent",), "0-100 continuous"),
}
"""What can be audited in the design's own tables; the first that a file holds is the default."""

_KEY = ("subject_id", "visit", "region", "sign", "rater", "reading")


def read_ratings(path: str | Path, *, scale: str | Scale | None = None, value: str | None = None) -> Ratings:
    """Read ratings from findings.csv, scores.csv or the long form `subject_id, rater, reading, value`.

    Args:
        path: CSV or Parquet. Optional columns of the long form: visit, day, region, sign, low, high (a rater's own interval), any others.
        scale: As `parse_scale`; a value off it is an error. The design's own tables bring theirs.
        value: Which of `VALUES` to take from findings.csv or scores.csv; the first that is there if None.

    Raises:
        InputError: The file is missing or the scale or value is not known.
        TableError: A row is half, stands twice, is off the scale or is not a number; the message names it.
    """
    import pandas as pd

    source = Path(path)
    if source.is_file() and source.suffix != ".parquet":
        _refuse_half_rows(source)
        columns = _header(source)
    else:
        columns = list(pd.read_parquet(source).columns) if source.is_file() else []
    kind = _value_kind(columns, value, str(source))
    declared = parse_scale(scale if scale is not None or kind is None else VALUES[kind].scale)
    table = _long_table(declared) if kind is None else VALUES[kind].table
    frame = read_table(source, table)
    return _ratings(frame, declared, kind, str(source))


def ratings_from(
    frame: pd.DataFrame | Ratings, *, scale: str | Scale | None = None, value: str | None = None
) -> Ratings:
    """The same from a frame; ratings are handed back as they are.

    Raises:
        InputError, TableError: As `read_ratings`.
    """
    if isinstance(frame, Ratings):
        return frame
    kind = _value_kind([str(name) for name in frame.columns], value, "ratings")
    declared = parse_scale(scale if scale is not None or kind is None else VALUES[kind].scale)
    table = _long_table(declared) if kind is None else VALUES[kind].table
    return _ratings(check_table(frame, table, where="ratings"), declared, kind, "ratings")


def values_in(path: str | Path) -> tuple[str, ...]:
    """The names of `VALUES` that a file holds; empty for the long form."""
    columns = _header(Path(path))
    if "value" in columns:
        return ()
    return tuple(name for name, value in VALUES.items() if all(column in columns for column in value.columns))


def _header(source: Path) -> list[str]:
    try:
        with source.open(encoding="utf-8-sig", newline="") as stream:
            return [name.strip() for name in next(csv.reader(stream), [])]
    except (OSError, UnicodeDecodeError, csv.Error):
        return []  # read_table names what is wrong with the file


def _refuse_half_rows(source: Path) -> None:
    """Rows with fewer or more cells than the header, and semicolons between columns."""
    try:
        with source.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.reader(stream)
            header = next(rows, [])
            if len(header) == 1 and ";" in header[0]:
                raise TableError(
                    f"the columns are separated by semicolons ({header[0]!r})",
                    where=f"{source} row 1",
                    fix="Save it as CSV with commas between columns and points in decimals.",
                )
            for number, row in enumerate(rows, start=2):
                if len(row) != len(header):
                    more = len(row) > len(header)
                    raise TableError(
                        f"the row has {len(row)} of {len(header)} cells ({','.join(row)!r})",
                        where=f"{source} row {number}",
                        fix="Write decimals with a point, and quotes around text that holds commas."
                        if more
                        else "Fill it in, or take it out; a value that is not known is an empty cell.",
                    )
    except (UnicodeDecodeError, csv.Error):
        return  # read_table names what is wrong with the file


def _value_kind(columns: list[str], value: str | None, where: str) -> str | None:
    """Which of VALUES a table holds; None for the long form."""
    if "value" in columns and value in (None, "value"):
        return None
    held = [name for name, one in VALUES.items() if all(column in columns for column in one.columns)]
    if value is None:
        return held[0] if held else None
    if value not in held:
        fix = f"It holds {', '.join(held)}." if held else "Leave --value out for the long form."
        raise InputError(f"there is no value {value!r}", where=where, fix=fix)
    return value


def _long_table(scale: Scale) -> Table:
    low, high = (None, None) if scale.words else (scale.low, scale.high)
    value = Column("value", Kind.TEXT if scale.words else Kind.NUMBER, low, high, scale.words, required=True)
    key = [
        Column(name, required=name == "subject_id", filled=True) for name in ("subject_id", "visit", "region", "sign")
    ]
    return Table(
        "ratings",
        (
            *key,
            Column("day", Kind.INTEGER),
            Column("rater", required=True, filled=True),
            Column("reading", Kind.INTEGER, 1, None, filled=True),
            value,
            Column("low", Kind.NUMBER),
            Column("high", Kind.NUMBER),
        ),
        key=_KEY,
    )


def _ratings(frame: pd.DataFrame, scale: Scale, kind: str | None, where: str) -> Ratings:
    long = frame if kind is None else _melted(frame, VALUES[kind].columns)
    long = long if "reading" in long.columns else long.assign(reading=1)
    if "reading" not in frame.columns:
        _refuse_twice(long, where)
    if scale.words and kind is None:
        codes = {word: float(at) for at, word in enumerate(scale.words)}
        long = long.assign(value=long["value"].map(codes).astype("float64"))
    given = long["value"].notna().to_numpy()
    notes: list[str] = []
    if not given.all():
        n_words = int((long["status"] == "not_scorable").to_numpy()[~given].sum()) if "status" in long.columns else 0
        notes.append(
            f"{int((~given).sum())} rows without a value" + (f", {n_words} of them not scorable" if n_words else "")
        )
    if kind is not None and scale == parse_scale(VALUES[kind].scale) and _between(long, scale).any():
        # The design's tables may hold a model's grade of 2.3: a number, not a category.
        scale = Scale(ScaleKind.CONTINUOUS, scale.low, scale.high)
        notes.append("some grades are not whole, so they are taken as continuous")
    _refuse_between_categories(long, scale, where)
    if not given.any():
        raise TableError("no row holds a value", where=where, fix="Fill in the ratings.")
    kept = long[given].drop(columns=[name for name in ("status", "reason") if name in long.columns])
    return assemble(kept, scale, n_dropped=int((~given).sum()), notes=tuple(notes))


def _melted(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """One row per value: grades of several signs get a column `sign`; a rater's own interval becomes low and high."""
    import pandas as pd

    bounds = {f"{name}{end}" for value in VALUES.values() for name in value.columns for end in ("", "_low", "_high")}
    shared = [name for name in frame.columns if name not in bounds and name not in ("area_percent_exact", "coverage")]
    parts = []
    for name in columns:
        part = frame[shared].copy()
        if len(columns) > 1:
            part["sign"] = str(name)
        part["value"] = frame[name].astype("float64")
        for end in ("low", "high"):
            bound = f"{name}_{end}"
            part[end] = frame[bound].astype("float64") if bound in frame.columns else np.nan
        parts.append(part)
    return pd.concat(parts)  # each row keeps its place in the file as its index


def _refuse_twice(long: pd.DataFrame, where: str) -> None:
    keys = [name for name in (*ITEM_COLUMNS, "rater") if name in long.columns]
    twice = long.duplicated(keys).to_numpy()
    if twice.any():
        row = int(np.argmax(twice))
        values = ", ".join(f"{name} {long[name].iloc[row]}" for name in keys)
        raise TableError(
            f"{values} stands twice", where=f"{where} row {row + 2}", fix="Number them in a column reading."
        )


def _between(long: pd.DataFrame, scale: Scale) -> NDArray[np.bool_]:
    """Values that are given and are no category of a categorical scale."""
    value = long["value"].to_numpy(dtype=float)
    if not scale.is_categorical or scale.low is None:
        return np.zeros(len(value), dtype=bool)
    steps = (value - scale.low) / (scale.step or 1.0)
    off: NDArray[np.bool_] = np.abs(steps - np.round(steps)) > 1e-9
    return off


def _refuse_between_categories(long: pd.DataFrame, scale: Scale, where: str) -> None:
    wrong = _between(long, scale)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise TableError(
            f"{long['value'].iloc[row]:g} is off the scale {scale}",
            where=f"{where} row {int(long.index[row]) + 2} column value",
            fix=f"Use {', '.join(scale.labels)}.",
        )
