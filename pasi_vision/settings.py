"""One YAML file -> one frozen model per command; an unknown key is an error that names the nearest known key."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pasi_vision.anatomy import View
from pasi_vision.errors import SettingsError
from pasi_vision.storage import resource

__all__ = ["Protocol", "Settings", "ViewPose", "load_protocol", "load_settings", "settings_from"]


class Settings(BaseModel):
    """Base of all settings: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


SettingsType = TypeVar("SettingsType", bound=Settings)


def load_settings(model: type[SettingsType], path: str | Path) -> SettingsType:
    """Read a YAML file into a settings model.

    `based_on: OTHER.yaml` (a path from the file's own folder) takes over what that file says; what stands beside it counts, key by key.

    Raises:
        SettingsError: The file is missing, is not YAML, has an unknown key or a value off its range, or is based on itself.
    """
    return settings_from(model, _content(Path(path), ()), where=str(path))


BASE = "based_on"


def _content(source: Path, above: tuple[Path, ...]) -> Any:
    """What a file and the one it is based on say together; `above` are the files that are based on this one."""
    import yaml

    try:
        content = yaml.safe_load(source.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        fix = f"Check the path of {BASE} in {above[-1]}." if above else "Check the path."
        raise SettingsError("file not found", where=str(source), fix=fix) from error
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"not a YAML file ({error})", where=str(source), fix="Correct the line named.") from error
    if content is None:
        return {}
    if not isinstance(content, dict) or BASE not in content:
        return content
    base = content.pop(BASE)
    if not isinstance(base, str):
        raise SettingsError(f"{BASE} is no path", where=str(source), fix="Name one YAML file.")
    if source.resolve() in above:
        raise SettingsError("is based on itself", where=str(source), fix=f"Take {BASE} out of one of the files.")
    below = _content(source.parent / base, (*above, source.resolve()))
    return _merged(below, content) if isinstance(below, dict) else below


def _merged(below: dict[Any, Any], own: dict[Any, Any]) -> dict[Any, Any]:
    """Keys of both; where both have one, mappings are merged in turn and of anything else the own counts."""
    nested = {
        key: _merged(below[key], value)
        for key, value in own.items()
        if isinstance(value, dict) and isinstance(below.get(key), dict)
    }
    return below | own | nested


def settings_from(model: type[SettingsType], content: Any, *, where: str) -> SettingsType:
    """Check already parsed content (a mapping) against a settings model; `where` names it in errors.

    Raises:
        SettingsError: As `load_settings`.
    """
    if not isinstance(content, dict):
        raise SettingsError(
            f"holds a {type(content).__name__}, not keys and values", where=where, fix="Write `key: value` lines."
        )
    try:
        return model.model_validate(content)
    except ValidationError as error:
        # A misspelt key is also a missing one: say the misspelling.
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        place = [str(part) for part in first["loc"]]
        key = f"{where} key {'.'.join(place)}"
        if first["type"] == "extra_forbidden":
            known = _known_keys(model, place[:-1])
            near = get_close_matches(place[-1], known, n=1)
            fix = f"Is {near[0]!r} meant?" if near else f"Known keys: {', '.join(sorted(known)) or 'none'}."
            raise SettingsError("unknown key", where=key, fix=fix) from error
        given = first.get("input")
        shown = f" (given {given!r})" if isinstance(given, (str, int, float, bool)) else ""
        raise SettingsError(f"{first['msg']}{shown}", where=key, fix="Correct the value.") from error


class ViewPose(Settings):
    """How a view is taken and whether every visit needs it."""

    required: bool
    distance_cm: float
    instruction: str


class Protocol(Settings):
    """The photographic protocol."""

    views: dict[View, ViewPose]

    @property
    def required(self) -> list[View]:
        """The views that every visit needs, in the protocol's order."""
        return [view for view, pose in self.views.items() if pose.required]


def load_protocol(path: str | Path | None = None) -> Protocol:
    """Read a photographic protocol; without a path, that of the package.

    Raises:
        SettingsError: As `load_settings`.
    """
    return load_settings(Protocol, path or resource("configs", "protocol.yaml"))


def _known_keys(model: type[BaseModel], place: list[str]) -> list[str]:
    """The keys of the model that stands at `place` (names of nested fields; indices and mapping keys are passed over)."""
    here: type[BaseModel] = model
    for part in place:
        field = here.model_fields.get(part)
        if field is None:
            continue
        nested = _nested_model(field.annotation)
        if nested is None:
            return []
        here = nested
    return list(here.model_fields)


def _nested_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _nested_model(argument)
        if found is not None:
            return found
    return None
