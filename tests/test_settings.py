"""Settings files: one that is based on another says only what is its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from pasi_vision.errors import SettingsError
from pasi_vision.settings import Settings, load_settings


class _Inner(Settings):
    low: int = 0
    high: int = 0


class _Outer(Settings):
    name: str
    inner: _Inner = _Inner()
    sides: tuple[int, ...] = ()


def _write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_what_stands_beside_the_base_counts_key_by_key(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    _write(tmp_path / "below", first="name: first\ninner: {low: 1, high: 2}\nsides: [1, 2]\n")
    _write(
        tmp_path, second="based_on: below/first.yaml\ninner: {high: 5}\n", third="based_on: second.yaml\nsides: [3]\n"
    )
    assert load_settings(_Outer, tmp_path / "second.yaml") == _Outer(
        name="first", inner=_Inner(low=1, high=5), sides=(1, 2)
    )
    assert load_settings(_Outer, tmp_path / "third.yaml") == _Outer(
        name="first", inner=_Inner(low=1, high=5), sides=(3,)
    )


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a": "based_on: a.yaml\n"}, "is based on itself"),
        ({"a": "based_on: b.yaml\n", "b": "based_on: a.yaml\n"}, "is based on itself"),
        ({"a": "based_on: none.yaml\n"}, "file not found"),
        ({"a": "based_on: 3\n"}, "based_on is no path"),
        ({"a": "based_on: b.yaml\n", "b": "- 1\n"}, "holds a list"),
        ({"a": "based_on: b.yaml\nname: x\n", "b": "nam: y\n"}, "unknown key"),
        ({"a": "based_on: b.yaml\n", "b": "{\n"}, "not a YAML file"),
    ],
)
def test_a_wrong_base_is_named(tmp_path: Path, files: dict[str, str], said: str) -> None:
    _write(tmp_path, **files)
    with pytest.raises(SettingsError, match=said) as error:
        load_settings(_Outer, tmp_path / "a.yaml")
    assert ".yaml" in str(error.value)
