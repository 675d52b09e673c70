"""Splits are by patient, even within sites and skin tones, stored, and never drawn again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pasi_vision.errors import InputError
from pasi_vision.train.folder import read_folder
from pasi_vision.train.split import Split, draw_split, read_split, strata_of, write_split

SHARES = (0.6, 0.2, 0.2)


def people(count: int, start: int = 0) -> dict[str, tuple[str, str]]:
    """Patients of two sites and two tones, in equal numbers."""
    return {f"P{n:03d}": (f"site{n % 2}", "II" if n % 4 < 2 else "V") for n in range(start, start + count)}


def test_every_stratum_is_shared_out_evenly() -> None:
    strata = people(80)
    split = draw_split(strata, SHARES, seed=7)
    assert split.count() == {"train": 48, "validation": 16, "test": 16}
    for stratum in set(strata.values()):
        parts = Counter(split.patients[name] for name, where in strata.items() if where == stratum)
        assert parts == {"train": 12, "validation": 4, "test": 4}


def test_small_strata_do_not_all_fall_into_one_part() -> None:
    strata = {f"P{n}": (f"site{n}", "") for n in range(20)}  # every site has one patient
    assert draw_split(strata, SHARES, seed=1).count() == {"train": 12, "validation": 4, "test": 4}


def test_the_same_seed_draws_the_same_and_the_order_of_rows_does_not_matter() -> None:
    strata = people(40)
    backwards = dict(reversed(list(strata.items())))
    assert draw_split(strata, SHARES, seed=3) == draw_split(backwards, SHARES, seed=3)
    assert draw_split(strata, SHARES, seed=3).patients != draw_split(strata, SHARES, seed=4).patients


def test_nobody_is_moved_when_patients_join() -> None:
    first = draw_split(people(40), SHARES, seed=3)
    later = draw_split(people(60), SHARES, seed=3, before=first)
    assert {name: later.patients[name] for name in first.patients} == first.patients
    assert later.count() == {"train": 36, "validation": 12, "test": 12}
    gone = draw_split(people(10), SHARES, seed=3, before=first)
    assert gone.patients == first.patients  # who left the table keeps his place


def test_other_shares_or_another_seed_are_refused() -> None:
    first = draw_split(people(10), SHARES, seed=3)
    with pytest.raises(InputError, match="never drawn again"):
        draw_split(people(10), SHARES, seed=4, before=first)
    with pytest.raises(InputError, match="stands already"):
        draw_split(people(10), (0.8, 0.1, 0.1), seed=3, before=first)


@pytest.mark.parametrize("shares", [(0.5, 0.2, 0.2), (1.2, -0.1, -0.1), (0.5, 0.5)])
def test_impossible_shares(shares: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="impossible"):
        draw_split(people(10), shares, seed=1)


def test_stored_and_read_back(tmp_path: Path) -> None:
    split = draw_split(people(10), SHARES, seed=3)
    assert read_split(tmp_path) is None
    write_split(tmp_path, split)
    assert read_split(tmp_path) == split
    write_split(tmp_path, Split(3, split.shares, {"P000": "holdout"}))
    with pytest.raises(InputError, match="part 'holdout' of P000 is not known"):
        read_split(tmp_path)


def test_a_part_of_a_folder_holds_whole_patients(make_photo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    import numpy as np

    for patient in range(10):
        for shot in "ab":
            make_photo(f"p{patient}{shot}", np.zeros((8, 8), bool), subject=f"P{patient}")
    with pytest.raises(InputError, match="was not split"):
        read_folder(f"{tmp_path}#test")
    whole = read_folder(tmp_path)
    write_split(tmp_path, draw_split(strata_of(whole.photos), SHARES, seed=1))
    parts = {part: read_folder(f"{tmp_path}#{part}") for part in ("train", "validation", "test")}
    assert sum(len(part.photos) for part in parts.values()) == 20
    assert {len(part.photos) for part in parts.values()} == {12, 4}
    assert not set(parts["train"].patients) & set(parts["test"].patients)
    assert parts["test"].name == f"{tmp_path.name}#test"
    make_photo("late", np.zeros((8, 8), bool))
    with pytest.raises(InputError, match="late is in no part of the split"):
        read_folder(f"{tmp_path}#test")
