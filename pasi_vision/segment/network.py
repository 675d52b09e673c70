"""The network: a timm encoder, a light decoder at half resolution, and heads for region, lesion, outline and the three signs.

The decoder predicts at half the input's resolution: outlines drawn by people are no finer than that, and the last full-resolution
layers would cost as much as all others together. Needs torch; everything else in this folder does without.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from pasi_vision.errors import ModelError
from pasi_vision.segment.layout import (
    AREA_LOGITS,
    LOGITS,
    REGION_CLASSES,
    SIGN_LOGITS,
    SIGN_STEPS,
    SIGNS,
    Architecture,
)

__all__ = ["LightDecoder", "PsoriasisNetwork", "build_network", "probabilities"]


class PsoriasisNetwork(nn.Module):
    """Encoder, decoder and heads.

    Input (N, 3, H, W) float32, normalised, H and W multiples of 32; output (N, `LOGITS`, H / 2, W / 2) logits: 6 region
    classes, lesion, outline, then 4 conditional steps for each of the 3 signs.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, channels: int, signs: SignHead | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.head = nn.Conv2d(channels, LOGITS if signs is None else AREA_LOGITS, 1)
        self.signs = signs

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits at half the input's resolution."""
        features: Sequence[Tensor] = self.encoder(pixels)
        decoded: Tensor = self.decoder(features)
        areas: Tensor = self.head(decoded)
        return areas if self.signs is None else torch.cat([areas, self.signs(features, decoded, 2)], 1)


