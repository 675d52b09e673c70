"""The declared scale of a rating: its ends, whether it is nominal, ordinal or continuous, and its categories.

Agreement on a scale cannot be worked out from the grades that happen to occur: kappa, AC1 and AC2 need all categories that a rater
could have chosen. So the scale is declared, never guessed from the values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import InputError

__all__ = ["MOST_CATEGORIES", "Scale", "ScaleKind", "parse_scale"]

MOST_CATEGORIES = 60
"""A scale of more steps than this is treated as continuous: its confusion table says nothing that a difference does not."""

_MOST_IMPLIED_CATEGORIES = 11
_RANGE = re.compile(
    r"^\s*(?P<low>-?\d+(?:\.\d+)?)\s*(?:-|–|\.\.|to)\s*(?P<high>-?\d+(?:\.\d+)?)(?P<rest>(?:\s+\S+)*)\s*$",
    re.IGNORECASE,
)


class ScaleKind(StrEnum):
    """What may be computed with the values."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    CONTINUOUS = "continuous"


@dataclass(frozen=True)
class Scale:
    """A declared scale.

    Attributes:
        kind: Nominal, ordinal or continuous; None when no scale was declared (the values are then taken as numbers).
        low, high: Its ends (inclusive); None where open.
        step: Distance of neighbouring categories; None on a continuous scale.
        words: The categories' names in order where grades are words; their values are then 0, 1, 2 ...
    """

    kind: ScaleKind | None = None
    low: float | None = None
    high: float | None = None
    step: float | None = None
    words: tuple[str, ...] = ()

    @property
    def categories(self) -> NDArray[np.float64]:
        """Every category's value in order; empty on a continuous or undeclared scale."""
        if self.kind not in (ScaleKind.NOMINAL, ScaleKind.ORDINAL) or self.low is None or self.high is None:
            return np.empty(0)
        step = self.step or 1.0
        return np.asarray(self.low + step * np.arange(round((self.high - self.low) / step) + 1), dtype=np.float64)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every category's name in order."""
        return self.words or tuple(f"{value:g}" for value in self.categories)

    @property
    def is_categorical(self) -> bool:
        """Whether kappa and its kin can be computed."""
        return self.kind in (ScaleKind.NOMINAL, ScaleKind.ORDINAL)

    @property
    def is_numeric(self) -> bool:
        """Whether differences and means can be computed."""
        return self.kind is not ScaleKind.NOMINAL

    def __str__(self) -> str:
        if self.kind is None:
            return "not declared"
        if self.words:
            return f"{','.join(self.words)} {self.kind}"
        step = f" step {self.step:g}" if self.step not in (None, 1.0) else ""
        return f"{self.low:g}-{self.high:g} {self.kind}{step}"


def parse_scale(text: str | Scale | None) -> Scale:
    """Read a scale as it is declared on the command line.

    `0-4 ordinal`, `0-72 continuous`, `1-5 nominal`, `0-4 ordinal step 0.5`, `none,mild,severe ordinal`, `psoriasis,eczema nominal`.
    `0-4` alone is ordinal when both ends are whole numbers at most 10 apart, otherwise continuous. None is "not declared".

    Raises:
        InputError: The text is none of these.

    >>> parse_scale("0-4").categories.tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0]
    >>> str(parse_scale("0-72"))
    '0-72 continuous'
    """
    if isinstance(text, Scale):
        return text
    if text is None or not text.strip():
        return Scale()
    found = _RANGE.match(text)
    return _from_range(found, text) if found else _from_words(text)


def _from_range(found: re.Match[str], text: str) -> Scale:
    low, high = float(found["low"]), float(found["high"])
    if not low < high:
        _refuse(text)
    words = found["rest"].lower().split()
    step: float | None = None
    if "step" in words:
        at = words.index("step")
        step = _step(words[at + 1 : at + 2], text)
        del words[at : at + 2]
    if len(words) > 1 or any(word not in list(ScaleKind) for word in words):
        _refuse(text)
    if words:
        kind = ScaleKind(words[0])
    else:
        whole = low.is_integer() and high.is_integer()
        few = whole and high - low < _MOST_IMPLIED_CATEGORIES
        kind = ScaleKind.ORDINAL if few or step is not None else ScaleKind.CONTINUOUS
    if kind is ScaleKind.CONTINUOUS:
        return Scale(kind, low, high)
    step = 1.0 if step is None else step
    steps = (high - low) / step
    if abs(steps - round(steps)) > 1e-9 or round(steps) + 1 > MOST_CATEGORIES:
        raise InputError(
            f"the scale {text!r} has {steps + 1:g} categories",
            where="--scale",
            fix=f"Give a step that divides the range into at most {MOST_CATEGORIES} categories, or say continuous.",
        )
    return Scale(kind, low, high, step)


def _step(words: list[str], text: str) -> float:
    try:
        step = float(words[0])
    except (IndexError, ValueError):
        step = 0.0
    if not 0 < step < np.inf:
        _refuse(text)
    return step


def _from_words(text: str) -> Scale:
    body, _, last = text.strip().rpartition(" ")
    if last.lower() not in (ScaleKind.NOMINAL, ScaleKind.ORDINAL):
        _refuse(text)
    words = tuple(word.strip() for word in body.split(","))
    if len(words) < 2 or len(set(words)) < len(words) or not all(words):
        _refuse(text)
    return Scale(ScaleKind(last.lower()), 0.0, float(len(words) - 1), 1.0, words)


def _refuse(text: str) -> None:
    raise InputError(
        f"the scale {text!r} is not understood",
        where="--scale",
        fix="Write '0-4 ordinal', '0-72 continuous', '0-4 ordinal step 0.5' or 'none,mild,severe ordinal'.",
    )
