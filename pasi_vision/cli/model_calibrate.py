"""`pasi-vision model calibrate|card`: what a trained model needs before others can use it. Joins the group of cli/model.py."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from pasi_vision.cli.evaluate import compare, resampling, show_progress, stages_of
from pasi_vision.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pasi_vision.segment import Model
    from pasi_vision.segment.familiarity import Signals
    from pasi_vision.segment.layout import ModelRecord
    from pasi_vision.train.evaluate import Outcome
    from pasi_vision.train.folder import DataFolder, PhotoEntry


FEWEST_OF_A_KIND = 30
"""Photographs from which views and close-ups each get thresholds of their own."""


def register(app: typer.Typer) -> None:
    """Add the commands to the group `model`, which stands before this file in the alphabet."""
    group = next(one.typer_instance for one in app.registered_groups if one.name == "model")
    if group is not None:
        group.command()(calibrate)
        group.command()(card)


def calibrate(
    model: Annotated[str, typer.Option("--model", help="Folder of the model; its model.json is written again.")],
    data: Annotated[
        list[Path],
        typer.Option("--data", help="Folder of another preset than the one trained on; may stand several times."),
    ],
    healthy: Annotated[
        list[Path] | None,
        typer.Option(
            "--healthy",
            help="Folder of people without disease; may stand several times. Then only what is found on them counts as false when "
            "thresholds are chosen, and not what is found on another skin disease.",
        ),
    ] = None,
    check: Annotated[
        list[Path] | None,
        typer.Option("--check", help="Third folder, on which coverage is measured; may stand several times."),
    ] = None,
    level: Annotated[float, typer.Option(min=0.5, max=0.99, help="Nominal coverage of the intervals.")] = 0.9,
    seed: Annotated[int, typer.Option(help="Draws the halves of split conformal prediction.")] = 0,
    false_area_cost: Annotated[
        float,
        typer.Option(min=0, help="What 1 % of clear skin called affected costs, in Dice, when thresholds are chosen."),
    ] = 0.01,
    close_up_side: Annotated[
        list[int] | None,
        typer.Option(
            help="Longer side at which close-ups are looked at, instead of the model's; may stand several times.",
            min=32,
        ),
    ] = None,
    view_pixels: Annotated[
        int | None, typer.Option(help="Pixels of the close look at a view, instead of the model's.", min=10_000)
    ] = None,
    view_enlargement: Annotated[
        float | None,
        typer.Option(help="By how much small views may be enlarged for it, instead of the model's.", min=1, max=3),
    ] = None,
    keep_thresholds: Annotated[bool, typer.Option("--keep-thresholds", help="Calibrate intervals only.")] = False,
    thresholds_only: Annotated[
        bool,
        typer.Option(
            "--thresholds-only", help="Choose thresholds only; the model then has no intervals until it is calibrated."
        ),
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help="Photographs in work at once.")] = 1,
) -> None:
    """Choose thresholds, fit conformal intervals, measure their coverage, and write them into the model's model.json.

    How closely photographs are looked at can be changed here too, since thresholds depend on it.

    Without --check, half of the patients calibrate and the other half tell the coverage.
    """
    if thresholds_only and (keep_thresholds or check):
        raise InputError(
            "with --thresholds-only nothing is left to keep or to check",
            where="--thresholds-only",
            fix="Leave out --keep-thresholds and --check, or --thresholds-only.",
        )
    from pasi_vision.score import StudySettings
    from pasi_vision.segment import load_model
    from pasi_vision.train.calibrate import coverage_record, fit_grade_lines, fit_intervals
    from pasi_vision.train.enclosing import fit_enclosing
    from pasi_vision.train.export import rewrite_record
    from pasi_vision.train.folder import joined, read_folder
    from pasi_vision.train.results import data_facts

    folders, others = [read_folder(one) for one in data], [read_folder(one) for one in check or []]
    bare = [read_folder(one) for one in healthy or []]
    folder, third = joined([*folders, *bare]), joined(others) if others else None
    healthy_files = {photo.file for one in bare for photo in one.photos}
    network, settings = load_model(model), StudySettings()
    sizes: dict[str, Any] = {
        "close_up_longer_sides": tuple(close_up_side) if close_up_side else None,
        "view_pixels": view_pixels,
        "view_enlargement": view_enlargement,
    }
    sizes = {name: size for name, size in sizes.items() if size is not None}
    network = _changed(network, working=network.folder.record.working.model_copy(update=sizes))
    facts = [data_facts(one) for one in [*folders, *bare]]
    if not keep_thresholds:
        looks = _looked(network, folder.photos, workers)
        network = _with_thresholds(network, folder, looks, healthy_files, seed, false_area_cost, facts)
        of_photo = {look.photo.file: look for look in looks}
        pens = fit_enclosing([look.photo for look in looks], lambda photo: _seen(network, of_photo[photo.file]))
        network = _changed(network, view_outlines=pens)
    network = _changed(network, intervals={})
    if thresholds_only:
        record = network.folder.record
        rewrite_record(network.folder.path, record, intervals={})
        _tell_thresholds(record)
        return
    outcomes = _outcomes(network, folder, workers)
    fitting, checking = (outcomes, None) if third else _halves(outcomes, seed)
    lines = fit_grade_lines(compare(network, folder, fitting, settings).findings)
    network = _changed(network, intervals={"grade_line": lines})
    fitted = compare(network, folder, fitting, settings)
    intervals = {"grade_line": lines} | fit_intervals(
        fitted.photos, fitted.visits, fitted.findings, level=level, seed=seed
    )
    intervals["area_convention"] = settings.area_convention
    intervals["calibration"] |= {"data": facts}
    calibrated = _changed(network, intervals=intervals)
    measured_on = third or folder
    if checking is None:
        checking = _outcomes(calibrated, measured_on, workers)
    compared = compare(calibrated, measured_on, checking, settings)
    intervals["measured_coverage"] = coverage_record(
        compared.rows(intervals["unit"]), compared.visits, resampling()
    ) | {
        "data": [data_facts(one) for one in others] or "the other half of the calibration patients",
    }
    record = calibrated.folder.record
    rewrite_record(network.folder.path, record, intervals=intervals)
    _tell_thresholds(record)
    typer.echo(f"detection limit: {intervals['detection_limit_percent']} % of a region")
    for name, row in intervals["measured_coverage"]["all"].items():
        typer.echo(
            f"coverage of {name}: {row['value']} [{row['low']}, {row['high']}], n = {row['n']} in {row['patients']} patients"
        )


def _tell_thresholds(record: ModelRecord) -> None:
    """Print the thresholds, what they were chosen from, and in which views outlines follow from lesions."""
    from pasi_vision.anatomy import View

    for key, kind in (("thresholds", View.TRUNK_FRONT), ("close_up_thresholds", None)):
        limits = record.thresholds_of(kind)
        typer.echo(
            f"{key}: skin {limits.skin}, lesion {limits.lesion} (peak {limits.lesion_peak}), "
            f"outline {limits.outline} (peak {limits.outline_peak})"
        )
        for name, row in record.threshold_choice.get(key, {}).items():
            further = f", false area {row['false_area_percent']} %" if row.get("false_area_percent") is not None else ""
            typer.echo(f"  {name}: Dice {row['dice']}{further}, n = {row['photographs']}")
    drawn = sorted(view.value for view in record.view_outlines)
    typer.echo(f"outlines follow from lesions in: {', '.join(drawn) or 'no view'}")


def card(
    model: Annotated[str, typer.Option("--model", help="Folder of the model; its MODEL_CARD.md is written again.")],
    evaluation: Annotated[
        list[Path], typer.Option("--evaluation", help="evaluation.json of a set; several times for several sets.")
    ],
    private: Annotated[
        Path | None, typer.Option("--private", help="JSON with figures of photographs that cannot be shared.")
    ] = None,
) -> None:
    """Write MODEL_CARD.md from model.json and the evaluations: nothing in it is typed by hand."""
    from pasi_vision.segment.checkpoint import open_model
    from pasi_vision.train.card import read_evaluation, read_private, write_card

    folder = open_model(model)
    evaluations = [read_evaluation(path, folder.record) for path in evaluation]
    write_card(folder, evaluations, read_private(private) if private else None)
    typer.echo(f"model card: {folder.path / 'MODEL_CARD.md'}")


def _outcomes(network: Model, folder: DataFolder, workers: int) -> list[Outcome]:
    from pasi_vision.train.evaluate import evaluate_photos

    return evaluate_photos(folder.photos, stages_of(network), workers=workers, progress=show_progress)


def _seen(network: Model, look: _Look) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Lesion and skin that the model sees in a photograph, at its working resolution."""
    from pasi_vision.segment.own import LEVELS
    from pasi_vision.segment.predict import counted

    limits = network.folder.record.thresholds_of(look.photo.view)
    skin = look.levels[0] >= limits.skin * (LEVELS - 1)
    levels, level = counted(look.levels[1], skin, limits.lesion, limits.lesion_own_from, limits.lesion_peak)
    return (levels >= level) & skin, skin


