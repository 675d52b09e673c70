"""A data-contract folder (photos.csv, findings.csv, masks/) -> typed records; an error names file and row.

Masks are optional, each of the four for itself: a group may have outlines only. What a folder lacks is None here, never an empty mask,
because an empty mask means clear skin.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import GRADE_MAX, OTHER_SKIN, View
from pasi_vision.errors import InputError, TableError
from pasi_vision.records import SIGN_LEVELS_PER_GRADE, Masks
from pasi_vision.storage import read_picture
from pasi_vision.tables import FINDINGS, PHOTOS, read_table
from pasi_vision.train.split import PARTS, read_split

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MASK_KINDS", "DataFolder", "PhotoEntry", "Truth", "joined", "read_folder", "read_truth"]

MASK_KINDS = ("regions", "lesion", "outline", "signs")
"""Masks of one photograph: `masks/<photo stem>.<kind>.png`."""


@dataclass(frozen=True)
class PhotoEntry:
    """One row of photos.csv.

    Attributes:
        subject_id, visit, day, view, path: As in the row (path as given there).
        file: The photograph's absolute path.
        masks: Kind -> file of the masks that exist.
        where: File and row, for errors ("/data/photos.csv row 7").
        skin_tone, site_id: None where not recorded.
        further: Columns that the contract does not name (`preset`, `camera`, `mm_per_px` ...), as text.
    """

    subject_id: str
    visit: str
    day: int
    view: View
    path: str
    file: Path
    masks: Mapping[str, Path]
    where: str
    skin_tone: str | None = None
    site_id: str | None = None
    further: Mapping[str, str] = field(default_factory=dict)

    @property
    def mm_per_px(self) -> float | None:
        """Scale as a column `mm_per_px` states it (phantoms know theirs); None where it does not."""
        try:
            value = float(self.further.get("mm_per_px", ""))
        except ValueError:
            return None
        return value if np.isfinite(value) and value > 0 else None


@dataclass(frozen=True)
class DataFolder:
    """A data set in the contract's layout, or a part of one.

    Attributes:
        path: Of the folder.
        photos: In the order of photos.csv.
        findings: All of findings.csv; None where there is none.
        part: "train", "validation" or "test"; "" for the whole.
    """

    path: Path
    photos: tuple[PhotoEntry, ...]
    findings: pd.DataFrame | None
    part: str = ""

    @property
    def name(self) -> str:
        """Name of the folder, with its part."""
        return f"{self.path.name}#{self.part}" if self.part else self.path.name

    @property
    def patients(self) -> tuple[str, ...]:
        """Subjects, sorted."""
        return tuple(sorted({photo.subject_id for photo in self.photos}))


@dataclass(frozen=True)
class Truth:
    """Masks of one photograph as far as they exist, in its upright size: see `records.Masks` for each."""

    regions: NDArray[np.uint8] | None = None
    lesion: NDArray[np.bool_] | None = None
    outline: NDArray[np.bool_] | None = None
    signs: NDArray[np.uint8] | None = None

    @property
    def shape(self) -> tuple[int, int] | None:
        """(height, width) of the masks; None where there are none."""
        for mask in (self.regions, self.lesion, self.outline, self.signs):
            if mask is not None:
                return int(mask.shape[0]), int(mask.shape[1])
        return None

    def as_masks(self) -> Masks | None:
        """The record that `measure` takes; None unless regions, lesion and outline exist (without signs all grades are 0)."""
        if self.regions is None or self.lesion is None or self.outline is None:
            return None
        signs = self.signs if self.signs is not None else np.zeros((*self.regions.shape, 3), np.uint8)
        return Masks(self.regions, self.lesion, self.outline, signs, model="truth")


def read_folder(path: str | Path, *, need_masks: bool = False) -> DataFolder:
    """Read the tables of a folder and find the photographs and masks they name; no picture is decoded yet.

    Args:
        path: The folder; `folder#train`, `#validation` or `#test` for a part of it, as `pasi-vision data split` stored it.
        need_masks: Refuse a photograph that lacks its regions, lesion or outline mask.

    Raises:
        InputError: There is no such folder or no photos.csv.
        TableError: A table is wrong, a photograph or (if needed) a mask is missing, or two photographs would share their masks.
    """
    name, _, part = str(path).partition("#")
    folder = Path(name).resolve()
    if not folder.is_dir():
        raise InputError("no such folder", where=str(path), fix="Name a folder with a photos.csv (see data/README.md).")
    table = folder / "photos.csv"
    frame = read_table(table, PHOTOS)
    masks, facts = _masks_in(folder / "masks"), _phantom_facts(folder / "close_ups.json")
    named = {column.name for column in PHOTOS.columns}
    further = [name for name in frame.columns if name not in named]
    photos = []
    for at, row in enumerate(frame.to_dict("records")):
        where = f"{table} row {at + 2}"
        file = (folder / row["path"]).resolve()
        if not file.is_file():
            raise TableError(f"file {row['path']!r} not found", where=f"{where} column path", fix="Correct the path.")
        photos.append(
            PhotoEntry(
                subject_id=row["subject_id"],
                visit=row["visit"],
                day=int(row["day"]),
                view=View(row["view"]),
                path=row["path"],
                file=file,
                masks=masks.get(file.stem, {}),
                where=where,
                skin_tone=_text(row.get("skin_tone")),
                site_id=_text(row.get("site_id")),
                further=facts.get(file.stem, {})
                | {name: text for name in further if (text := _text(row[name])) is not None},
            )
        )
    _refuse_shared_masks(photos)
    if need_masks:
        _refuse_missing_masks(photos)
    if part:
        photos = _only(photos, folder, part)
    findings = folder / "findings.csv"
    return DataFolder(folder, tuple(photos), read_table(findings, FINDINGS) if findings.is_file() else None, part)


def joined(folders: Sequence[DataFolder]) -> DataFolder:
    """Several folders as one; subjects get their folder's name before their own, so that equal pseudonyms stay two people."""
    if len(folders) == 1:
        return folders[0]
    import pandas as pd

    photos = tuple(
        replace(photo, subject_id=f"{folder.name}/{photo.subject_id}") for folder in folders for photo in folder.photos
    )
    tables = [
        folder.findings.assign(subject_id=[f"{folder.name}/{subject}" for subject in folder.findings["subject_id"]])
        for folder in folders
        if folder.findings is not None
    ]
    return DataFolder(folders[0].path, photos, pd.concat(tables, ignore_index=True) if tables else None)


