"""How wide a photograph's blur is, whatever it shows, and how strong its noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["blur_and_noise"]

_FINE, _COARSE = 1.0, 2.0  # standard deviations in px of the two blurs whose gradients are compared
_TILES = 16  # along the longer side
_WIDEST = 20.0  # px; what is blurred more is reported so


def blur_and_noise(pixels: NDArray[np.uint8], area: NDArray[np.bool_]) -> tuple[float, float]:
    """Blur width in px (standard deviation) of the sharpest fifth of the area, and the noise's standard deviation in grey levels.

    The picture is blurred a little more, twice: an edge of width s keeps the share (s^2 + 1) / (s^2 + 4) of its squared gradient
    from the first to the second, which gives s (the re-blurring principle of Zhuo & Sim, Pattern Recognit 2011;44:1852-1858).
    That depends on how sharp edges are, not on how many there are, so smooth skin is not taken for blurred skin. Noise, which
    looks like sharp edges, is estimated (Immerkaer, Comput Vis Image Underst 1996;64:300-302) and its share taken off.

    Args:
        pixels: (H, W, 3) uint8.
        area: (H, W) where to measure; tiles that lie in it by a third count.
    """
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    noise = _noise(grey, area)
    fine, coarse = _squared_gradient(grey, _FINE), _squared_gradient(grey, _COARSE)
    side = max(8, -(-max(grey.shape) // _TILES))
    tiles = [_tiles(values, side) for values in (fine, coarse, area.astype(np.float32))]
    inside = tiles[2].mean(axis=1) > 1 / 3
    fine_tiles, coarse_tiles = tiles[0][inside], tiles[1][inside]
    if not len(fine_tiles):
        return _WIDEST, noise
    # The strongest fifth of each tile's gradients, as far as they stand out of the noise, are its edges.
    floor = max(2.0, (4 * noise) ** 2 * _noise_response(_COARSE))
    edges = coarse_tiles >= np.maximum(np.percentile(coarse_tiles, 80, axis=1, keepdims=True), floor)
    counts = edges.sum(axis=1)
    telling = counts >= 0.05 * side * side
    if not telling.any():
        return _WIDEST, noise
    power_fine = (fine_tiles * edges).sum(axis=1)[telling] / counts[telling] - noise**2 * _noise_response(_FINE)
    power_coarse = (coarse_tiles * edges).sum(axis=1)[telling] / counts[telling] - noise**2 * _noise_response(_COARSE)
    ratio = np.maximum(power_fine / power_coarse, 1.0001)
    width2 = (_COARSE**2 - ratio * _FINE**2) / (ratio - 1)
    widths = np.sqrt(np.clip(width2, 0, _WIDEST**2))
    return float(np.percentile(widths, 20)), noise


def _noise(grey: NDArray[np.float32], area: NDArray[np.bool_]) -> float:
    """Standard deviation of white noise in the even parts of the area."""
    import cv2

    if min(grey.shape) < 3:
        return 0.0
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
    residual = np.abs(cv2.filter2D(grey, cv2.CV_32F, kernel))
    # Texture only adds to the residual, so its lower part is read: 30 % of |N(0, 1)| lie below 0.385.
    return float(np.percentile(residual[area], 30)) / 0.385


def _squared_gradient(grey: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    import cv2

    smooth = cv2.GaussianBlur(grey, (0, 0), sigma)
    x, y = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=1), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=1)
    return np.asarray(x * x + y * y, dtype=np.float32)


def _noise_response(sigma: float) -> float:
    """Mean squared gradient that white noise of standard deviation 1 leaves after a blur."""
    reach = int(4 * sigma) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    return float(2 * (np.convolve(kernel, [1, 0, -1]) ** 2).sum() * (kernel**2).sum())


def _tiles(values: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """(H, W) -> (tiles, side x side); what does not fill a tile at the right and lower edge is left out, unless there is no more."""
    height, width = values.shape
    if height < side or width < side:
        values = np.pad(values, ((0, max(0, side - height)), (0, max(0, side - width))), mode="edge")
        height, width = values.shape
    rows, columns = height // side, width // side
    cut = values[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return cut.swapaxes(1, 2).reshape(rows * columns, side * side)
