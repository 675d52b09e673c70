"""A frame against its table: kinds, limits, words and keys; the first wrong cell is named by row and column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import TableError
from pasi_vision.tables.schema import Column, Kind, Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_table", "first_repeated", "joint_codes"]


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
    row = first_repeated(joint_codes(typed, keys))
    if row is not None:
        values = ", ".join(f"{name} {typed[name].iloc[row]}" for name in keys)
        raise TableError(
            f"{values} stands twice",
            where=f"{where} row {row + 2} columns {', '.join(keys)}",
            fix="Keep one of the rows.",
        )
    return typed


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


def joint_codes(frame: pd.DataFrame, names: Sequence[str]) -> NDArray[np.int64]:
    """(rows,) int64 that is equal where all the named columns are equal."""
    import pandas as pd

    joint = np.zeros(len(frame), np.int64)
    for name in names:
        values = frame[name]
        if isinstance(values.dtype, pd.CategoricalDtype):
            codes, size = values.cat.codes.to_numpy().astype(np.int64) + 1, len(values.cat.categories) + 1
        else:
            found, known = pd.factorize(values, use_na_sentinel=False)
            codes, size = found.astype(np.int64), len(known)
        if joint.max(initial=0) >= np.iinfo(np.int64).max // max(size, 1) - 1:
            joint = pd.factorize(joint)[0].astype(np.int64)
        joint = joint * size + codes
    return joint


def first_repeated(codes: NDArray[np.int64]) -> int | None:
    """The first row whose code stands in an earlier row."""
    import pandas as pd

    repeated = pd.Series(codes).duplicated().to_numpy()
    return int(np.argmax(repeated)) if repeated.any() else None


def _typed(values: pd.Series[Any], column: Column, where: str) -> pd.Series[Any]:
    import pandas as pd

    if column.kind is Kind.BOOLEAN and isinstance(values.dtype, pd.BooleanDtype) and not column.filled:
        return values
    is_text = values.dtype == object or isinstance(values.dtype, (pd.StringDtype, pd.CategoricalDtype))
    if column.kind is Kind.TEXT:
        return _text(values, column, where)
    if is_text:
        codes, known = pd.factorize(values)
        words = [str(word).strip() for word in known]
        empty = np.array([*(word == "" for word in words), True], bool)[codes]
    else:
        empty = values.isna().to_numpy()
    _refuse_empty(values, empty, column, where)
    if column.kind is Kind.BOOLEAN:
        return _booleans(values, pd.Series(empty, index=values.index), column, where)
    by_word = np.array([*(_as_number(word) for word in words), np.nan]) if is_text else None
    numbers = values.to_numpy(dtype=float, na_value=np.nan) if by_word is None else by_word[codes]
    _refuse(values, (np.isnan(numbers) & ~empty) | np.isinf(numbers), column, where, *_NO_NUMBER)
    outside = np.zeros(len(numbers), bool)
    if column.low is not None:
        outside |= numbers < column.low
    if column.high is not None:
        outside |= numbers > column.high
    scale = f"{'' if column.low is None else f'{column.low:g}'}..{'' if column.high is None else f'{column.high:g}'}"
    _refuse(values, outside, column, where, "is off the scale", f"Use {scale}, or leave it empty if not known.")
    typed = pd.Series(numbers, index=values.index, copy=False)
    if column.kind is Kind.INTEGER:
        broken = ~empty & (numbers != np.round(numbers))
        _refuse(values, broken, column, where, "is not a whole number", "Use a whole number.")
        return typed.astype("Int64") if empty.any() else typed.astype("int64")
    return typed


_NO_NUMBER = ("is not a number", "Use digits with a decimal point.")


def _as_number(word: str) -> float:
    """The number that a cell holds; NaN for an empty cell and for anything that is not a plain number."""
    try:
        return float(word) if "_" not in word else np.nan
    except ValueError:
        return np.nan


def _text(values: pd.Series[Any], column: Column, where: str) -> pd.Series[Any]:
    """Text without blanks around it, None where empty; each distinct value is looked at once."""
    import pandas as pd

    categorical = isinstance(values.dtype, pd.CategoricalDtype)
    codes, known = (values.cat.codes, values.cat.categories) if categorical else pd.factorize(values)
    words = np.array([*(str(word).strip() for word in known), ""], object)
    empty = (words == "")[codes]
    _refuse_empty(values, empty, column, where)
    if column.words:
        wrong = np.array([word != "" and word not in column.words for word in words], bool)[codes]
        _refuse(values, wrong, column, where, "is not known", f"Use one of {', '.join(column.words)}.")
    if not categorical:
        words[words == ""] = None
        return pd.Series(words[codes], index=values.index, dtype=object)
    if list(known) == [word for word in words if word != ""]:
        return values
    different = [word for word in dict.fromkeys(words) if word != ""]
    place = {word: number for number, word in enumerate(different)}
    moved = np.array([place.get(word, -1) for word in words])[codes]
    renamed = pd.Categorical.from_codes(cast("Any", moved), categories=pd.Index(different, dtype=object))
    return pd.Series(renamed, index=values.index)


def _refuse_empty(values: pd.Series[Any], empty: NDArray[np.bool_], column: Column, where: str) -> None:
    if column.filled:
        _refuse(values, empty, column, where, "is empty", "Fill it in.")


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
