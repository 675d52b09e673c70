"""How wide a photograph's blur is, whatever it shows, and how strong its noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["blur_and_noise"]

_FINE, _COARSE = 1.0, 2.0  # standard deviations in px of the two blurs whose gradients are compared
_CREST = 0.9  # of the strongest squared gradient within 2 px: on the crest of an edge, where the formula holds
_TILES = 16  # along the longer side
_FEWEST_TILES = 8  # in which edges of one direction must be found for that direction to count
_WIDEST = 20.0  # px; what is blurred more is reported so


def blur_and_noise(pixels: NDArray[np.uint8], area: NDArray[np.bool_]) -> tuple[float, float]:
    """Blur width in px (standard deviation) of the sharpest fifth of the area, and the noise's standard deviation in grey levels.

    Measured across and down, so that a shaken picture, which is blurred in one direction only, is seen; the wider is given.

    Args:
        pixels: (H, W, 3) uint8.
        area: (H, W) where to measure; tiles that lie in it by a third count.
    """
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    noise = _noise(grey, area)
    side = max(8, -(-max(grey.shape) // _TILES))
    inside = _tiles(area.astype(np.float32), side).mean(axis=1) > 1 / 3
    smooth = [cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (_FINE, _COARSE)]
    widths = []
    for x, y in ((1, 0), (0, 1)):
        fine, coarse = (cv2.Sobel(picture, cv2.CV_32F, x, y, ksize=1) ** 2 for picture in smooth)
        crest = coarse >= _CREST * cv2.dilate(coarse, np.ones((1 if y == 0 else 5, 5 if y == 0 else 1), np.uint8))
        tiles = [_tiles(np.asarray(values, dtype=np.float32), side)[inside] for values in (fine, coarse, crest)]
        found = _widths(tiles[0], tiles[1], tiles[2] > 0, noise)
        if len(found):
            widths.append((len(found), float(np.percentile(found, 20))))
    if not widths:
        return _WIDEST, noise
    enough = [width for count, width in widths if count >= _FEWEST_TILES]
    return (max(enough) if enough else max(widths)[1]), noise


def _widths(
    fine: NDArray[np.float32], coarse: NDArray[np.float32], crest: NDArray[np.bool_], noise: float
) -> NDArray[np.float32]:
    """Blur width of each tile that holds edges: (tiles, pixels) of squared gradients after the lighter and the stronger blur.

    The picture is blurred a little more, twice: an edge of width s keeps the share (s^2 + 1) / (s^2 + 4) of its squared gradient
    from the first to the second, which gives s (the re-blurring principle of Zhuo & Sim, Pattern Recognit 2011;44:1852-1858).
    That depends on how sharp edges are, not on how many there are, so smooth skin is not taken for blurred skin. Noise, which
    looks like sharp edges, is estimated (Immerkaer, Comput Vis Image Underst 1996;64:300-302) and its share taken off.
    """
    if not len(fine):
        return np.empty(0, np.float32)
    # The crests of the strongest fifth of each tile's gradients, as far as they stand out of the noise, are its edges.
    floor = max(1.0, (4 * noise) ** 2 * _noise_response(_COARSE))
    pixels = fine.shape[1]
    strongest = np.partition(coarse, pixels - pixels // 5, axis=1)[:, pixels - pixels // 5, None]
    edges = crest & (coarse >= np.maximum(strongest, floor))
    counts = edges.sum(axis=1)
    telling = counts >= max(3.0, 0.01 * pixels)
    counts = counts[telling]
    power_fine = np.where(edges, fine, 0)[telling].sum(axis=1) / counts - noise**2 * _noise_response(_FINE)
    power_coarse = np.where(edges, coarse, 0)[telling].sum(axis=1) / counts - noise**2 * _noise_response(_COARSE)
    ratio = np.maximum(power_fine / power_coarse, 1.0001)
    width2 = (_COARSE**2 - ratio * _FINE**2) / (ratio - 1) - 1 / 3  # the difference over 2 px blurs by as much
    return np.asarray(np.sqrt(np.clip(width2, 0, _WIDEST**2)), dtype=np.float32)


def _noise(grey: NDArray[np.float32], area: NDArray[np.bool_]) -> float:
    """Standard deviation of white noise in the even parts of the area."""
    import cv2

    if min(grey.shape) < 3:
        return 0.0
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
    residual = np.abs(cv2.filter2D(grey, cv2.CV_32F, kernel))
    # Texture only adds to the residual, so its lower part is read: 30 % of |N(0, 1)| lie below 0.385.
    return float(np.percentile(residual[area], 30)) / 0.385


def _noise_response(sigma: float) -> float:
    """Mean squared difference in one direction that white noise of standard deviation 1 leaves after a blur."""
    reach = int(4 * sigma) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    return float((np.convolve(kernel, [1, 0, -1]) ** 2).sum() * (kernel**2).sum())


def _tiles(values: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """(H, W) -> (tiles, side x side); what does not fill a tile at the right and lower edge is left out, unless there is no more."""
    height, width = values.shape
    if height < side or width < side:
        values = np.pad(values, ((0, max(0, side - height)), (0, max(0, side - width))), mode="edge")
        height, width = values.shape
    rows, columns = height // side, width // side
    cut = values[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return cut.swapaxes(1, 2).reshape(rows * columns, side * side)
