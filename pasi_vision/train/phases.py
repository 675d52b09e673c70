"""The light decoder, worked out in four phases: the same numbers, a fifth faster, as it is released.

A 3 x 3 convolution of a picture that was doubled by repeating its pixels reads every pixel of the small one up to four times. For output
pixels in even or odd rows and columns (four phases) it is a 2 x 2 convolution of the small picture, with sums of its weights: 4 products
for 9. The convolution of the other input, the skip, is one of stride 2 in each phase, and nothing has to be joined or copied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from pasi_vision.segment.network import LightDecoder, PsoriasisNetwork

__all__ = ["NetworkInPhases", "in_phases"]

Phases = list[Tensor]
"""Four (N, C, h, w): of (N, C, 2h, 2w) the pixels in even rows and even columns, even and odd, odd and even, odd and odd."""


def in_phases(network: nn.Module, then: Callable[[Tensor], Tensor]) -> NetworkInPhases | None:
    """A network with a light decoder, followed by `then`, in phases and with the very same weights; None for any other network.

    Args:
        network: Of `build_network`.
        then: Treats every pixel alone.
    """
    if isinstance(network, PsoriasisNetwork) and isinstance(network.decoder, LightDecoder):
        return NetworkInPhases(network, network.decoder, then)
    return None


class NetworkInPhases(nn.Module):
    """What `then` makes of the logits of a network in evaluation mode, to rounding."""

    def __init__(self, network: PsoriasisNetwork, decoder: LightDecoder, then: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.network = network
        self.coarsest = decoder.coarsest
        below = [decoder.lateral.out_channels, *(step[0].out_channels for step in decoder.steps)]  # type: ignore[index]
        self.steps = nn.ModuleList(_StepInPhases(*step) for step in zip(decoder.steps, below, strict=False))
        self.then = then

    def forward(self, pixels: Tensor) -> Tensor:
        """`then` of the logits at half the input's resolution."""
        features: Sequence[Tensor] = self.network.encoder(pixels)
        decoded = self.coarsest(features[-1])
        phases: Phases = []
        for step, skip in zip(self.steps, features[-2::-1], strict=True):
            phases = step(_joined(phases) if phases else decoded, skip)
        # The last step's features are many, the answers few: only those are joined.
        return _joined([self.then(logits) for logits in self._logits(features, phases)])

    def _logits(self, features: Sequence[Tensor], phases: Phases) -> Phases:
        areas = [self.network.head(phase) for phase in phases]
        if self.network.signs is None:
            return areas
        signs = self.network.signs(features, torch.stack(phases).mean(0), 4)
        return [torch.cat([area, signs], 1) for area in areas]


class _StepInPhases(nn.Module):
    """One step of the light decoder: doubled input of `below` channels and skip, convolution, norm, ReLU."""

    def __init__(self, step: nn.Module, below: int) -> None:
        super().__init__()
        self.below = below  # known beforehand, so that a runtime can work all weights out before it sees a picture
        self.convolution: Any
        self.norm: Any
        self.convolution, self.norm, _ = step.children()

    def forward(self, small: Tensor, skip: Tensor) -> Phases:
        norm = self.norm
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weight = self.convolution.weight * scale[:, None, None, None]
        bias = norm.bias - norm.running_mean * scale
        of_small, of_skip = weight[:, : self.below], weight[:, self.below :]
        phases = []
        for row in (0, 1):
            for column in (0, 1):
                border = [1 - column, column, 1 - row, row]  # left, right, top, bottom
                taps = _phase(_phase(of_small, row, 2), column, 3)
                under = functional.conv2d(functional.pad(small, border), taps, bias)
                beside = functional.conv2d(functional.pad(skip, border), of_skip, stride=2)
                phases.append(functional.relu(under + beside))
        return phases


def _phase(weight: Tensor, odd: int, axis: int) -> Tensor:
    """Three weights along an axis -> two: those that fall on the same pixel of the small picture, together."""
    first, middle, last = (weight.narrow(axis, at, 1) for at in range(3))
    return torch.cat([first + middle, last] if odd else [first, middle + last], axis)


def _joined(phases: Phases) -> Tensor:
    """Four phases (N, C, h, w) -> (N, C, 2h, 2w)."""
    return functional.pixel_shuffle(torch.stack(phases, 2).flatten(1, 2), 2)
