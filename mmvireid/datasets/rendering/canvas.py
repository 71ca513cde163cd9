"""A picture that outlines in person heights are painted on, with soft shading."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np


class Canvas:
    """Float picture plus the place of the person in it.

    Args:
        pixels: Background, float32 in [0, 1], shape (H, W, C); painted in place.
        scale: Pixels per person height.
        origin: Pixel (x, y) of the top of the head.
        lean: Sideways slant of the picture, pixels across per pixel down.
        perspective: How much larger the head appears than the feet, as from a high camera, 0 = not.
        light: Where the light comes from: -1 left, 0 front, 1 right.
    """

    def __init__(
        self,
        pixels: np.ndarray,
        scale: float,
        origin: tuple[float, float],
        lean: float = 0.0,
        perspective: float = 0.0,
        light: float = 0.0,
    ) -> None:
        self.pixels, self.scale, self.origin = pixels, scale, origin
        self.lean, self.perspective, self.light = lean, perspective, light

    def to_pixels(self, points: np.ndarray) -> np.ndarray:
        """Map (across, down) in person heights to pixel coordinates, shape (N, 2)."""
        across, down = points[:, 0], points[:, 1]
        k = self.perspective
        x = across * (1 + k * (0.5 - down)) + self.lean * (down - 0.5)
        y = down + 0.5 * k * (down - down**2)
        return np.stack([x, y], 1) * self.scale + self.origin

    def paint(self, outlines: Sequence[np.ndarray], tones: np.ndarray, weight: Callable) -> None:
        """Fill the union of some outlines with a two-tone texture, darker towards its edge.

        Args:
            outlines: Polygons of (across, down) points in person heights, shape (N, 2) each.
            tones: The two tones in [0, 1], float32, shape (2, C).
            weight: Called with the pixels' (across, down) in person heights, shapes (1, w) and
                (h, 1); returns where the second tone shows, broadcastable to (h, w), or ``None``.
        """
        polygons = [np.round(self.to_pixels(outline)).astype(np.int32) for outline in outlines]
        points = np.concatenate(polygons)
        height, width = self.pixels.shape[:2]
        x0, y0 = np.clip(points.min(0), 0, (width, height))
        x1, y1 = np.clip(points.max(0) + 1, 0, (width, height))
        if x0 >= x1 or y0 >= y1:
            return
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        for polygon in polygons:  # one by one: together, an overlap would be a hole
            cv2.fillPoly(mask, [polygon - (x0, y0)], 255)
        across = (np.arange(x0, x1, dtype=np.float32) - self.origin[0])[None] / self.scale
        down = (np.arange(y0, y1, dtype=np.float32) - self.origin[1])[:, None] / self.scale
        second = weight(across, down)
        tone = tones[0] if second is None else np.where(second[..., None], tones[1], tones[0])
        texture = self.shade(mask)[..., None] * tone
        region = self.pixels[y0:y1, x0:x1]
        np.copyto(region, texture, where=mask[..., None] > 0)

    def shade(self, mask: np.ndarray) -> np.ndarray:
        """Brightness of a rounded part: less near its edge and away from the light."""
        size = int(0.05 * self.scale) | 1
        shift = size // 2 + round(self.light * size / 3)
        soft = cv2.blur(
            mask, (size, size), anchor=(shift, size // 2), borderType=cv2.BORDER_CONSTANT
        )
        return 0.5 + soft * np.float32(0.5 / 255)
