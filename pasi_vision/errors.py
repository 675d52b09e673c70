"""One tree of exceptions. Each message says what was wrong, where, and what to do.

PasiVisionError                the root: catch this to catch everything the package raises on purpose
├── InputError                 something handed in is wrong (exit code 2)
│   ├── SettingsError          a settings file or value
│   ├── TableError             a CSV: names file, row and column
│   ├── PhotoError             a photograph that cannot be read
│   └── ModelError             a model that cannot be loaded or is not known
├── OutputError                a result cannot be written (exit code 2)
├── NotScorableError           no score follows from this input, with the reason (exit code 1)
└── TrainingError              training cannot go on (exit code 2)
"""

from __future__ import annotations

__all__ = [
    "InputError",
    "ModelError",
    "NotScorableError",
    "OutputError",
    "PasiVisionError",
    "PhotoError",
    "SettingsError",
    "TableError",
    "TrainingError",
]


class PasiVisionError(Exception):
    """Root of all errors raised on purpose.

    Args:
        what: What was wrong, with the offending value.
        where: File, row, column, field ... ("" when there is no place to name).
        fix: What the reader should do ("" when nothing can be advised).

    >>> str(PasiVisionError("grade 5 is off the scale", where="findings.csv row 3 column erythema", fix="Use 0 to 4."))
    'findings.csv row 3 column erythema: grade 5 is off the scale. Use 0 to 4.'
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        text = f"{where}: {what}" if where else what
        if fix:
            text = f"{text.rstrip('.')}. {fix}"
        super().__init__(" ".join(text.split()))


class InputError(PasiVisionError):
    """Something handed in is wrong."""


class SettingsError(InputError):
    """A settings file or a setting is wrong."""


class TableError(InputError):
    """A table is wrong; `where` names file, row and column (rows as a spreadsheet counts them, the header being row 1)."""


class PhotoError(InputError):
    """A photograph cannot be read; the originals are never changed."""


class ModelError(InputError):
    """A model cannot be loaded, or is of an unknown version, or its files do not match their hash."""


class OutputError(PasiVisionError):
    """A result cannot be written (no permission, disk full ...); nothing half-written stays behind."""


class NotScorableError(PasiVisionError):
    """No score follows from this input. A result with a reason, never 0."""

    exit_code = 1


class TrainingError(PasiVisionError):
    """Training cannot go on (NaN loss, nothing to resume ...); the last checkpoint is intact."""