def read_truth(photo: PhotoEntry, *, shape: tuple[int, int] | None = None) -> Truth:
    """Read the masks of one photograph.

    Args:
        photo: Of a folder.
        shape: (height, width) of the upright photograph, if known: masks of another size are refused.

    Raises:
        InputError: A mask is no picture, of another size than the photograph or the other masks, or holds values that mean nothing.
    """
    read = {kind: read_picture(file, grey=kind != "signs") for kind, file in photo.masks.items()}
    for kind, mask in read.items():
        height, width = shape or next(iter(read.values())).shape[:2]
        if mask.shape[:2] != (height, width):
            raise InputError(
                f"the {kind} mask is {mask.shape[1]} x {mask.shape[0]}, the photograph or another mask {width} x {height}",
                where=f"{photo.masks[kind]} ({photo.where})",
                fix="Write all masks in the photograph's upright size.",
            )
    _refuse_values(photo, read)
    binary = {kind: read[kind] > 127 for kind in ("lesion", "outline") if kind in read}
    return Truth(read.get("regions"), binary.get("lesion"), binary.get("outline"), read.get("signs"))


def _text(cell: object) -> str | None:
    """A cell as text; None where it is empty (pandas gives None, NaN or "")."""
    return None if cell is None or cell != cell or cell == "" else str(cell)


def _masks_in(folder: Path) -> dict[str, dict[str, Path]]:
    """Photo stem -> kind -> file."""
    found: dict[str, dict[str, Path]] = {}
    if folder.is_dir():
        for file in sorted(folder.glob("*.png")):
            stem, _, kind = file.stem.rpartition(".")
            if kind in MASK_KINDS and stem:
                found.setdefault(stem, {})[kind] = file
    return found