def _with_thresholds(
    network: Model,
    folder: DataFolder,
    looks: Sequence[_Look],
    healthy: Collection[Path],
    seed: int,
    false_area_cost: float,
    facts: list[dict[str, Any]],
) -> Model:
    """The model with thresholds and limits of familiarity chosen on a folder, and the figures of the choice with the data's `facts`.

    Where there are `healthy` photographs, other ones without a lesion (they may show another disease) have no say.
    """
    from pasi_vision.anatomy import View
    from pasi_vision.train.thresholds import choose_skin, choose_thresholds, cuts_of, skin_counts

    strangers = _strangers(folder, seed)
    limits = _familiarity(network, strangers, [look.signals for look in looks])
    figures: dict[str, Any] = {"data": facts, "false_area_cost": false_area_cost}
    chosen: dict[str, Any] = {"familiarity": limits, "close_up_thresholds": None}
    # Views and close-ups differ in how much lesion they show, so each has its own, where the folder holds enough of both.
    close_ups = [look for look in looks if look.photo.view is View.CLOSE_UP]
    views = [look for look in looks if look.photo.view is not View.CLOSE_UP]
    several = min(sum(bool(look.photo.masks) for look in some) for some in (close_ups, views)) >= FEWEST_OF_A_KIND
    kinds = {"thresholds": views, "close_up_thresholds": close_ups} if several else {"thresholds": looks}
    # Lesions are cut inside skin, whose threshold all photographs of a kind must have told first.
    for key, some in kinds.items():
        now, told = network.folder.record.thresholds, {}
        counts = [skin_counts(look.photo, look.shape, look.levels) for look in some]
        if known := [count for count in counts if count is not None]:
            skin, told["skin"] = choose_skin(known)
            now = now.model_copy(update={"skin": skin})
        cuts = [(look.photo, cuts_of(look.photo, look.shape, look.levels, now.skin)) for look in some]
        telling = [
            cut for photo, cut in cuts if cut is not None and (cut.affected or not healthy or photo.file in healthy)
        ]
        choice = choose_thresholds(telling, now, false_area_cost=false_area_cost)
        figures[key], chosen[key] = told | choice.figures, choice.thresholds
    network = _changed(network, **chosen)
    return _changed(network, threshold_choice=figures | {"strange_pictures_refused": _refused(network, strangers)})


