"""Does a folder keep the data contract: every fault found at once, counts, and what would let a test leak into training.

Leakage is looked for by patient (one pseudonym in two folders) and by picture: photographs that are nearly the same under different
pseudonyms, or in different folders or parts. A perceptual hash (the signs of the lowest cosine frequencies; Zauner 2010) finds
candidates, a thumbnail confirms them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import Region, Sign
from pasi_vision.errors import InputError, PasiVisionError
from pasi_vision.photo import read_photo
from pasi_vision.train.folder import DataFolder, PhotoEntry, Truth, read_truth
from pasi_vision.train.split import read_split

__all__ = ["Problem", "Report", "Severity", "Thumbnail", "check_folders", "near_duplicates", "thumbnail_of"]

HASH_BITS_APART = 14
"""Hashes of 63 bits that differ in no more than this are candidates.

Of 180 phantoms cut by up to 3 %, reduced to 0.7, made up to 10 % lighter or darker and saved as JPEG of quality 60, 174 were found
again with these limits, and none of 900 different ones were taken for each other."""

LEVELS_APART = 10.0
"""Mean absolute difference of two thumbnails (8-bit levels, brightness evened out) up to which they show the same."""

_SIDE = 32
_OFF_SKIN_PERCENT = 1.0


class Severity(StrEnum):
    """What a problem means."""

    ERROR = "error"  # breaks the contract, or leaks: training or testing on it is wrong
    WARNING = "warning"  # to be looked at


@dataclass(frozen=True)
class Problem:
    """One fault: where (file and row) and what."""

    severity: Severity
    where: str
    what: str


@dataclass(frozen=True)
class Thumbnail:
    """A photograph reduced to what near-duplicates share.

    Attributes:
        photo: Its row.
        set_name: Folder (and part) it stands in.
        sha256: Of the file.
        bits: Perceptual hash.
        small: (32, 32, 3) float32 sRGB with even brightness.
    """

    photo: PhotoEntry
    set_name: str
    sha256: str
    bits: int
    small: NDArray[np.float32]


@dataclass
class Report:
    """Problems, worst first within a folder, and counts: heading -> value -> number."""

    problems: list[Problem] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def errors(self) -> list[Problem]:
        """The problems that break the contract or leak."""
        return [problem for problem in self.problems if problem.severity is Severity.ERROR]


def check_folders(folders: Sequence[DataFolder], progress: Callable[[int, int], None] | None = None) -> Report:
    """Check one or several folders (several: such as training and test sets, which must not share anybody).

    Args:
        folders: As `read_folder` gives them.
        progress: Told after each photograph.

    Returns:
        All problems at once: nothing is raised for what is wrong with a photograph or a mask.
    """
    report = Report()
    thumbnails: list[Thumbnail] = []
    total = sum(len(folder.photos) for folder in folders)
    seen = 0
    for folder in folders:
        report.counts |= {f"{folder.name}: {name}": rows for name, rows in _counts(folder).items()}
        for photo in folder.photos:
            thumbnail, problems = _check_photo(photo, folder.name)
            report.problems += problems
            thumbnails += [thumbnail] if thumbnail is not None else []
            seen += 1
            if progress is not None:
                progress(seen, total)
    report.problems += _shared_patients(folders)
    report.problems += _leaks(thumbnails, _parts(folders))
    return report


def thumbnail_of(photo: PhotoEntry, set_name: str, pixels: NDArray[np.uint8], sha256: str) -> Thumbnail:
    """Hash and thumbnail of a photograph."""
    import cv2

    small = cv2.resize(pixels, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    grey = small @ np.array([0.299, 0.587, 0.114], np.float32)
    low = cv2.dct(grey)[:8, :8].ravel()[1:]
    bits = int.from_bytes(np.packbits(low > np.median(low)).tobytes(), "big")
    return Thumbnail(photo, set_name, sha256, bits, small - small.mean() + 128)


def near_duplicates(thumbnails: Sequence[Thumbnail]) -> list[tuple[Thumbnail, Thumbnail]]:
    """Pairs that show nearly the same, in the order of the first."""
    if len(thumbnails) < 2:
        return []
    bits = np.array([thumbnail.bits for thumbnail in thumbnails], np.uint64)
    pairs = []
    for at in range(len(thumbnails) - 1):
        apart = np.bitwise_count(bits[at + 1 :] ^ bits[at])
        for other in np.flatnonzero(apart <= HASH_BITS_APART) + at + 1:
            first, second = thumbnails[at], thumbnails[int(other)]
            if first.sha256 == second.sha256 or np.abs(first.small - second.small).mean() <= LEVELS_APART:
                pairs.append((first, second))
    return pairs


def _check_photo(photo: PhotoEntry, set_name: str) -> tuple[Thumbnail | None, list[Problem]]:
    try:
        read = read_photo(photo.file)
    except PasiVisionError as error:
        return None, [Problem(Severity.ERROR, photo.where, f"{photo.path}: {error.what}")]
    thumbnail = thumbnail_of(photo, set_name, read.pixels, read.sha256)
    try:
        truth = read_truth(photo, shape=(read.pixels.shape[0], read.pixels.shape[1]))
    except InputError as error:
        return thumbnail, [Problem(Severity.ERROR, error.where, error.what)]
    return thumbnail, [Problem(Severity.WARNING, photo.where, what) for what in _oddities(truth)]


def _oddities(truth: Truth) -> Iterable[str]:
    """What masks of one photograph should not do, each as a sentence."""
    skin = None if truth.regions is None else truth.regions > 0
    for name, mask in (("lesion", truth.lesion), ("outline", truth.outline)):
        if mask is not None and skin is not None and (off := _share(mask & ~skin, mask)) > _OFF_SKIN_PERCENT:
            yield f"{off:.1f} % of the {name} mask lies off the skin"
    if truth.lesion is not None and truth.outline is not None:
        outside = _share(truth.lesion & ~truth.outline, truth.lesion)
        if outside > 20:
            yield f"{outside:.1f} % of the lesion mask lies outside the outline, which should enclose it"
    if truth.signs is not None and truth.lesion is not None:
        ungraded = _share(truth.lesion & ~truth.signs.any(-1), truth.lesion)
        if ungraded > 20:
            yield f"{ungraded:.1f} % of the lesion has no grade of any sign"
    if truth.regions is not None and not truth.regions.any():
        yield "the regions mask shows no skin at all"


def _share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float:
    return 100.0 * int(np.count_nonzero(part)) / max(1, int(np.count_nonzero(whole)))


def _counts(folder: DataFolder) -> dict[str, dict[str, int]]:
    """Photographs by view, skin tone and site; masks by kind; findings by rater, by region and by grade of each sign."""
    photos = folder.photos
    counts = {
        "all": {
            "patients": len(folder.patients),
            "visits": len({(photo.subject_id, photo.visit) for photo in photos}),
            "photographs": len(photos),
        },
        "photographs by view": Counter(str(photo.view) for photo in photos),
        "patients by skin tone": Counter(dict(_one_each(photos, "skin_tone")).values()),
        "patients by site": Counter(dict(_one_each(photos, "site_id")).values()),
        "masks": Counter(kind for photo in photos for kind in photo.masks),
    }
    if folder.findings is not None:
        table = folder.findings
        counts["findings by rater"] = Counter(table["rater"])
        affected = table[table["area_percent"].fillna(0) > 0] if "area_percent" in table else table
        counts["affected findings by region"] = {str(r): int((affected["region"] == r).sum()) for r in Region}
        for sign in Sign:
            grades = affected[sign].dropna().round().astype(int)
            counts[f"affected findings by {sign}"] = {str(g): int(n) for g, n in sorted(Counter(grades).items())}
    return {name: dict(sorted(rows.items())) if name != "all" else dict(rows) for name, rows in counts.items()}


def _one_each(photos: Iterable[PhotoEntry], column: str) -> Iterable[tuple[str, str]]:
    """Subject and what is recorded of it."""
    for photo in photos:
        yield photo.subject_id, getattr(photo, column) or "not recorded"


def _shared_patients(folders: Sequence[DataFolder]) -> list[Problem]:
    problems = []
    for at, first in enumerate(folders):
        for second in folders[at + 1 :]:
            shared = sorted(set(first.patients) & set(second.patients))
            if shared:
                more = f" and {len(shared) - 1} more" if len(shared) > 1 else ""
                what = f"patient {shared[0]}{more} is in both {first.name} and {second.name}"
                problems.append(
                    Problem(Severity.ERROR, f"{first.path / 'photos.csv'} and {second.path / 'photos.csv'}", what)
                )
    return problems


def _parts(folders: Sequence[DataFolder]) -> dict[tuple[str, str], str]:
    """(set, subject) -> part of the split, where a whole folder was split."""
    parts = {}
    for folder in folders:
        split = None if folder.part else read_split(folder.path)
        for subject, part in (split.patients if split else {}).items():
            parts[folder.name, subject] = part
    return parts


def _leaks(thumbnails: Sequence[Thumbnail], parts: dict[tuple[str, str], str]) -> list[Problem]:
    """Near-duplicates under two pseudonyms, in two sets or in two parts; of one patient in one part they are only odd if identical."""
    problems = []
    for first, second in near_duplicates(thumbnails):
        same_file = first.sha256 == second.sha256
        alike = "is the same file as" if same_file else "shows nearly the same as"
        where = f"{first.photo.where} and {second.photo.where}"
        what = f"{first.photo.path} {alike} {second.photo.path}"
        part = [parts.get((one.set_name, one.photo.subject_id), "") for one in (first, second)]
        if first.set_name != second.set_name or part[0] != part[1]:
            between = " and ".join(
                f"{one.set_name} {name}".strip() for one, name in zip((first, second), part, strict=True)
            )
            problems.append(Problem(Severity.ERROR, where, f"{what}: it leaks between {between}"))
        elif first.photo.subject_id != second.photo.subject_id:
            who = f"{first.photo.subject_id} and {second.photo.subject_id}"
            problems.append(Problem(Severity.ERROR, where, f"{what}: one person under two pseudonyms ({who})?"))
        elif same_file:
            problems.append(Problem(Severity.WARNING, where, f"{what}: the photograph counts twice"))
    return problems
