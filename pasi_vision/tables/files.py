"""Tables from and to CSV and Parquet.

A CSV is read twice at most: first by a typed reader, which is fast but cannot say what is wrong with a cell; only where that one or the
checks object, once more as text, so that the wrong cell can be named as it stands in the file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from pasi_vision.errors import InputError, TableError
from pasi_vision.storage import writing
from pasi_vision.tables.check import check_table
from pasi_vision.tables.schema import Kind, Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_table", "write_table"]


def read_table(path: str | Path, table: Table, *, categories: bool = False) -> pd.DataFrame:
    """Read and check a table (CSV, or Parquet where the name ends so).

    Args:
        categories: Give text columns as pandas categoricals: much smaller and faster for millions of rows.

    Returns:
        The declared columns with their kinds (text: str with None where empty; integer: Int64 or int64; number: float64 with NaN where
        empty) and any further columns as they are.

    Raises:
        InputError: The file is missing or is not a table.
        TableError: A column is missing, a value is of the wrong kind or off its scale, or a key stands twice.
    """
    source = Path(path)
    if not source.is_file():
        raise InputError("file not found", where=str(source), fix="Check the path.")
    frame = _read_parquet(source) if source.suffix == ".parquet" else _read_csv_typed(source, table)
    if frame is None:
        frame = _read_csv_text(source)
    try:
        checked = check_table(frame, table, where=str(source))
    except TableError:
        if source.suffix == ".parquet":
            raise
        checked = check_table(_read_csv_text(source), table, where=str(source))
    text = [c.name for c in table.columns if c.kind is Kind.TEXT and c.name in checked.columns]
    for name in text:
        if categories and checked[name].dtype != "category":
            checked[name] = checked[name].astype("category")
        elif not categories and checked[name].dtype != object:
            words = np.array([*checked[name].cat.categories, None], object)
            checked[name] = words[checked[name].cat.codes]
    return checked


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
        return
    if _has_arrow():
        with writing(path) as stream:
            _write_csv_arrow(ordered, stream)
        return
    with writing(path, "w", encoding="utf-8", newline="") as stream:
        _plain(ordered).to_csv(stream, index=False, lineterminator="\n")


def _read_parquet(source: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(source)
    except ImportError as error:
        raise InputError(
            "reading Parquet needs pyarrow", where=str(source), fix="Install pasi-vision[parquet]."
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(f"not a Parquet file ({error})", where=str(source), fix="Write it again.") from error


def _read_csv_typed(source: Path, table: Table) -> pd.DataFrame | None:
    """The table with numbers as numbers and text as categoricals; None where only a reader of text can say what is wrong."""
    import pandas as pd

    try:
        with source.open(encoding="utf-8-sig", newline="") as stream:
            names = next(csv.reader(stream), [])
    except (ValueError, csv.Error):
        return None
    if len(set(names)) < len(names) or not all(names):
        return None
    numbers = {c.name for c in table.columns if c.kind in (Kind.NUMBER, Kind.INTEGER)} & set(names)
    text = {c.name for c in table.columns} & set(names) - numbers
    if _has_arrow():
        return _read_csv_arrow(source, names, numbers, text)
    try:
        read = pd.read_csv(
            source,
            dtype={name: "float64" if name in numbers else "category" if name in text else str for name in names},
            na_values={name: [""] for name in numbers},
            keep_default_na=False,
            float_precision="round_trip",
            encoding="utf-8-sig",
            skip_blank_lines=False,
        )
    except (ValueError, pd.errors.ParserError):
        return None
    return read if isinstance(read.index, pd.RangeIndex) else None


def _has_arrow() -> bool:
    from importlib.util import find_spec

    return find_spec("pyarrow") is not None


def _read_csv_arrow(source: Path, names: list[str], numbers: set[str], text: set[str]) -> pd.DataFrame | None:
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as arrow_csv

    words = pa.dictionary(pa.int32(), pa.string())
    types = {n: pa.float64() if n in numbers else words if n in text else pa.string() for n in names}
    try:
        read = arrow_csv.read_csv(
            source,
            parse_options=arrow_csv.ParseOptions(ignore_empty_lines=False, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=False),
        )
    except pa.ArrowException:
        return None
    if read.column_names != names or any(pc.any(pc.is_nan(read[name])).as_py() for name in numbers):
        return None  # the word "nan" is not a number
    return cast("pd.DataFrame", read.to_pandas(split_blocks=True, self_destruct=True))


def _read_csv_text(source: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        frame = pd.read_csv(source, dtype=str, keep_default_na=False, encoding="utf-8-sig", skip_blank_lines=False)
    except pd.errors.EmptyDataError as error:
        raise TableError("the file is empty", where=str(source), fix="A table needs a header line.") from error
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise TableError(
            f"not a UTF-8 CSV ({error})", where=str(source), fix="Save it as CSV UTF-8 with commas."
        ) from error
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes surplus cells for row labels
        raise TableError(
            "the rows have more cells than the header",
            where=f"{source} row 2",
            fix="Put quotes around text that holds commas.",
        )
    if len(frame.columns) == 1 and ";" in str(frame.columns[0]):
        raise TableError("columns are separated by semicolons", where=f"{source} row 1", fix="Save it with commas.")
    return frame


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Every cell as the text that stands in the file, so that it is the same whichever library writes it."""
    import pandas as pd

    columns = {}
    for name, values in frame.items():
        if isinstance(values.dtype, pd.CategoricalDtype) or not pd.api.types.is_numeric_dtype(values.dtype):
            columns[name] = values.astype(object)
            continue
        codes, known = pd.factorize(values)
        written = np.array([*(_number(value) for value in known), None], object)
        columns[name] = pd.Series(written[codes], index=values.index)
    return pd.DataFrame(columns)


def _number(value: Any) -> str:
    """The shortest text that reads back as the same number: 12, 12.2, 1e-7; true and false for booleans."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(value)
    whole, _, exponent = repr(float(value)).removesuffix(".0").partition("e")
    return f"{whole.removesuffix('.0')}e{int(exponent):+d}" if exponent else whole


def _write_csv_arrow(frame: pd.DataFrame, stream: IO[bytes]) -> None:
    """The same bytes as `_plain(frame).to_csv`, faster: that one is used only for rows with text that needs quotes."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    head = io.StringIO()
    csv.writer(head, lineterminator="\n").writerow(frame.columns)
    stream.write(head.getvalue().encode("utf-8"))
    options = arrow_csv.WriteOptions(include_header=False, quoting_style="none")
    known = [values.cat.categories for _, values in frame.items() if isinstance(values.dtype, pd.CategoricalDtype)]
    quoted = any(_needs_quotes(words) for words in known)
    texts = [name for name, values in frame.items() if values.dtype == object]
    for start in range(0, len(frame), _ROWS_AT_ONCE):
        part = frame.iloc[start : start + _ROWS_AT_ONCE]
        if quoted or any(_needs_quotes(pd.unique(part[name])) for name in texts):
            stream.write(_plain(part).to_csv(index=False, header=False, lineterminator="\n").encode("utf-8"))
        else:
            arrow_csv.write_csv(pa.Table.from_pandas(part, preserve_index=False), stream, options)


_ROWS_AT_ONCE = 250_000


def _needs_quotes(words: Iterable[Any]) -> bool:
    text = " ".join(map(str, words))
    return any(sign in text for sign in ',"\r\n')