class _Look(NamedTuple):
    """What the network says of a photograph of height and width `shape`, kept in a byte a pixel: the `levels` of `levels_of`."""

    photo: PhotoEntry
    shape: tuple[int, int]
    levels: NDArray[np.uint8]
    signals: Signals


def _looked(network: Model, photos: Sequence[PhotoEntry], workers: int) -> list[_Look]:
    """What the network says of each photograph; those that cannot be read are left out."""
    from concurrent.futures import ThreadPoolExecutor

    from pasi_vision.errors import PhotoError
    from pasi_vision.photo import calibrate as calibrate_colours
    from pasi_vision.photo import check_photo, read_photo
    from pasi_vision.segment.familiarity import signals_of
    from pasi_vision.train.thresholds import levels_of

    def look(photo: PhotoEntry) -> _Look | None:
        try:
            read = read_photo(photo.file)
        except PhotoError as error:
            typer.echo(f"left out: {error}", err=True)
            return None
        image = calibrate_colours(read, check_photo(read, photo.view), photo.view)
        seen = network.outputs(image.pixels, image.view, image.calibration.mm_per_px)
        height, width = image.pixels.shape[:2]
        return _Look(photo, (height, width), levels_of(seen), signals_of(image.pixels, seen))

    told = []
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for number, one in enumerate(pool.map(look, photos), 1):
            told += [] if one is None else [one]
            show_progress(number, len(photos))
    return told


