"""MODEL_CARD.md from model.json and evaluations, never by hand: every figure stands with its n and interval, or is said to be missing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pasi_vision.anatomy import Sign
from pasi_vision.errors import InputError
from pasi_vision.segment.checkpoint import ModelFolder
from pasi_vision.segment.familiarity import LEAST_LIMITS
from pasi_vision.segment.layout import ModelRecord, Thresholds
from pasi_vision.storage import write_text
from pasi_vision.train.lineage import data_of, runs_of

__all__ = ["card_text", "read_evaluation", "read_private", "write_card"]

CARD_FILE = "MODEL_CARD.md"

_PHOTO, _REGION, _FINDING, _VISIT = "photograph", "region of a photograph", "finding", "visit"

_MAIN = (
    ("dice_outline", _PHOTO, "Dice, outline (non-empty)"),
    ("dice_lesion", _PHOTO, "Dice, lesion (non-empty)"),
    ("dice_region", _PHOTO, "Dice, regions"),
    ("dice_outline", _VISIT, "Dice of a visit's photographs together, outline"),
    ("dice_lesion", _VISIT, "Dice of a visit's photographs together, lesion"),
    ("dice_region", _VISIT, "Dice of a visit's photographs together, regions"),
    ("boundary_mm_outline", _PHOTO, "Boundary distance, outline (mm)"),
    ("boundary_percent_outline", _PHOTO, "Boundary distance, outline (% of the diagonal)"),
    ("false_area_outline", _PHOTO, "False area on clear skin, outline (%)"),
    ("false_area_lesion", _PHOTO, "False area on clear skin, lesion (%)"),
    ("area_mae_outline", _REGION, "area_percent, outline: mean absolute error"),
    ("area_bias_outline", _REGION, "area_percent, outline: bias"),
    ("area_mae_lesion", _REGION, "area_percent, lesion: mean absolute error"),
    ("area_bias_lesion", _REGION, "area_percent, lesion: bias"),
    *((f"{sign}_kappa", _REGION, f"Grade of {sign}: quadratic kappa") for sign in Sign),
    *((f"{sign}_mae", _REGION, f"Grade of {sign}: mean absolute error") for sign in Sign),
    ("area_percent_mae", _FINDING, "Visits, area_percent of a region: mean absolute error"),
    ("area_percent_bias", _FINDING, "Visits, area_percent of a region: bias"),
    ("pasi_mae", _VISIT, "PASI: mean absolute error"),
    ("pasi_bias", _VISIT, "PASI: bias"),
    ("bsa_percent_mae", _VISIT, "BSA (%): mean absolute error"),
    ("bsa_percent_bias", _VISIT, "BSA (%): bias"),
    ("pasi75_agreement", _VISIT, "PASI-75 decided as in truth"),
    ("visits_scored", _VISIT, "Visits that were scored at all"),
    ("coverage_area_percent", _FINDING, "Area of a visit's region inside its interval"),
    ("coverage_area_percent", _REGION, "Area of a photograph's region inside its interval"),
    *((f"coverage_{sign}", _FINDING, f"Grade of {sign} inside its interval") for sign in Sign),
    ("coverage_pasi", _VISIT, "PASI inside its conformal interval"),
    ("coverage_pasi_bounds", _VISIT, "PASI inside its bounds"),
    ("coverage_bsa_percent", _VISIT, "BSA inside its conformal interval"),
)
_AGREEMENT: tuple[tuple[str, str, str], ...] = (
    ("pasi", "icc_a1", "PASI: ICC, absolute agreement"),
    ("pasi", "loa_low", "PASI: lower limit of agreement"),
    ("pasi", "loa_high", "PASI: upper limit of agreement"),
    ("bsa_percent", "icc_a1", "BSA: ICC, absolute agreement"),
)
_GROUPED = (("dice_outline", _PHOTO), ("area_mae_outline", _REGION), ("pasi_mae", _VISIT))
_COLUMNS = ("skin_tone", "region", "view", "ita_band", "severity", "scene", "camera")
_FEWEST_IN_A_GROUP = 5


def read_evaluation(path: str | Path, record: ModelRecord) -> dict[str, Any]:
    """Read an evaluation.json and make sure that it is of this very model.

    Raises:
        InputError: It is missing, is no evaluation, or is of other weights or thresholds.
    """
    content = _json(path)
    try:
        weights = content["model"]["sha256"]
        thresholds = content["thresholds"], content.get("close_up_thresholds", content["thresholds"])
    except (KeyError, TypeError) as error:
        raise InputError("not an evaluation", where=str(path), fix="Give what `pasi-vision evaluate` wrote.") from error
    if weights not in record.files.values() or thresholds != (
        record.thresholds.model_dump(),
        record.thresholds_of(None).model_dump(),
    ):
        raise InputError(
            "the evaluation is of other weights or thresholds than the model",
            where=str(path),
            fix="Run `pasi-vision evaluate` on the model as it is now.",
        )
    return content


def read_private(path: str | Path) -> dict[str, Any]:
    """Read figures of photographs that cannot be shared: `{"set": "14 photographs, ...", "figures": [{"what", "value", "n"}]}`.

    Raises:
        InputError: It is missing, or a figure lacks its name, value or n.
    """
    content = _json(path)
    try:
        figures = [{"what": str(f["what"]), "value": float(f["value"]), "n": int(f["n"])} for f in content["figures"]]
        return {"set": str(content["set"]), "figures": figures}
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"a figure is incomplete ({error})", where=str(path), fix="Give set, and what, value and n of every figure."
        ) from error


def write_card(
    folder: ModelFolder, evaluations: Sequence[Mapping[str, Any]], private: Mapping[str, Any] | None
) -> None:
    """Write MODEL_CARD.md into the model's folder.

    Raises:
        InputError: There is no evaluation.
        OutputError: It cannot be written.
    """
    write_text(folder.path / CARD_FILE, card_text(folder.record, evaluations, private))


def card_text(
    record: ModelRecord, evaluations: Sequence[Mapping[str, Any]], private: Mapping[str, Any] | None = None
) -> str:
    """The card as Markdown.

    Args:
        record: The model's model.json.
        evaluations: evaluation.json of one or several sets, in the order of the columns.
        private: As `read_private` gives it.

    Raises:
        InputError: There is no evaluation: a model without figures gets no card.
    """
    if not evaluations:
        raise InputError("no evaluation to write a card from", fix="Run `pasi-vision evaluate` first.")
    parts = [
        _opening(record),
        _training(record),
        _figures(evaluations),
        *(_groups(evaluation) for evaluation in evaluations),
        _intervals(record),
        _refusals(record, evaluations),
        _private(private),
        _limits(evaluations),
        _files(record),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _opening(record: ModelRecord) -> str:
    architecture = record.architecture
    return f"""# {record.name} {record.version}

