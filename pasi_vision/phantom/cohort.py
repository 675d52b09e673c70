"""Settings of a cohort of whole patients: `configs/phantom/cohort/<name>.yaml`."""

from __future__ import annotations

from pydantic import Field

from pasi_vision.anatomy import View
from pasi_vision.errors import InputError, SettingsError
from pasi_vision.phantom.preset import ExtraSettings
from pasi_vision.settings import Settings, load_settings
from pasi_vision.storage import resource

#: Only what is on the body can be seen in a protocol's views; the rest of the settings says nothing there.
#: Glasses come off for the protocol.
WORN = ExtraSettings(
    rings=0.2,
    watch=0.1,
    bracelet=0.08,
    plaster=0.03,
    gauze=0.02,
    varnish=0.1,
    sick_nails=0.25,
    wrinkles=0.8,
    glasses=0.0,
    earrings=0.1,
    necklace=0.03,
)


class CohortPreset(Settings):
    """What patients and their photographs are drawn from."""

    name: str
    views: list[View] = Field(description="views taken at each visit")
    megapixels: float = Field(1.0, ge=0.001, le=24, description="size of each photograph of a view")
    variety: float = Field(1.0, ge=0, le=1.5, description="spread of light and camera: 1 training, 0.3 a careful site")
    median_bsa_percent: float = Field(11.0, gt=0, le=60, description="median affected body surface at baseline")
    tones: tuple[float, float, float] = Field((0.5, 0.26, 0.24), description="shares of light, medium and dark skin")
    clear: float = Field(0.03, ge=0, le=1, description="share of subjects without disease")
    drop_out: float = Field(0.15, ge=0, le=1, description="chance that some of three or more visits do not take place")
    cards: float = Field(0.0, ge=0, le=1, description="share of photographs with a colour card")
    one_room: bool = Field(False, description="all photographs of a visit share light, camera and backdrop")
    extras: ExtraSettings = Field(WORN, description="what patients wear on the skin, and their nails, by day")
    body_close_ups: int = Field(0, ge=0, le=20, description="close-ups of the patient's own plaques per visit")


def load_cohort(name: str) -> CohortPreset:
    """The preset of that name, or a path to a YAML file.

    Raises:
        SettingsError: It is not known or not valid.
    """
    if name.endswith((".yaml", ".yml")):
        return load_settings(CohortPreset, name)
    try:
        path = resource("configs", f"phantom/cohort/{name}.yaml")
    except InputError as error:
        known = ", ".join(sorted(file.stem for file in resource("configs", "phantom/cohort").glob("*.yaml")))
        raise SettingsError(f"unknown preset {name!r}", where="preset", fix=f"Known presets: {known}.") from error
    return load_settings(CohortPreset, path)