def _strangers(folder: DataFolder, seed: int) -> dict[str, list[NDArray[np.uint8]]]:
    """Pictures that are no photographs of skin, 8 of each kind; some are made of the folder's photographs."""
    import numpy as np

    from pasi_vision.photo import read_photo
    from pasi_vision.train.strangers import KINDS, stranger

    some = [read_photo(photo.file).pixels for photo in folder.photos[:: max(1, len(folder.photos) // 8)][:8]]
    chances = {kind: np.random.default_rng([seed, 2, *kind.encode()]) for kind in KINDS}
    return {kind: [stranger(kind, chance, some) for _ in range(8)] for kind, chance in chances.items()}


def _familiarity(
    network: Model, strangers: Mapping[str, Sequence[NDArray[np.uint8]]], known: Sequence[Signals]
) -> dict[str, float]:
    """Limits between the folder's photographs and the strangers."""
    from pasi_vision.segment.familiarity import signals_of
    from pasi_vision.train.strangers import familiarity_limits

    strange = {
        kind: [signals_of(pixels, network.outputs(pixels)) for pixels in some] for kind, some in strangers.items()
    }
    return familiarity_limits(known, strange)


def _refused(network: Model, strangers: Mapping[str, Sequence[NDArray[np.uint8]]]) -> dict[str, float]:
    """Share (0-1) of each kind of which the model says nothing, with a reason: beyond a limit, or without skin."""
    from pasi_vision.photo import calibrate as calibrate_colours
    from pasi_vision.photo import check_photo
    from pasi_vision.records import Photo

    shares = {}
    for kind, pictures in strangers.items():
        photos = [Photo(pixels, None, "") for pixels in pictures]
        reasons = [network.segment(calibrate_colours(photo, check_photo(photo))).reason for photo in photos]
        shares[kind] = round(sum(bool(reason) for reason in reasons) / len(reasons), 4)
    return shares


def _changed(network: Model, **changes: Any) -> Model:
    """The same model with another record; its files stay as they are."""
    from dataclasses import replace

    record = network.folder.record.model_copy(update=changes)
    return replace(network, folder=replace(network.folder, record=record))


def _halves(outcomes: Sequence[Outcome], seed: int) -> tuple[list[Outcome], list[Outcome]]:
    """Outcomes of one half of the patients, and of the other."""
    import numpy as np

    patients = sorted({o.photo.subject_id for o in outcomes})
    first = set(np.random.default_rng([seed, 1]).permutation(patients)[: len(patients) // 2].tolist())
    return (
        [o for o in outcomes if o.photo.subject_id in first],
        [o for o in outcomes if o.photo.subject_id not in first],
    )
