"""The settings of a training run (configs/train/*.yaml)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from pasi_vision.segment.layout import Architecture, Working
from pasi_vision.settings import Settings
from pasi_vision.train.augment import AugmentationSettings
from pasi_vision.train.losses import LossSettings

__all__ = ["TrainSettings"]


class TrainSettings(Settings):
    """One training run.

    Attributes:
        name: Of the model.
        data, validation: Data folders (data/README.md); validate on another kind of pictures than is trained on.
        start_from: "imagenet" (the package's weights for tf_efficientnet_lite0), "nothing", or a model folder to go on from.
        architecture, working, augmentation, losses: See there. Going on from a model, all but the augmentation are the model's unless given
            (of the losses each weight by itself), because its thresholds hold for what they taught.
        seed: Of crops, their changes and the first weights.
        steps: Optimiser steps in all; `steps_per_round` of them between two checkpoints.
        batch_size, accumulate: Crops per forward pass and device, and forward passes per step.
        crop_px: Side of a crop; a multiple of 32.
        cache_px: Longer side at which photographs are kept for training.
        close_up_share: Share of crops from close-ups where there are both kinds.
        scored_share: Share of items that are whole photographs without masks, learnt from raters' region scores (findings.csv).
        learning_rate, weight_decay, warm_up: Of AdamW; the rate rises for `warm_up` of the steps and falls along a cosine.
        encoder_rate: Factor of the learning rate in the encoder: what ImageNet taught about photographs is to stay.
        only: "signs" trains the signs' own head (`architecture.sign_channels`) alone: areas and regions stay what they were, to the bit.
        frozen_batch_norms: The encoder's batch norms keep their statistics.
        imagenet_norms: Going on from a model, the encoder's batch norms begin with the statistics of photographs (ImageNet's).
        frozen_stages: This many of the encoder's first stages (with its stem) are not trained at all.
        average: Decay of the moving average of the weights, which is what is released.
        validate_every: Rounds between validations.
        validation_photos: At most so many, evenly taken.
        patience: Stop after so many validations without a better one; the best is kept. 0 never stops and keeps the last.
        precision, accelerator, devices, nodes, workers, threads, deterministic: As Lightning and torch take them.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    data: tuple[Path, ...] = ()
    validation: tuple[Path, ...] = ()
    start_from: str = "imagenet"
    architecture: Architecture = Architecture()
    working: Working = Working()
    augmentation: AugmentationSettings = AugmentationSettings()
    losses: LossSettings = LossSettings()
    seed: int = Field(1, ge=0)
    steps: int = Field(1500, gt=0)
    steps_per_round: int = Field(50, gt=0)
    batch_size: int = Field(8, gt=0)
    accumulate: int = Field(1, gt=0)
    crop_px: int = Field(256, gt=0, multiple_of=32)
    cache_px: int = Field(640, gt=0)
    close_up_share: float = Field(0.65, ge=0, le=1)
    scored_share: float = Field(0.0, ge=0, lt=1)
    learning_rate: float = Field(1.5e-3, gt=0)
    encoder_rate: float = Field(0.1, ge=0)
    weight_decay: float = Field(1e-2, ge=0)
    warm_up: float = Field(0.05, ge=0, lt=1)
    only: Literal["signs"] | None = None
    frozen_batch_norms: bool = True
    imagenet_norms: bool = False
    frozen_stages: int = Field(0, ge=0)
    average: float = Field(0.995, ge=0, lt=1)
    validate_every: int = Field(4, gt=0)
    validation_photos: int = Field(80, gt=0)
    patience: int = Field(0, ge=0)
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "bf16-mixed"
    accelerator: Literal["cpu", "gpu", "auto"] = "auto"
    devices: int | Literal["auto"] = "auto"
    nodes: int = Field(1, gt=0)
    workers: int = Field(1, ge=0)
    threads: int = Field(0, ge=0)
    deterministic: bool = False

    @model_validator(mode="after")
    def _rounds_fit(self) -> TrainSettings:
        if self.steps % self.steps_per_round:
            raise ValueError("steps is not a multiple of steps_per_round")
        return self
