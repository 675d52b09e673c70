"""The columns of every table, read and written here only; an error names file, row and column.

Rows are counted as a spreadsheet shows them: the header is row 1. Empty means "not known"; it is never read as 0.
A name that ends in .parquet holds the same columns as Parquet (needs pyarrow).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pasi_vision.anatomy import GRADE_MAX, Region, Sign, View
from pasi_vision.errors import InputError, TableError
from pasi_vision.storage import writing

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FINDINGS",
    "PHOTOS",
    "SCORES",
    "Column",
    "Kind",
    "Status",
    "Table",
    "check_table",
    "read_table",
    "write_table",
]


class Status(StrEnum):
    """Whether a finding or a score could be given."""

    SCORED = "scored"
    PARTIAL = "partial"  # bounds only
    NOT_SCORABLE = "not_scorable"


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"


@dataclass(frozen=True)
class Column:
    """One column: its name, kind, limits (inclusive) or allowed words, and whether it must be there and filled."""

    name: str
    kind: Kind = Kind.TEXT
    low: float | None = None
    high: float | None = None
    words: tuple[str, ...] = ()
    required: bool = False
    filled: bool = False
    """Every row must hold a value."""


@dataclass(frozen=True)
class Table:
    """A table's columns in order, the columns that together are unique, and groups of which one column must be there."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    one_of: tuple[tuple[str, ...], ...] = ()

    def column(self, name: str) -> Column | None:
        """The declared column of that name, or None."""
        return next((c for c in self.columns if c.name == name), None)


def _key(name: str) -> Column:
    return Column(name, required=True, filled=True)


def _percent(name: str, *, required: bool = False) -> Column:
    return Column(name, Kind.NUMBER, 0, 100, required=required)


def _grade(name: str, *, required: bool = False) -> Column:
    return Column(name, Kind.NUMBER, 0, GRADE_MAX, required=required)


_VISIT = (_key("subject_id"), _key("visit"), Column("day", Kind.INTEGER, required=True, filled=True))
_READING = (*_VISIT, _key("rater"), Column("reading", Kind.INTEGER, 1, None, required=True, filled=True))
_STATUS = (Column("status", words=tuple(Status)), Column("reason"))
_SIGNS = tuple(Sign)

PHOTOS = Table(
    "photos",
    (
        *_VISIT,
        Column("view", words=tuple(View), required=True, filled=True),
        Column("path", required=True, filled=True),
        Column("site_id"),
        Column("skin_tone", words=("I", "II", "III", "IV", "V", "VI")),
    ),
    key=("subject_id", "visit", "path"),
)
"""One row per photograph. Several photographs of one view are allowed; the same file twice is not."""

FINDINGS = Table(
    "findings",
    (
        *_READING,
        Column("region", words=tuple(Region), required=True, filled=True),
        _percent("area_percent"),
        Column("area_score", Kind.INTEGER, 0, 6),
        *(_grade(sign, required=True) for sign in _SIGNS),
        _percent("area_percent_low"),
        _percent("area_percent_high"),
        *(_grade(f"{sign}_{end}") for sign in _SIGNS for end in ("low", "high")),
        _percent("area_percent_exact"),
        Column("coverage", Kind.NUMBER, 0, 1),
        *_STATUS,
    ),
    key=("subject_id", "visit", "rater", "reading", "region"),
    one_of=(("area_percent", "area_score"),),
)
"""One row per subject x visit x rater x reading x region; coverage is a share (0-1) of the region's surface."""

SCORES = Table(
    "scores",
    (
        *_READING,
        *(Column(f"pasi{end}", Kind.NUMBER, 0, 72) for end in ("", "_low", "_high", "_continuous")),
        *(_percent(f"bsa_percent{end}") for end in ("", "_low", "_high")),
        *_STATUS,
        Column("band_policy"),
        Column("bsa_table"),
    ),
    key=("subject_id", "visit", "rater", "reading"),
)
"""One row per subject x visit x rater x reading; the policies that made it stand in every row."""


def read_table(path: str | Path, table: Table) -> pd.DataFrame:
    """Read and check a table (CSV, or Parquet where the name ends so).

    Returns:
        The declared columns with their kinds (text: str with None where empty; integer: Int64 or int64; number: float64 with NaN where
        empty) and any further columns as they are.

    Raises:
        InputError: The file is missing or is not a table.
        TableError: A column is missing, a value is of the wrong kind or off its scale, or a key stands twice.
    """
    import pandas as pd

    source = Path(path)
    if not source.is_file():
        raise InputError("file not found", where=str(source), fix="Check the path.")
    if source.suffix == ".parquet":
        try:
            frame = pd.read_parquet(source)
        except ImportError as error:
            raise InputError(
                "reading Parquet needs pyarrow", where=str(source), fix="Install pasi-vision[parquet]."
            ) from error
        except (OSError, ValueError) as error:
            raise InputError(f"not a Parquet file ({error})", where=str(source), fix="Write it again.") from error
    else:
        frame = _read_csv(source, table)
    return check_table(frame, table, where=str(source))


def check_table(frame: pd.DataFrame, table: Table, *, where: str) -> pd.DataFrame:
    """Check a frame against a table and give its columns their kinds; `where` names it in errors.

    Raises:
        TableError: As `read_table`.
    """
    _check_columns(frame, table, where)
    typed = frame.copy(deep=False)
    for column in table.columns:
        if column.name in typed.columns:
            typed[column.name] = _typed(typed[column.name], column, where)
    keys = [name for name in table.key if name in typed.columns]
    twice = typed.duplicated(keys, keep="first").to_numpy()
    if twice.any():
        row = int(np.argmax(twice))
        values = ", ".join(f"{name} {typed[name].iloc[row]}" for name in keys)
        raise TableError(
            f"{values} stands twice",
            where=f"{where} row {row + 2} columns {', '.join(keys)}",
            fix="Keep one of the rows.",
        )
    return typed


