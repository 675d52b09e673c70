"""Training, validation and test by patient, stratified by site and skin tone, stored beside the data and never re-drawn.

A patient who was drawn once stays where he is: patients who join later are drawn around him. `DIR#test` names a part of a folder
wherever a data folder is named.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pasi_vision.errors import InputError
from pasi_vision.storage import write_json

if TYPE_CHECKING:
    from pasi_vision.train.folder import PhotoEntry

__all__ = ["PARTS", "SPLIT_FILE", "Split", "draw_split", "read_split", "strata_of", "write_split"]

SPLIT_FILE = "split.json"
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Who belongs to which part.

    Attributes:
        seed: It was drawn with.
        shares: Part -> share of the patients (sums to 1).
        patients: Subject -> part.
    """

    seed: int
    shares: Mapping[str, float]
    patients: Mapping[str, str]

    def count(self) -> dict[str, int]:
        """Part -> patients."""
        counts = Counter(self.patients.values())
        return {part: counts[part] for part in PARTS}


def strata_of(photos: Iterable[PhotoEntry]) -> dict[str, tuple[str, str]]:
    """Subject -> (site, skin tone) of the first photograph that records them."""
    found: dict[str, tuple[str, str]] = {}
    for photo in photos:
        site, tone = found.get(photo.subject_id, ("", ""))
        found[photo.subject_id] = (site or photo.site_id or "", tone or photo.skin_tone or "")
    return found


def draw_split(
    strata: Mapping[str, tuple[str, str]], shares: Sequence[float], seed: int, before: Split | None = None
) -> Split:
    """Draw a split, or draw newcomers into one.

    Each stratum is shared out as evenly as whole patients allow, and so is the whole: a patient goes to the part that lacks most in the
    stratum and in the whole together.

    Args:
        strata: Subject -> stratum.
        shares: Of train, validation and test; they sum to 1.
        seed: Decides the order within a stratum.
        before: A split that stands already: nobody in it is moved.

    Raises:
        InputError: The shares are impossible, there is nobody to split, or the shares or seed are not those of the split before.
    """
    wanted = _checked_shares(shares)
    if not strata:
        raise InputError("there is no patient to split", fix="Name a folder with photographs.")
    if before is not None and (dict(before.shares) != wanted or before.seed != seed):
        raise InputError(
            f"a split with seed {before.seed} and shares {', '.join(f'{s:g}' for s in before.shares.values())} stands already",
            where=SPLIT_FILE,
            fix="A split is never drawn again; give the same seed and shares to add new patients.",
        )
    patients = dict(before.patients) if before else {}
    in_stratum: dict[tuple[str, str], Counter[str]] = {stratum: Counter() for stratum in set(strata.values())}
    for subject, part in patients.items():
        if subject in strata:
            in_stratum[strata[subject]][part] += 1
    whole = Counter(patients.values())
    newcomers = sorted(set(strata) - set(patients))
    order = [newcomers[at] for at in np.random.default_rng([seed, len(patients)]).permutation(len(newcomers))]
    for subject in sorted(order, key=lambda name: strata[name]):  # stable: shuffled within a stratum
        here = in_stratum[strata[subject]]
        part = max(PARTS, key=lambda name: (_lack(here, wanted, name) + _lack(whole, wanted, name), wanted[name]))
        patients[subject] = part
        here[part] += 1
        whole[part] += 1
    return Split(seed, wanted, dict(sorted(patients.items())))


def write_split(folder: Path, split: Split) -> None:
    """Write split.json into a data folder."""
    write_json(folder / SPLIT_FILE, {"seed": split.seed, "shares": split.shares, "patients": split.patients})


def read_split(folder: Path) -> Split | None:
    """The split of a data folder; None if it has none.

    Raises:
        InputError: split.json is damaged or names a part that does not exist.
    """
    file = folder / SPLIT_FILE
    if not file.is_file():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        split = Split(int(content["seed"]), dict(content["shares"]), dict(content["patients"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"not a readable split ({error})", where=str(file), fix="Restore it from a copy.") from error
    wrong = {subject: part for subject, part in split.patients.items() if part not in PARTS}
    if wrong or tuple(split.shares) != PARTS:
        subject, part = next(iter(wrong.items()), ("", str(list(split.shares))))
        raise InputError(
            f"part {part!r} of {subject or 'shares'} is not known", where=str(file), fix=f"Use {', '.join(PARTS)}."
        )
    return split


def _checked_shares(shares: Sequence[float]) -> dict[str, float]:
    if len(shares) != len(PARTS) or min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
        raise InputError(
            f"shares {', '.join(f'{s:g}' for s in shares)} are impossible",
            fix="Give three shares (train, validation, test) of 0 or more that sum to 1.",
        )
    return dict(zip(PARTS, (float(s) for s in shares), strict=True))


def _lack(counts: Counter[str], shares: Mapping[str, float], part: str) -> float:
    """How many patients a part would lack if one more were there."""
    return round(shares[part] * (sum(counts.values()) + 1) - counts[part], 9)
