"""`pasi-vision data import | export`: annotations of other tools into a data folder, and its masks out to them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pasi_vision.exchange.annotations import AnnotatedImage


class Format(StrEnum):
    """Formats that annotation tools write."""

    COCO = "coco"
    CVAT = "cvat"
    LABEL_STUDIO = "label-studio"
    MASKS = "masks"


_KINDS = ("regions", "lesion", "outline", "signs")


def register(app: typer.Typer) -> None:
    """Add the commands to the group `data`, which stands in `data.py`."""
    group = next(found.typer_instance for found in app.registered_groups if found.name == "data")
    if group is not None:
        group.command("import")(import_annotations)
        group.command("export")(export_annotations)


def import_annotations(
    source: Annotated[
        Path, typer.Argument(metavar="ANNOTATIONS", help="The export; for `masks` a folder of PNG files.")
    ],
    into: Annotated[Path, typer.Option("--into", help="Data folder with photos.csv; masks are written to its masks/.")],
    written_as: Annotated[Format, typer.Option("--format", help="What wrote it.")],
    meanings: Annotated[
        list[str] | None, typer.Option("--map", help="LABEL=MEANING: lesion, outline, trunk, erythema:2, ignore ...")
    ] = None,
    label: Annotated[str, typer.Option(help="For `masks`: what they show.")] = "outline",
    rater: Annotated[str | None, typer.Option(help="For `label-studio`: whose annotations, if several.")] = None,
    empty_is_clear: Annotated[
        bool, typer.Option("--empty-is-clear", help="An image without any mark shows clear skin, not unfinished work.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite masks that are there.")] = False,
) -> None:
    """Turn annotations into masks beside the photographs of a data folder. Nothing is written unless all of it can be."""
    from pasi_vision.errors import InputError
    from pasi_vision.exchange.annotations import kinds_of, masks_of
    from pasi_vision.exchange.matching import matched
    from pasi_vision.photo import read_photo
    from pasi_vision.storage import output_folder, write_picture
    from pasi_vision.tables import PHOTOS, read_table

    paths = [str(path) for path in read_table(into / "photos.csv", PHOTOS)["path"]]
    images = _read(source, written_as, label, rater)
    mapping = dict(_meaning(text) for text in meanings or [])
    kinds = kinds_of(images, mapping)
    marked = [image for image in images if image.marks or empty_is_clear]
    found: dict[int, AnnotatedImage] = {}
    for image in marked:
        at = matched(image.name, paths, image.where)
        if at in found:
            raise InputError(f"annotates {paths[at]!r} a second time", where=image.where, fix="Leave one of them out.")
        found[at] = image
    targets = {at: {kind: into / "masks" / f"{Path(paths[at]).stem}.{kind}.png" for kind in kinds} for at in found}
    there = [file for files in targets.values() for file in files.values() if file.exists()]
    if there and not replace:
        raise InputError("is there already", where=str(there[0]), fix="Add --replace to overwrite it.")
    # First everything is drawn once, so that a fault in the last image leaves the folder as it was; then again, to be written.
    for write in (False, True):
        for at, image in found.items():
            masks = masks_of(image, kinds, mapping, read_photo(into / paths[at]).pixels.shape[:2])
            if write:
                output_folder(into / "masks")
                for kind, mask in masks.items():
                    write_picture(targets[at][kind], mask)
    left = len(images) - len(marked)
    typer.echo(f"{len(found)} photographs: {', '.join(kinds) or 'nothing'} -> {into / 'masks'}")
    if left:
        typer.echo(
            f"{left} images without any mark were left out (--empty-is-clear takes them as clear skin)", err=True
        )


def export_annotations(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Data folder with photos.csv and masks/.")],
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
    written_as: Annotated[Format, typer.Option("--format", help="For which tool: coco, cvat or label-studio.")],
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", help="Masks to take: regions, lesion, outline, signs.")
    ] = None,
) -> None:
    """Write a folder's masks for an annotation tool, to be corrected there (a model's, for instance) and imported again."""
    from pasi_vision.errors import InputError
    from pasi_vision.exchange.annotations import AnnotatedImage, marks_of_masks
    from pasi_vision.exchange.coco import write_coco
    from pasi_vision.exchange.cvat import write_cvat
    from pasi_vision.exchange.label_studio import write_label_studio
    from pasi_vision.storage import read_picture
    from pasi_vision.tables import PHOTOS, read_table

    if written_as is Format.MASKS:
        raise InputError("the folder holds plain masks already", where="--format", fix="Use its masks/ as they are.")
    unknown = set(kinds or []) - set(_KINDS)
    if unknown:
        raise InputError(f"kind {min(unknown)!r} is not known", where="--kind", fix=f"Use one of {', '.join(_KINDS)}.")
    images = []
    for path in read_table(folder / "photos.csv", PHOTOS)["path"]:
        files = {kind: folder / "masks" / f"{Path(path).stem}.{kind}.png" for kind in kinds or _KINDS}
        masks = {kind: read_picture(file, grey=kind != "signs") for kind, file in files.items() if file.exists()}
        if not masks:
            continue
        height, width = next(iter(masks.values())).shape[:2]
        images.append(AnnotatedImage(str(path), width, height, marks_of_masks(masks, str(folder / path)), str(path)))
    if not images:
        raise InputError("no masks to export", where=str(folder / "masks"), fix="Check the folder and --kind.")
    writers = {Format.COCO: write_coco, Format.CVAT: write_cvat, Format.LABEL_STUDIO: write_label_studio}
    writers[written_as](out, images)
    typer.echo(f"{len(images)} photographs -> {out}")


def _read(source: Path, written_as: Format, label: str, rater: str | None) -> list[AnnotatedImage]:
    from pasi_vision.exchange.coco import read_coco
    from pasi_vision.exchange.cvat import read_cvat
    from pasi_vision.exchange.label_studio import read_label_studio

    if written_as is Format.MASKS:
        return _plain(source, label)
    if written_as is Format.LABEL_STUDIO:
        return read_label_studio(source, rater)
    return read_coco(source) if written_as is Format.COCO else read_cvat(source)


def _plain(folder: Path, label: str) -> list[AnnotatedImage]:
    """A folder of masks named like their photographs: P1.png, P1_mask.png, P1.lesion.png ..."""
    from pasi_vision.errors import InputError
    from pasi_vision.exchange.plain_masks import image_of_mask
    from pasi_vision.photo import read_photo

    files = sorted(folder.glob("*.png")) if folder.is_dir() else []
    if not files:
        raise InputError("no PNG masks there", where=str(folder), fix="Give a folder of PNG masks.")
    endings = (f".{label}", f"_{label}", f"-{label}", "_mask", "-mask", ".mask")
    images = []
    for file in files:
        stem = next((file.stem.removesuffix(ending) for ending in endings if file.stem.endswith(ending)), file.stem)
        images.append(image_of_mask(stem, read_photo(file).pixels, label, str(file)))
    return images


def _meaning(text: str) -> tuple[str, str]:
    from pasi_vision.errors import InputError

    label, equals, target = text.rpartition("=")
    if not equals or not label:
        raise InputError(f"{text!r} is not LABEL=MEANING", where="--map", fix="Write --map 'Plaque=lesion'.")
    return label, target.strip()