def write_table(path: str | Path, frame: pd.DataFrame, table: Table) -> None:
    """Write a table whole or not at all: declared columns first and in order, unknown values empty.

    Raises:
        TableError: The frame does not fit the table.
        OutputError: The file cannot be written.
    """
    checked = check_table(frame, table, where=str(path))
    declared = [c.name for c in table.columns if c.name in checked.columns]
    ordered = checked[declared + [name for name in checked.columns if name not in declared]]
    if Path(path).suffix == ".parquet":
        with writing(path) as stream:
            ordered.to_parquet(stream, index=False)
    else:
        with writing(path, "w", encoding="utf-8", newline="") as stream:
            ordered.to_csv(stream, index=False, lineterminator="\n")


def _read_csv(source: Path, table: Table) -> pd.DataFrame:
    import pandas as pd

    try:
        # Read as text first: only so can a wrong cell be named as it stands in the file.
        frame = pd.read_csv(source, dtype=str, keep_default_na=False, encoding="utf-8-sig", skip_blank_lines=False)
    except pd.errors.EmptyDataError as error:
        raise TableError(
            "the file is empty", where=str(source), fix=f"A {table.name} table needs a header line."
        ) from error
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise TableError(
            f"not a UTF-8 CSV ({error})", where=str(source), fix="Save it as CSV UTF-8 with commas."
        ) from error
    if len(frame.columns) == 1 and ";" in str(frame.columns[0]):
        raise TableError("columns are separated by semicolons", where=f"{source} row 1", fix="Save it with commas.")
    return frame


def _check_columns(frame: pd.DataFrame, table: Table, where: str) -> None:
    from difflib import get_close_matches

    names = [str(name) for name in frame.columns]
    for column in table.columns:
        if column.required and column.name not in names:
            near = get_close_matches(column.name, names, n=1)
            hint = f"Is {near[0]!r} meant? Rename it." if near else f"Its columns begin with {', '.join(names[:6])}."
            raise TableError(f"column {column.name!r} is missing", where=f"{where} row 1", fix=hint)
    for group in table.one_of:
        if not any(name in names for name in group):
            raise TableError(
                f"one of the columns {' or '.join(group)} is needed", where=f"{where} row 1", fix="Add one."
            )
    if len(frame) == 0:
        raise TableError("the table has no rows", where=where, fix=f"Add at least one row of {table.name}.")


def _typed(values: pd.Series[Any], column: Column, where: str) -> pd.Series[Any]:
    import pandas as pd

    is_text = values.dtype == object or isinstance(values.dtype, (pd.StringDtype, pd.CategoricalDtype))
    empty = (values.isna() | (values.astype(str).str.strip() == "")) if is_text else values.isna()
    if column.filled and empty.any():
        _refuse(values, empty.to_numpy(), column, where, "is empty", "Fill it in.")
    if column.kind is Kind.TEXT:
        text = values.astype(str).str.strip().mask(empty, None)
        if column.words:
            wrong = ~empty & ~text.isin(column.words)
            _refuse(values, wrong.to_numpy(), column, where, "is not known", f"Use one of {', '.join(column.words)}.")
        return text
    if column.kind is Kind.BOOLEAN:
        return _booleans(values, empty, column, where)
    numbers = pd.to_numeric(values.where(~empty), errors="coerce") if is_text else values.astype("float64")
    not_number = (numbers.isna() & ~empty).to_numpy() | np.isinf(numbers.to_numpy(dtype=float))
    _refuse(values, not_number, column, where, "is not a number", "Use digits with a decimal point.")
    outside = np.zeros(len(numbers), bool)
    if column.low is not None:
        outside |= (numbers < column.low).to_numpy()
    if column.high is not None:
        outside |= (numbers > column.high).to_numpy()
    scale = f"{'' if column.low is None else f'{column.low:g}'}..{'' if column.high is None else f'{column.high:g}'}"
    _refuse(values, outside, column, where, "is off the scale", f"Use {scale}, or leave it empty if not known.")
    if column.kind is Kind.INTEGER:
        broken = (numbers.notna() & (numbers != numbers.round())).to_numpy()
        _refuse(values, broken, column, where, "is not a whole number", "Use a whole number.")
        return numbers.astype("int64") if not empty.any() else numbers.astype("Int64")
    return numbers.astype("float64")


def _booleans(values: pd.Series[Any], empty: pd.Series[bool], column: Column, where: str) -> pd.Series[Any]:
    words = values.astype(str).str.strip().str.lower()
    _refuse(
        values,
        (~empty & ~words.isin(["true", "false"])).to_numpy(),
        column,
        where,
        "is neither true nor false",
        "Use one.",
    )
    return (words == "true").astype("boolean").mask(empty)


def _refuse(
    values: pd.Series[Any], wrong: Sequence[bool] | Any, column: Column, where: str, what: str, fix: str
) -> None:
    """Raise for the first wrong cell, naming it as it stands, and say how many more there are."""
    wrong = np.asarray(wrong, bool)
    if not wrong.any():
        return
    row = int(np.argmax(wrong))
    value = values.iloc[row]
    more = f" (and {int(wrong.sum()) - 1} more)" if wrong.sum() > 1 else ""
    shown = f"{value!r} " if str(value).strip() else "the cell "
    raise TableError(f"{shown}{what}{more}", where=f"{where} row {row + 2} column {column.name}", fix=fix)