class SignHead(nn.Module):
    """Grades of the signs from the features of all scales at an eighth of the input's resolution: grades change slowly, and what tells
    them (colour, texture of scale, the skin beside) is little of what a decoder for areas keeps.

    Args:
        channels: Of the encoder's features, from 1/2 to 1/32.
        decoded: Channels of the decoder's finest feature.
        hidden: Between both 1 x 1 convolutions.
    """

    def __init__(self, channels: Sequence[int], decoded: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(sum(channels) + decoded, affine=False)
        self.mix = nn.Conv2d(sum(channels) + decoded, hidden, 1)
        self.steps = nn.Conv2d(hidden, SIGN_LOGITS, 1)

    def forward(self, features: Sequence[Tensor], decoded: Tensor, reduction: int) -> Tensor:
        """(N, 12, h, w) at the resolution of `decoded`, which is 1/`reduction` of the input's."""
        levels = [_at_eighth(feature, 2 << level) for level, feature in enumerate(features)]
        seen = self.norm(torch.cat([_at_eighth(decoded, reduction), *levels], 1))
        steps: Tensor = self.steps(torch.relu(self.mix(seen)))
        return functional.interpolate(steps, scale_factor=8.0 / reduction, mode="nearest")


def _at_eighth(feature: Tensor, reduction: int) -> Tensor:
    """A feature at 1/`reduction` of the input's resolution, brought to 1/8."""
    if reduction < 8:
        return functional.avg_pool2d(feature, 8 // reduction)
    return functional.interpolate(feature, scale_factor=reduction / 8, mode="nearest") if reduction > 8 else feature


class LightDecoder(nn.Module):
    """U-Net steps (Ronneberger et al. 2015) with one 3 x 3 convolution each: nearest upsampling, skip, convolution.

    Args:
        skips: Channels of the encoder's features, finest first.
        widths: Channels of the decoder, coarsest first: one for the coarsest feature and one for each step up.
    """

    def __init__(self, skips: Sequence[int], widths: Sequence[int]) -> None:
        super().__init__()
        self.lateral = nn.Conv2d(skips[-1], widths[0], 1)
        # What the whole picture shows (a face, a sole, no person at all) decides how its parts are read.
        self.context = nn.Linear(skips[-1], widths[0])
        steps = []
        for below, skip, width in zip(widths[:-1], skips[-2::-1], widths[1:], strict=True):
            steps.append(
                nn.Sequential(
                    nn.Conv2d(below + skip, width, 3, padding=1, bias=False),
                    nn.BatchNorm2d(width),
                    nn.ReLU(inplace=True),
                )
            )
        self.steps = nn.ModuleList(steps)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """The finest decoded feature, at the resolution of the finest encoder feature."""
        decoded: Tensor = self.coarsest(features[-1])
        for step, skip in zip(self.steps, features[-2::-1], strict=True):
            decoded = step(torch.cat([functional.interpolate(decoded, scale_factor=2.0, mode="nearest"), skip], 1))
        return decoded

    def coarsest(self, feature: Tensor) -> Tensor:
        """Where decoding begins, from the encoder's coarsest feature."""
        whole: Tensor = self.context(feature.mean((2, 3)))
        decoded: Tensor = self.lateral(feature) + whole[:, :, None, None]
        return decoded


class _LibraryNetwork(nn.Module):
    """A decoder of segmentation-models-pytorch by its name, brought to half resolution."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        return functional.avg_pool2d(self.network(pixels), 2)


def build_network(architecture: Architecture) -> nn.Module:
    """A network with random weights.

    Args:
        architecture: Encoder by its timm name; decoder "light", or the name of a segmentation-models-pytorch model ("unet", "fpn",
            "segformer" ...).

    Raises:
        ModelError: There is no encoder or decoder of that name.
    """
    if architecture.decoder == "light":
        encoder = _timm_encoder(architecture.encoder)
        skips = list(encoder.feature_info.channels())
        reductions = list(encoder.feature_info.reduction())
        if reductions[0] != 2 or len(architecture.decoder_channels) != len(skips):
            raise ModelError(
                f"the light decoder needs features from 1/2 on and one width for each, {architecture.encoder} gives {reductions}",
                fix="Choose a decoder of segmentation-models-pytorch for this encoder, such as `unet`.",
            )
        decoder, finest = LightDecoder(skips, architecture.decoder_channels), architecture.decoder_channels[-1]
        signs = SignHead(skips, finest, architecture.sign_channels) if architecture.sign_channels else None
        return PsoriasisNetwork(encoder, decoder, finest, signs)
    if architecture.sign_channels:
        raise ModelError(
            f"the decoder {architecture.decoder} has no head of the signs' own",
            fix="Set sign_channels: 0, or use the light decoder.",
        )
    import segmentation_models_pytorch as smp

    try:
        network = smp.create_model(
            architecture.decoder, encoder_name=f"tu-{architecture.encoder}", encoder_weights=None, classes=LOGITS
        )
    except (KeyError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"no network {architecture.decoder} on {architecture.encoder} ({error})",
            fix="Use a model name of segmentation-models-pytorch and an encoder name of timm.",
        ) from error
    return _LibraryNetwork(network)


def _timm_encoder(name: str) -> Any:
    import timm

    try:
        return timm.create_model(name, features_only=True, pretrained=False)
    except RuntimeError as error:
        raise ModelError(f"timm has no encoder {name!r}", fix="See timm.list_models().") from error


def probabilities(logits: Tensor) -> Tensor:
    """What a released model gives for logits (N, 20, h, w): (N, 11, h, w) in the order of `layout.OUTPUTS`.

    Region probabilities sum to 1; the expected grade of a sign is the sum over its steps of P(grade > k), each the product of the
    conditional steps up to it (CORN: Shi, Cao & Raschka, Pattern Anal Appl 2023;26:941-955), which are so in order by construction.
    """
    regions = logits[:, :REGION_CLASSES]
    regions = torch.exp(regions - regions.amax(1, keepdim=True))  # a softmax, in the steps that runtimes are fastest at
    regions = regions / regions.sum(1, keepdim=True)
    areas = torch.sigmoid(logits[:, REGION_CLASSES:AREA_LOGITS])
    n, _, height, width = logits.shape
    steps = torch.sigmoid(logits[:, AREA_LOGITS:]).reshape(n, SIGNS, SIGN_STEPS, height, width)
    first, second, third, fourth = steps.unbind(2)
    # Horner's form of s1 + s1 s2 + s1 s2 s3 + s1 s2 s3 s4; a cumulative product does not export to every runtime.
    grades = first * (1 + second * (1 + third * (1 + fourth)))
    return torch.cat([regions, areas, grades], 1)
