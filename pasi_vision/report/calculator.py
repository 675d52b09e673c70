"""A PASI calculator as one HTML page that works offline; its constants are written from the package's own."""

from __future__ import annotations

import json
from typing import Any

from pasi_vision.anatomy import (
    AREA_CONTINUOUS_PERCENT,
    AREA_THRESHOLDS,
    BSA_TABLES,
    GRADE_THRESHOLDS,
    REGION_WEIGHT_TENTHS,
    Region,
    Sign,
)
from pasi_vision.provenance import package_version

__all__ = ["calculator_page", "calculator_script"]


def _constants() -> dict[str, Any]:
    return {
        "regions": [{"name": str(r), "label": r.label, "weight_tenths": REGION_WEIGHT_TENTHS[r]} for r in Region],
        "signs": [str(sign) for sign in Sign],
        "area_thresholds": dict(AREA_THRESHOLDS),
        "grade_thresholds": GRADE_THRESHOLDS,
        "continuous_percent": AREA_CONTINUOUS_PERCENT,
        "bsa_tables": {name: {str(r): share for r, share in table.items()} for name, table in BSA_TABLES.items()},
    }


def calculator_script() -> str:
    """The calculator's functions `score` and `responds` with their constants, as JavaScript."""
    from importlib.resources import files

    source = files("pasi_vision.report").joinpath("templates", "calculator.js").read_text(encoding="utf-8")
    return f"const CONSTANTS = {json.dumps(_constants())};\n{source}"


def calculator_page() -> str:
    """The whole page: no network, no storage, prints, light and dark."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(loader=PackageLoader("pasi_vision.report"), autoescape=True, undefined=StrictUndefined)
    loader = environment.loader
    style, script = (
        loader.get_source(environment, name)[0] if loader else "" for name in ("style.css", "calculator.js")
    )
    constants = _constants()
    return environment.get_template("calculator.html.j2").render(
        version=package_version(),
        style=Markup(style),
        script=Markup(script),
        constants=Markup(json.dumps(constants)),
        regions=constants["regions"],
        signs=constants["signs"],
        policies=list(constants["area_thresholds"]),
        tables=list(constants["bsa_tables"]),
    )
