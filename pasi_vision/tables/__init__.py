"""The columns of every table, read and written here only; an error names file, row and column.

Rows are counted as a spreadsheet shows them: the header is row 1. Empty means "not known"; it is never read as 0.
A name that ends in .parquet holds the same columns as Parquet (needs pyarrow).
"""

from __future__ import annotations

from pasi_vision.tables.check import check_table, first_repeated, joint_codes
from pasi_vision.tables.declared import (
    ARMS,
    COURSES,
    DLQI,
    DLQI_SCORES,
    ENDPOINTS,
    EVENTS,
    EXPOSURE,
    FINDINGS,
    PHOTOS,
    SCORES,
    WITHDRAWAL,
)
from pasi_vision.tables.files import read_table, write_table
from pasi_vision.tables.schema import Column, Kind, Status, Table

__all__ = [
    "ARMS",
    "COURSES",
    "DLQI",
    "DLQI_SCORES",
    "ENDPOINTS",
    "EVENTS",
    "EXPOSURE",
    "FINDINGS",
    "PHOTOS",
    "SCORES",
    "WITHDRAWAL",
    "Column",
    "Kind",
    "Status",
    "Table",
    "check_table",
    "first_repeated",
    "joint_codes",
    "read_table",
    "write_table",
]
