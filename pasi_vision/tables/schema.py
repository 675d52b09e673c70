"""What a table is: columns with kinds, limits and words, a key, and columns of which one must be there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Column", "Kind", "Status", "Table"]


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