def _only(photos: list[PhotoEntry], folder: Path, part: str) -> list[PhotoEntry]:
    """The photographs of one part of a stored split."""
    split = read_split(folder)
    if split is None:
        raise InputError("the folder was not split", where=str(folder), fix="Run `pasi-vision data split` on it first.")
    if part not in PARTS:
        raise InputError(f"part {part!r} is not known", where=f"{folder}#{part}", fix=f"Use one of {', '.join(PARTS)}.")
    for photo in photos:
        if photo.subject_id not in split.patients:
            raise InputError(
                f"{photo.subject_id} is in no part of the split",
                where=photo.where,
                fix="Run `pasi-vision data split` again: it adds new patients and moves nobody.",
            )
    return [photo for photo in photos if split.patients[photo.subject_id] == part]


def _phantom_facts(file: Path) -> dict[str, dict[str, str]]:
    """Photo stem -> what phantom close-ups know of themselves: the scene, and the skin by its individual typology angle.

    Bands of the angle: Del Bino & Bernerd, Br J Dermatol 2013;169(Suppl 3):33 (light above 28 degrees, dark below -30).
    """
    if not file.is_file():
        return {}
    try:
        pictures = json.loads(file.read_text(encoding="utf-8"))["pictures"]
        found: dict[str, dict[str, str]] = {}
        for stem, facts in pictures.items():
            found[stem] = {"scene": str(facts["scene"])} if "scene" in facts else {}
            if "ita_deg" in facts:
                angle = float(facts["ita_deg"])
                found[stem]["ita_band"] = "light" if angle > 28 else "medium" if angle > -30 else "dark"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"not a record of close-ups ({error})", where=str(file), fix="Make the set again.") from error
    return found


def _refuse_shared_masks(photos: list[PhotoEntry]) -> None:
    stems = Counter(photo.file.stem for photo in photos if photo.masks)
    for photo in photos:
        if stems[photo.file.stem] > 1:
            raise TableError(
                f"{stems[photo.file.stem]} photographs are called {photo.file.stem!r} and would share their masks",
                where=f"{photo.where} column path",
                fix="Give every photograph its own file name.",
            )


def _refuse_missing_masks(photos: list[PhotoEntry]) -> None:
    for photo in photos:
        missing = [kind for kind in ("regions", "lesion", "outline") if kind not in photo.masks]
        if missing:
            raise TableError(
                f"mask masks/{photo.file.stem}.{missing[0]}.png is missing",
                where=f"{photo.where} column path",
                fix="Add the mask, or leave the photograph out.",
            )


def _refuse_values(photo: PhotoEntry, read: Mapping[str, NDArray[np.uint8]]) -> None:
    if "regions" in read and (worst := int(read["regions"].max(initial=0))) > OTHER_SKIN:
        raise InputError(
            f"region class {worst} does not exist",
            where=f"{photo.masks['regions']} ({photo.where})",
            fix=f"Use 0 to {OTHER_SKIN}.",
        )
    for kind in ("lesion", "outline"):
        if kind in read and not _is_binary(read[kind]):
            raise InputError(
                "a mask of 0 and 255 holds values between",
                where=f"{photo.masks[kind]} ({photo.where})",
                fix="Write 0 where there is no lesion and 255 where there is; do not scale masks with smoothing.",
            )
    if "signs" in read and (worst := int(read["signs"].max(initial=0))) > GRADE_MAX * SIGN_LEVELS_PER_GRADE:
        raise InputError(
            f"a grade of {worst / SIGN_LEVELS_PER_GRADE:.2f} is off the scale",
            where=f"{photo.masks['signs']} ({photo.where})",
            fix=f"Write grade x {SIGN_LEVELS_PER_GRADE}, at most {GRADE_MAX * SIGN_LEVELS_PER_GRADE}.",
        )


def _is_binary(mask: NDArray[np.uint8]) -> bool:
    return int(np.count_nonzero(mask == 0) + np.count_nonzero(mask == 255)) == mask.size
