"""What a close-up shows beside skin and plaques, and when: nails, pens, pustules, flakes, jewellery, dressings, props, hands.

Each kind draws from a generator of its own, (seed, number, kind): switching one off leaves everything else of the picture as it was.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom import adorned, dressings, finish_skin, props, worn
from pasi_vision.phantom.flakes import add_flakes
from pasi_vision.phantom.helper import add_hand
from pasi_vision.phantom.marks import Overlay
from pasi_vision.phantom.nails import coat_nails
from pasi_vision.phantom.paint import Anatomy
from pasi_vision.phantom.plaques import LesionMaps, Plaque, ScaleKind
from pasi_vision.phantom.preset import ExtraSettings
from pasi_vision.phantom.pustules import add_pustules, inflamed
from pasi_vision.phantom.setting import Setting
from pasi_vision.phantom.stage import Stage
from pasi_vision.phantom.surface import Surface
from pasi_vision.phantom.wrinkles import add_wrinkles

Field = NDArray[np.float32]
Rng = np.random.Generator

RIDGED = ("palm", "sole")
#: How much likelier than on average a site is pustular.
_PUSTULAR_SITES = {"palm": 2.5, "sole": 2.5, "face": 0.2, "scalp": 0.0}
DISTANT_MM = 0.9  # a pixel larger than this is no close-up: nothing is laid into such a picture
_THICK = (ScaleKind.LAMELLAE, ScaleKind.PLATES, ScaleKind.SHEETS)


@dataclass(frozen=True)
class Extras:
    """The chances of one picture."""

    seed: int
    number: int
    shares: ExtraSettings
    person: int | None = None  # number of a patient who is photographed more than once

    def draw(self, kind: str, share: float, *, of_person: bool = False) -> Rng | None:
        """A generator for that kind of thing if this picture shows it, or if this person has it at all."""
        number = self.person if of_person and self.person is not None else self.number
        rng = np.random.default_rng([self.seed, number, zlib.crc32(kind.encode())])
        return rng if rng.random() < share else None


def erupted(extras: Extras, plaques: list[Plaque], style: str) -> tuple[list[Plaque], bool]:
    """The lesions, some pictures' as pustular psoriasis, and whether they are."""
    share = extras.shares.pustular * _PUSTULAR_SITES.get(style, 1.0)
    rng = extras.draw("pustular", share)
    if rng is None or not any(plaque.active for plaque in plaques):
        return plaques, False
    return [p if not p.active else inflamed(rng, [p])[0] for p in plaques], True


def onto_skin(
    extras: Extras,
    setting: Setting,
    overlay: Overlay,
    skin: tuple[Anatomy, Field, NDArray[np.uint8]],
    maps: LesionMaps,
    *,
    pustular: bool,
) -> Anatomy:
    """Fine texture, pustules and pen on the skin (into `overlay`), and coats of the nails.

    Args:
        skin: Anatomy, chart (mm) and part codes at the picture's resolution.
    """
    anatomy, chart, part = skin
    shares, mm = extras.shares, setting.mm_per_px
    if (rng := extras.draw("pores", shares.pores)) is not None:
        finish_skin.add_pores(rng, overlay, chart, part, mm)
    if (rng := extras.draw("goose bumps", shares.goose_bumps)) is not None and setting.style not in RIDGED:
        finish_skin.add_goose_bumps(rng, overlay, chart, mm)
    if (rng := extras.draw("age spots", shares.age_spots)) is not None and setting.style not in RIDGED:
        finish_skin.add_age_spots(rng, overlay, mm)
    if (rng := extras.draw("scar", shares.scar)) is not None:
        finish_skin.add_scar(rng, overlay, mm, float(rng.uniform(0, np.pi)))
    if (rng := extras.draw("wet", shares.wet)) is not None:
        gloss, relief = finish_skin.wet(rng, anatomy.gloss, mm)
        overlay.relief_mm += relief
        anatomy = replace(anatomy, gloss=gloss)
    if pustular and (rng := extras.draw("pustules", 1.0)) is not None:
        where = (maps.lesion & (maps.blood_factor > 1.3)).astype(np.float32)
        add_pustules(rng, overlay, where, mm, ridged=setting.style in RIDGED)
    if mm < DISTANT_MM and (rng := extras.draw("pen", shares.pen)) is not None:
        dressings.draw_pen(rng, overlay, maps.lesion.astype(np.float32), mm)
    return coated(extras, anatomy, part, mm)


def aged(extras: Extras, overlay: Overlay, surface: Surface, mm: float) -> None:
    """Wrinkles on a body (into `overlay`): of a patient's own age, in other pictures of a chance one."""
    if surface.landmarks is None:
        return
    if (rng := extras.draw("wrinkles", extras.shares.wrinkles, of_person=True)) is not None:
        age = None if extras.person is None else surface.landmarks.age_years
        add_wrinkles(rng, overlay, surface, mm, age)


def coated(extras: Extras, anatomy: Anatomy, part: NDArray[np.uint8], mm: float) -> Anatomy:
    """The anatomy with varnished or diseased nails."""
    if (rng := extras.draw("nails", 1.0)) is None:
        return anatomy
    coat = coat_nails(rng, part, mm, extras.shares.varnish, extras.shares.sick_nails)
    if coat is None:
        return anatomy
    return replace(
        anatomy,
        gloss=anatomy.gloss * coat.gloss,
        relief_mm=anatomy.relief_mm + coat.relief_mm,
        paint=(*anatomy.paint, *coat.paint),
    )


def on_body(extras: Extras, stage: Stage) -> None:
    """Rings, watches, bracelets, plasters, gauze, necklaces, earrings and glasses, each where the body allows it."""
    shares = extras.shares
    if (rng := extras.draw("rings", shares.rings)) is not None:
        worn.add_rings(rng, stage)
    if (rng := extras.draw("watch", shares.watch)) is not None:
        worn.add_wrist(rng, stage, watch=True)
    elif (rng := extras.draw("bracelet", shares.bracelet)) is not None:
        worn.add_wrist(rng, stage, watch=False)
    if (rng := extras.draw("plaster", shares.plaster)) is not None:
        dressings.add_plaster(rng, stage)
    if (rng := extras.draw("gauze", shares.gauze)) is not None:
        dressings.add_gauze(rng, stage)
    if (rng := extras.draw("necklace", shares.necklace)) is not None:
        adorned.add_necklace(rng, stage)
    if (rng := extras.draw("earrings", shares.earrings)) is not None:
        adorned.add_earrings(rng, stage)
    if (rng := extras.draw("glasses", shares.glasses)) is not None:
        adorned.add_glasses(rng, stage)


def in_frame(extras: Extras, stage: Stage, scale_cover: Field, kind: ScaleKind) -> None:
    """Fallen flakes, and what lies or reaches into a close-up from its edge."""
    shares = extras.shares
    if stage.mm > DISTANT_MM:
        return
    if kind in _THICK and (rng := extras.draw("flakes", shares.flakes)) is not None:
        add_flakes(rng, stage, scale_cover)
    if (rng := extras.draw("gown", shares.gown)) is not None:
        props.add_gown(rng, stage)
    if (rng := extras.draw("ruler", shares.ruler)) is not None:
        props.add_ruler(rng, stage)
    if (rng := extras.draw("card", shares.card)) is not None:
        props.add_card(rng, stage)
    if (rng := extras.draw("tag", shares.tag)) is not None:
        props.add_tag(rng, stage)
    if (rng := extras.draw("hand", shares.hand)) is not None:
        add_hand(rng, stage, gloved=bool(rng.random() < shares.gloved))
