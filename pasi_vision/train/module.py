"""The network in training: its losses, optimiser, moving average of weights, and what validation measures of each head."""

from __future__ import annotations

import copy
import math
from typing import Any, cast

import lightning
import torch
from torch import Tensor, nn

from pasi_vision.errors import TrainingError
from pasi_vision.segment.checkpoint import ModelFolder, load_imagenet, open_model
from pasi_vision.segment.layout import AREA_LOGITS, LESION, OUTLINE, REGION_CLASSES, Architecture, Preprocessing
from pasi_vision.segment.network import PsoriasisNetwork, build_network, probabilities
from pasi_vision.train.losses import losses
from pasi_vision.train.settings import TrainSettings

__all__ = ["TrainingModule"]


class TrainingModule(lightning.LightningModule):
    """Trains `network`; `average` is the moving average of its weights, which is validated and released."""

    def __init__(self, settings: TrainSettings) -> None:
        super().__init__()
        self.settings = settings
        self.network = _started(settings)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        pixels = Preprocessing()
        self.register_buffer("mean", torch.tensor(pixels.mean).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("scale", 1 / (torch.tensor(pixels.std).view(1, 3, 1, 1) * 255), persistent=False)
        _freeze(self.network, settings)
        if settings.accelerator == "cpu" and settings.precision == "bf16-mixed":
            depthwise_in_float32(self.network)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits for (N, 3, H, W) uint8 pixels."""
        return cast(Tensor, self.network(self._normal(pixels)))

    def train(self, mode: bool = True) -> TrainingModule:
        """Training mode, but for what is frozen and for the average."""
        super().train(mode)
        self.average.eval()
        if mode and self.settings.only == "signs":
            self.network.eval()
            cast(nn.Module, self.network.signs).train()
        elif mode and self.settings.frozen_batch_norms:
            for layer in _encoder(self.network).modules():
                if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                    layer.eval()
        return self

    def on_train_epoch_start(self) -> None:
        """Lightning leaves modules in the mode they are in: without this nothing that is frozen would be."""
        self.train()

    def training_step(self, batch: dict[str, Tensor], _: int) -> Tensor:
        found = losses(self(batch["pixels"]), batch, self.settings.losses)
        if not torch.isfinite(found.total):
            raise TrainingError(
                f"the loss is {found.total.item()} at step {self.global_step}",
                fix="The last checkpoint is intact: `pasi-vision model export` it and start from that model with a lower "
                "learning_rate or with precision 32-true.",
            )
        for name in ("total", "region", "lesion", "outline", "signs"):
            self.log(f"train/{name}", getattr(found, name).detach(), on_step=False, on_epoch=True)
        return found.total

    def on_train_batch_end(self, *_: Any) -> None:
        """Moves the average; in the first steps faster, so that it forgets the start."""
        if (self.trainer.fit_loop.epoch_loop.batch_idx + 1) % self.settings.accumulate:
            return
        decay = min(self.settings.average, (1 + self.global_step) / (10 + self.global_step))
        with torch.no_grad():
            ours, averaged = self.network.state_dict(), self.average.state_dict()
            for name, value in averaged.items():
                if value.dtype.is_floating_point:
                    value.lerp_(ours[name], 1 - decay)
                else:
                    value.copy_(ours[name])

    def validation_step(self, batch: dict[str, Tensor], _: int) -> None:
        logits = self.average(self._normal(batch["pixels"])).float()
        seen, size = probabilities(logits), batch["pixels"].shape[0]
        labelled = batch["regions"] < REGION_CLASSES
        right = (seen[:, :REGION_CLASSES].argmax(1) == batch["regions"]) & labelled
        self._note("region_accuracy", right.sum() / labelled.sum().clamp(min=1), size)
        for at, (name, channel) in enumerate((("lesion", LESION), ("outline", OUTLINE))):
            truth = batch["areas"][:, at] >= 0.5
            found = seen[:, channel] >= 0.5
            for i in range(size):
                if truth[i].any():
                    dice = 2 * (found[i] & truth[i]).sum() / (found[i].sum() + truth[i].sum())
                    self._note(f"{name}_dice", dice, 1)
                else:
                    skin = (batch["regions"][i] > 0) & labelled[i]
                    self._note(f"{name}_false_share", (found[i] & skin).sum() / skin.sum().clamp(min=1), 1)
        affected = batch["areas"][:, :1] >= 0.5
        error = (seen[:, OUTLINE + 1 :] - batch["grades"]).abs() * affected
        if affected.any():
            self._note("grade_error", error.sum() / affected.sum() / 3, size)
        self._note("loss", losses(logits, batch, self.settings.losses).total, size)

    def on_validation_epoch_end(self) -> None:
        """The figure by which the best round is chosen: both Dice less twice the false share."""
        logged = self.trainer.callback_metrics
        zero = torch.zeros(())
        dice = (logged.get("validation/lesion_dice", zero) + logged.get("validation/outline_dice", zero)) / 2
        false = logged.get("validation/outline_false_share", zero)
        self.log("validation/goodness", dice - 2 * false)

    def configure_optimizers(self) -> Any:
        encoder = {id(p) for p in _encoder(self.network).parameters()}
        groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for parameter in self.network.parameters():
            if parameter.requires_grad:
                # Biases and norms are not decayed.
                groups.setdefault((id(parameter) in encoder, parameter.ndim > 1), []).append(parameter)
        rate = self.settings.learning_rate
        optimizer = torch.optim.AdamW(
            [
                {
                    "params": parameters,
                    "lr": rate * (self.settings.encoder_rate if in_encoder else 1),
                    "weight_decay": self.settings.weight_decay if decays else 0.0,
                }
                for (in_encoder, decays), parameters in groups.items()
            ]
        )
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, self._rate_factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def _rate_factor(self, step: int) -> float:
        warm = max(1.0, self.settings.warm_up * self.settings.steps)
        if step < warm:
            return (step + 1) / warm
        done = min(1.0, (step - warm) / max(1.0, self.settings.steps - warm))
        return 0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2

    def _normal(self, pixels: Tensor) -> Tensor:
        normal = (pixels.float() - cast(Tensor, self.mean)) * cast(Tensor, self.scale)
        return normal.contiguous(memory_format=torch.channels_last)

    def _note(self, name: str, value: Tensor, count: int) -> None:
        self.log(f"validation/{name}", value, on_step=False, on_epoch=True, batch_size=count, sync_dist=True)


def depthwise_in_float32(network: nn.Module) -> None:
    """Run depthwise convolutions in float32 within bfloat16 autocast: on CPUs their bfloat16 backward pass is several times slower."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.groups == layer.in_channels > 1:
            kind = type(layer)
            layer.__class__ = type(f"Float32{kind.__name__}", (_Float32Forward, kind), {})


class _Float32Forward:
    def forward(self, pixels: Tensor) -> Tensor:
        with torch.autocast(pixels.device.type, enabled=False):
            return cast(Tensor, super().forward(pixels.float()))  # type: ignore[misc]


def _started(settings: TrainSettings) -> nn.Module:
    network = build_network(settings.architecture)
    if settings.start_from == "imagenet":
        load_imagenet(network, settings.architecture)
    elif settings.start_from != "nothing":
        network.load_state_dict(_state_of(open_model(settings.start_from), settings.architecture, network))
    if settings.imagenet_norms:
        photographs = build_network(settings.architecture)
        load_imagenet(photographs, settings.architecture)
        theirs = _encoder(photographs).state_dict()
        statistics = {name: value for name, value in theirs.items() if "running_" in name}
        _encoder(network).load_state_dict(_encoder(network).state_dict() | statistics)
    return network.to(memory_format=torch.channels_last)


def _state_of(start: ModelFolder, architecture: Architecture, network: nn.Module) -> dict[str, Tensor]:
    """The weights to go on from; where the signs get a head of their own, it begins as it stands in `network`."""
    state = start.torch_network().state_dict()
    before = start.record.architecture
    if architecture.sign_channels and not before.sign_channels:
        before = before.model_copy(update={"sign_channels": architecture.sign_channels})
        state["head.weight"], state["head.bias"] = (state[f"head.{name}"][:AREA_LOGITS] for name in ("weight", "bias"))
        state |= {name: value for name, value in network.state_dict().items() if name.startswith("signs.")}
    if before != architecture:
        raise TrainingError(
            f"{start.label} has another architecture than the settings",
            where=str(start.path),
            fix="Copy `architecture` from its model.json into the settings.",
        )
    return state


def _encoder(network: nn.Module) -> nn.Module:
    inner = network if isinstance(network, PsoriasisNetwork) else cast(nn.Module, network.network)
    return cast(nn.Module, inner.encoder)


def _freeze(network: nn.Module, settings: TrainSettings) -> None:
    """Everything but the signs' own head where that is trained alone; else the stem and first stages of a timm encoder with `blocks`.

    Encoders built otherwise are frozen child by child.
    """
    if settings.only == "signs":
        if not settings.architecture.sign_channels:
            raise TrainingError(
                "the signs have no head of their own that could be trained alone",
                where="only: signs",
                fix="Set architecture.sign_channels.",
            )
        network.requires_grad_(False)
        cast(nn.Module, network.signs).requires_grad_(True)
        return
    if settings.frozen_stages == 0:
        return
    encoder = _encoder(network)
    encoder = cast(nn.Module, getattr(encoder, "model", encoder))
    stages = list(cast(nn.ModuleList, encoder.blocks)) if hasattr(encoder, "blocks") else list(encoder.children())
    stem = [encoder.get_submodule(name) for name in ("conv_stem", "bn1") if hasattr(encoder, name)]
    for part in [*stem, *stages[: settings.frozen_stages]]:
        part.requires_grad_(False)
