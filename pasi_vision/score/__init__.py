"""From findings to scores and endpoints: pure arithmetic on tables, no image, no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pasi_vision.score.bsa import area_percent_of_palms, bsa_percent, bsa_percent_of_palms
    from pasi_vision.score.settings import EndpointSettings, StudySettings
    from pasi_vision.score.table import score_findings
    from pasi_vision.score.visits import pasi, pasi_tenths

__all__ = [
    "EndpointSettings",
    "StudySettings",
    "area_percent_of_palms",
    "bsa_percent",
    "bsa_percent_of_palms",
    "pasi",
    "pasi_tenths",
    "score_findings",
]

_HOME = {
    "EndpointSettings": "settings",
    "StudySettings": "settings",
    "area_percent_of_palms": "bsa",
    "bsa_percent": "bsa",
    "bsa_percent_of_palms": "bsa",
    "pasi": "visits",
    "pasi_tenths": "visits",
    "score_findings": "table",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: pandas is loaded only where tables are."""
    if name not in _HOME:
        raise AttributeError(f"module 'pasi_vision.score' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
