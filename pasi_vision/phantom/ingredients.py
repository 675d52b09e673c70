"""What close-ups are made of, one ingredient at a time: presets that lack one, to measure what each is worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pasi_vision.phantom.preset import CloseUpPreset, ExtraSettings
from pasi_vision.phantom.scenes import builders

HANDS_AND_FEET = ("palm", "hand_back", "sole", "foot_back", "body_hand", "body_palm", "body_foot", "body_sole")
_NO_EXTRAS = ExtraSettings(**dict.fromkeys(ExtraSettings.model_fields, 0.0))
#: Ingredient -> what changes in a preset without it. For scenes: the condition, by name, under which one stays.
INGREDIENTS: Mapping[str, dict[str, Any]] = {
    "backgrounds": {"backdrops": {"grey": 1.0}, "garment": 0.0},
    "tone": {"tones": (1.0, 0.0, 0.0)},
    "scale": {"scale_layer": False},
    "non-lesion redness": {"redness": 0.0},
    "distractors on skin": {"distract": 0.0},
    "light": {"flash": 1.0, "cast": 0.0},
    "other dermatoses": {"negatives": 0.0},
    "hair": {"hair": 0.0},
    "close-up range": {"frame_mm": {"other": (180.0, 200.0)}},
    "things on and beside skin": {"extras": _NO_EXTRAS},
    "hands and feet": {"scenes": lambda name: name not in HANDS_AND_FEET},
    "bodies by rays": {"scenes": lambda name: name in builders()},
    "flat scenes": {"scenes": lambda name: name not in builders()},
}


def without(ingredient: str, preset: CloseUpPreset) -> CloseUpPreset:
    """The preset without that ingredient of `INGREDIENTS`."""
    changes = dict(INGREDIENTS[ingredient])
    if callable(keep := changes.get("scenes")):
        changes["scenes"] = {scene: share for scene, share in preset.scenes.items() if keep(scene)}
    return preset.model_copy(update=changes)
