"""Presets: every distribution that a set of phantom close-ups is drawn from, one YAML each in `configs/phantom/`."""

from __future__ import annotations

from pydantic import Field

from pasi_vision.errors import InputError, SettingsError
from pasi_vision.settings import Settings, load_settings
from pasi_vision.storage import resource


class OutlineSettings(Settings):
    """How the simulated dermatologists draw."""

    raters: int = Field(3, ge=1, le=9, description="raters per photograph; the saved outline is their majority")
    lumped: float = Field(
        0.2, ge=0, le=1, description="share of pictures in which all raters outline fields rather than single lesions"
    )
    generous: float = Field(1.0, gt=0, le=3, description="factor on how far pens run outside and across gaps")


class ExtraSettings(Settings):
    """What close-ups show beside bare skin and plaques: shares of the pictures in which it could be seen.

    A ring needs a finger in view, a watch a forearm, varnish a nail, flakes thick scale; tallies: field guide, sections 5-7.
    """

    rings: float = Field(0.15, ge=0, le=1, description="of pictures with fingers")
    watch: float = Field(0.08, ge=0, le=1, description="of pictures with a wrist or forearm")
    bracelet: float = Field(0.07, ge=0, le=1, description="bracelet, strap or hair tie, likewise")
    plaster: float = Field(0.025, ge=0, le=1)
    gauze: float = Field(0.015, ge=0, le=1)
    pen: float = Field(0.03, ge=0, le=1, description="surgical pen on the skin")
    varnish: float = Field(0.10, ge=0, le=1, description="of pictures with nails")
    sick_nails: float = Field(0.25, ge=0, le=1, description="thick, yellow, pitted or lifted nails, likewise")
    ruler: float = Field(0.03, ge=0, le=1, description="ruler or tape at an edge")
    card: float = Field(0.02, ge=0, le=1, description="colour card at an edge")
    tag: float = Field(0.015, ge=0, le=1, description="identification tag at an edge")
    hand: float = Field(0.035, ge=0, le=1, description="somebody else's hand at an edge")
    gloved: float = Field(0.5, ge=0, le=1, description="share of those in a glove")
    gown: float = Field(0.03, ge=0, le=1, description="hospital gown or drape over a side")
    flakes: float = Field(0.25, ge=0, le=1, description="fallen flakes, of pictures with lamellae, plates or sheets")
    pustular: float = Field(0.04, ge=0, le=1, description="pustular psoriasis; 2.5 times that on palms and soles")
    goose_bumps: float = Field(0.04, ge=0, le=1)
    age_spots: float = Field(0.06, ge=0, le=1)
    scar: float = Field(0.03, ge=0, le=1)
    wet: float = Field(0.06, ge=0, le=1, description="ointment or sweat")
    pores: float = Field(0.30, ge=0, le=1, description="where the camera resolves them")
    wrinkles: float = Field(
        0.5, ge=0, le=1, description="wrinkles of age, of pictures of a body's face, neck, arm or knee"
    )
    glasses: float = Field(0.04, ge=0, le=1, description="of pictures with a face")
    earrings: float = Field(0.10, ge=0, le=1, description="of pictures with an ear")
    necklace: float = Field(0.06, ge=0, le=1, description="of pictures with a neck")
    vellus: float = Field(0.30, ge=0, le=1, description="pale fine hair, where the camera resolves it")


class CloseUpPreset(Settings):
    """Distributions of close-ups. Shares need not sum to 1; they are normalised."""

    name: str
    scenes: dict[str, float] = Field(description="share of each kind of scene")
    frame_mm: dict[str, tuple[float, float]] = Field(
        description="width of the frame in mm (log-uniform), by scene; `other` for the rest"
    )
    aspects: dict[str, float] = Field(description="share of each format, width:height")
    clear: float = Field(0.12, ge=0, le=1, description="share of pictures without any lesion")
    tones: tuple[float, float, float] = Field((0.6, 0.26, 0.14), description="light, medium, dark skin")
    flash: float = Field(0.75, ge=0, le=1)
    cast: float = Field(1.0, ge=0, description="strength of colour casts")
    camera_scale: tuple[float, float] = Field(
        (1.0, 1.5), description="camera resolution relative to the stored picture"
    )
    camera_min_px: int = Field(560, ge=0, description="longer side of the camera's picture at least")
    backdrops: dict[str, float] = Field(description="share of each background")
    garment: float = Field(0.09, ge=0, le=1, description="share with clothing over an edge of the frame")
    watermark: float = Field(0.5, ge=0, le=1)
    distract: float = Field(1.0, ge=0, description="factor on how often healthy skin carries distractors")
    redness: float = Field(1.0, ge=0, le=2, description="factor on how often there is redness that is no disease")
    hair: float = Field(1.0, ge=0, le=1, description="factor on hair of body and head (ablation)")
    scale_layer: bool = Field(True, description="draw scale (ablation)")
    negatives: float = Field(0.06, ge=0, le=1, description="share with another dermatosis")
    outline: OutlineSettings = OutlineSettings()
    extras: ExtraSettings = ExtraSettings()


def load_preset(name: str) -> CloseUpPreset:
    """The preset of that name in `configs/phantom/`, or a path to a YAML file.

    Raises:
        SettingsError: It is not known or not valid.
    """
    if name.endswith((".yaml", ".yml")):
        return load_settings(CloseUpPreset, name)
    try:
        path = resource("configs", f"phantom/{name}.yaml")
    except InputError as error:
        folder = resource("configs", "phantom")
        known = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
        raise SettingsError(f"unknown preset {name!r}", fix=f"Known presets: {known}.") from error
    return load_settings(CloseUpPreset, path)