*Written by `pasi-vision model card` from model.json and evaluation.json; not edited by hand.*

**What it does.** From one photograph it outlines psoriasis twice (`lesion`, the affected skin exactly; `outline`, what a
dermatologist's pen would enclose), names the body regions and grades erythema, induration and scaling (0-4) per pixel.
`pasi-vision score` makes PASI and BSA of it.

**For.** Research: rater agreement, feasibility of image-based endpoints, work lists. **Not for** diagnosis, treatment decisions, or any use
as a medical device; it is not clinically validated. Induration cannot be seen in a flat photograph: it is inferred.

**Network.** Encoder {architecture.encoder}, decoder {architecture.decoder}; looks at the skin in a view with up to
{record.working.view_pixels / 1e6:g} megapixels and at
close-ups with {", ".join(str(side) for side in record.working.close_up_longer_sides)} px on the longer side.
Thresholds: {_thresholds(record)}.{_choice(record)}"""


def _training(record: ModelRecord) -> str:
    """The last run and all that it went on from."""
    runs = runs_of(record.training)
    lines = ["## Trained on", ""]
    for title, key in (("Training", "data"), ("Validation", "validation_data")):
        for part in data_of(runs, key):
            lines.append(f"- {title}: {', '.join(f'{name} {value}' for name, value in part.items())}")
    if "photographs" in record.training:
        of_run = ", ".join(f"{n} for {what}" for what, n in record.training["photographs"].items())
        lines.append(f"- Photographs of the last run: {of_run}")
    for run in runs:
        lines += [f"- Mean of: {_of_what(origin)}" for origin in run.get("mean_of", [])]
        if "mean_of" not in run and "steps_done" in run:
            lines.append(f"- Run: {_run(run)}")
    for name, version in record.training.get("versions", {}).items():
        lines.append(f"- {name} {version}")
    return "\n".join(lines)


def _run(run: Mapping[str, Any]) -> str:
    settings = run.get("settings", {})
    words = [f"{run['steps_done']} steps, seed {settings.get('seed')}, from {settings.get('start_from')}"]
    if settings.get("imagenet_norms"):
        words.append("with the encoder's batch norms of photographs (ImageNet)")
    if settings.get("only"):
        words.append(f"of the head of the {settings['only']} alone")
    return ", ".join(words)


def _of_what(origin: Mapping[str, Any]) -> str:
    if "mean_of" in origin:
        return f"the mean of {', '.join(_of_what(one) for one in origin['mean_of'])}"
    return f"the run with seed {origin['seed']}, {origin['steps_done']} steps"


def _figures(evaluations: Sequence[Mapping[str, Any]]) -> str:
    names = [_set_name(evaluation) for evaluation in evaluations]
    lines = [
        "## Measured",
        "",
        "Value [95 % interval, clustered by patient] (n; patients). Dice is over photographs that have lesions; false area tells",
        "what is found on clear skin.",
        "",
        f"| | {' | '.join(names)} |",
        "|---" * (len(names) + 1) + "|",
    ]
    for metric, of, label in _MAIN:
        cells = [_cell(_figure(evaluation, metric, of)) for evaluation in evaluations]
        if any(cell != _MISSING for cell in cells):
            lines.append(f"| {label} | {' | '.join(cells)} |")
    for value, statistic, label in _AGREEMENT:
        cells = [_agreement_cell(evaluation, value, statistic) for evaluation in evaluations]
        if any(cell != _MISSING for cell in cells):
            lines.append(f"| {label} | {' | '.join(cells)} |")
    lines += ["", "Beside it, what human raters reach:", ""]
    for row in evaluations[0]["human_ceiling"]:
        lines.append(f"- {row['metric']} {row['value']}: {row['what']} ({row['source']})")
    return "\n".join(lines)


def _groups(evaluation: Mapping[str, Any]) -> str:
    """Figures by group of one set; groups of few photographs are left to evaluation.json."""
    lines = [
        f"### By group: {_set_name(evaluation)}",
        "",
        "| group | " + " | ".join(name for name, _ in _GROUPED) + " |",
    ]
    lines.append("|---" * (len(_GROUPED) + 1) + "|")
    groups = [
        row["group"]
        for row in evaluation["figures"]
        if row["group"].split("=")[0] in _COLUMNS and (row["metric"], row["of"]) in _GROUPED
    ]
    for group in sorted(dict.fromkeys(groups), key=lambda g: (_COLUMNS.index(g.split("=")[0]), g)):
        found = [_figure(evaluation, metric, of, group) for metric, of in _GROUPED]
        if any(row is not None and row["n"] >= _FEWEST_IN_A_GROUP for row in found):
            lines.append(f"| {group.replace('=', ': ')} | {' | '.join(_cell(row) for row in found)} |")
    for metric, gap in evaluation.get("tone_gaps", {}).items():
        worst = gap["worst"].removeprefix("skin_tone=")
        lines += ["", f"{metric}: skin-tone band {worst} is {gap['gap']:.3f} below the best."]
    return "\n".join(lines) if len(lines) > 4 else ""


def _intervals(record: ModelRecord) -> str:
    content = record.intervals
    if not content:
        return "## Intervals\n\nNone: this model was not calibrated, and its findings carry the widest bounds."
    calibration, measured = content.get("calibration", {}), content.get("measured_coverage", {})
    lines = [
        "## Intervals",
        "",
        f"Split conformal, nominal {content['level']:.0%}, of a {content.get('unit', 'finding')}, area by "
        f"{content.get('area_convention', 'outline')}; calibrated on {_facts(calibration.get('data'))} "
        f"({calibration.get('findings')} findings of {calibration.get('patients')} patients).",
        *_grade_lines(content),
        f"Areas below {content.get('detection_limit_percent', 0):g} % of a region are given as clear (limit of blank: 95 % of clear "
        "regions are found below it; at most 1 %).",
        f"Coverage measured on {_facts(measured.get('data'))}:",
        "",
        "| group | what | covered | mean width |",
        "|---|---|---|---|",
    ]
    groups = [name for name in measured if name == "all" or name.startswith("skin_tone=")]
    for group in groups:
        for what, row in measured[group].items():
            width = "" if row.get("width") is None else f"{row['width']:.2f}"
            lines.append(f"| {group.replace('=', ': ')} | {what} | {_cell(row)} | {width} |")
    if not groups:
        lines.append("| all | nothing | not measured: do not rely on these intervals | |")
    return "\n".join(lines)


def _thresholds(record: ModelRecord) -> str:
    def said(limits: Thresholds) -> str:
        areas = (("lesion", limits.lesion, limits.lesion_peak), ("outline", limits.outline, limits.outline_peak))
        each = (f"{name} {threshold:g}" + (f" (peak {peak:g})" if peak else "") for name, threshold, peak in areas)
        return f"skin {limits.skin:g}, {', '.join(each)}"

    if record.close_up_thresholds is None:
        return said(record.thresholds)
    return f"in views {said(record.thresholds)}; in close-ups {said(record.close_up_thresholds)}"


def _choice(record: ModelRecord) -> str:
    """What the thresholds were chosen on, and what they reach there: where they were fitted, so more than elsewhere."""
    choice = record.threshold_choice
    if not choice:
        return ""
    reached = []
    for key, kind in (("thresholds", "views"), ("close_up_thresholds", "close-ups")):
        for area, row in choice.get(key, {}).items():
            false = row.get("false_area_percent")
            further = "" if false is None else f" with {false:g} % of clear skin falsely affected"
            reached.append(f"{area} in {kind} {row['dice']:g}{further} (n = {row['photographs']})")
    return f" Chosen on {_facts(choice.get('data'))}; Dice there: {'; '.join(reached)}."


def _grade_lines(content: Mapping[str, Any]) -> list[str]:
    lines = content.get("grade_line", {})
    if not lines:
        return []
    each = ", ".join(f"{sign} {line[0]:+.2f} {line[1]:+.2f} x" for sign, line in lines.items())
    return [f"A region's mean grade lies on a line fitted to the same patients ({each} the network's mean)."]


def _refusals(record: ModelRecord, evaluations: Iterable[Mapping[str, Any]]) -> str:
    lines = ["## When it says nothing", ""]
    caught = record.threshold_choice.get("strange_pictures_refused", {})
    if record.familiarity:
        limits = ", ".join(f"{name} > {max(value, LEAST_LIMITS[name]):g}" for name, value in record.familiarity.items())
        lines.append(f"A picture unlike a photograph of skin is refused with the reason ({limits}).")
        if caught:
            shares = ", ".join(f"{kind} {share:.0%}" for kind, share in caught.items())
            lines.append(f"Of drawn strangers it says nothing, by these limits or because it finds no skin: {shares}.")
    else:
        lines.append("It has no limits of familiarity: it does not notice pictures that are no photographs of skin.")
    lines.append("Another skin disease is not told apart from psoriasis.")
    for evaluation in evaluations:
        counts = evaluation["photographs"]
        lines.append(f"- {_set_name(evaluation)}: refused {counts['abstained']} of {counts['compared']} photographs")
    return "\n".join(lines)


def _private(private: Mapping[str, Any] | None) -> str:
    if private is None:
        return "## Photographs of real people\n\nNo figures were handed in."
    lines = [
        "## Photographs of real people",
        "",
        f"{private['set']}. Few photographs: differences below 0.05 are noise.",
    ]
    return "\n".join([*lines, "", *(f"- {f['what']}: {f['value']:.3g} (n = {f['n']})" for f in private["figures"])])


def _limits(evaluations: Iterable[Mapping[str, Any]]) -> str:
    lines = [
        "## Limits",
        "",
        "- Figures on drawn skin (phantoms) are an upper end of what to expect of real photographs.",
        "- Skin under hair, in folds, at genitals and soles is often not in the photographs: coverage says how much was seen.",
        "- Weakest groups by Dice (outline):",
    ]
    for evaluation in evaluations:
        rows = [
            row
            for row in evaluation["figures"]
            if (row["metric"], row["of"]) == ("dice_outline", _PHOTO)
            and row["group"] != "all"
            and row["n"] >= _FEWEST_IN_A_GROUP
            and row["value"] is not None
        ]
        for row in sorted(rows, key=lambda row: float(row["value"]))[:3]:
            lines.append(f"  - {_set_name(evaluation)}, {row['group'].replace('=', ': ')}: {_cell(row)}")
    return "\n".join(lines)


def _files(record: ModelRecord) -> str:
    return "\n".join(["## Files", "", *(f"- {name}: SHA-256 {digest}" for name, digest in record.files.items())])


_MISSING = "-"


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None or row.get("value") is None:
        return _MISSING
    ends = (
        f" [{row['low']:.3g}, {row['high']:.3g}]" if row.get("low") is not None and row.get("high") is not None else ""
    )
    return f"{row['value']:.3g}{ends} ({row['n']}; {row['patients']})"


def _agreement_cell(evaluation: Mapping[str, Any], value: str, statistic: str) -> str:
    found = [r for r in evaluation["agreement"] if r["of"] == value and r["statistic"] == statistic and not r["subset"]]
    found = found or [r for r in evaluation["agreement"] if r["of"] == value and r["statistic"] == statistic]
    if not found:
        return _MISSING
    row = found[0]
    return _cell({**row, "n": row["n_ratings"], "patients": row["n_subjects"]})


def _figure(evaluation: Mapping[str, Any], metric: str, of: str, group: str = "all") -> Mapping[str, Any] | None:
    wanted = (metric, of, group)
    return next((row for row in evaluation["figures"] if (row["metric"], row["of"], row["group"]) == wanted), None)


def _set_name(evaluation: Mapping[str, Any]) -> str:
    return _facts(evaluation["data"])


def _facts(data: Any) -> str:
    """A data set, or several, in a few words."""
    if isinstance(data, list) and data:
        return " and ".join(_facts(one) for one in data)
    if not isinstance(data, Mapping):
        return str(data or "a set that was not recorded")
    made = "".join(f", {name} {data[name]}" for name in ("preset", "seed") if name in data)
    return f"{data['name']} ({data['photographs']} photographs of {data['patients']} patients{made})"


def _json(path: str | Path) -> dict[str, Any]:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError("file not found", where=str(path), fix="Check the path.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"not a readable JSON file ({error})", where=str(path), fix="Write it again.") from error
    if not isinstance(content, dict):
        raise InputError("holds no keys and values", where=str(path), fix="Write it again.")
    return content
