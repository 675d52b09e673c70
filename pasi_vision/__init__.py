"""pasi-vision: psoriasis severity (PASI, BSA) from standardized photographs. A research tool, not for diagnosis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pasi_vision.photo import check_photo, read_photo
    from pasi_vision.pipeline import score_visits, segment_photo
    from pasi_vision.score import pasi, score_findings
    from pasi_vision.tables import read_table, write_table

__all__ = [
    "check_photo",
    "pasi",
    "read_photo",
    "read_table",
    "score_findings",
    "score_visits",
    "segment_photo",
    "write_table",
]

_HOME = {
    "check_photo": "pasi_vision.photo",
    "pasi": "pasi_vision.score",
    "read_photo": "pasi_vision.photo",
    "read_table": "pasi_vision.tables",
    "score_findings": "pasi_vision.score",
    "score_visits": "pasi_vision.pipeline",
    "segment_photo": "pasi_vision.pipeline",
    "write_table": "pasi_vision.tables",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import pasi_vision` costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module 'pasi_vision' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
