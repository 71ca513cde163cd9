"""Garment patterns: where a garment shows its first and where its second tone."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: Height of the chest below the top of the head, in person heights.
CHEST = 0.30


@dataclass(frozen=True)
class Pattern:
    """A two-tone texture on a body that is taken as an upright cylinder.

    It knows nothing about colours, so that a garment carries the same pattern in both modalities.

    Args:
        kind: One of the keys of :data:`KINDS`.
        period: Size of one repetition, or of the motif, in person heights, about 0.05 to 0.15.
        phase: Where the first repetition starts, as a fraction of the period, in [0, 1).
    """

    kind: str
    period: float
    phase: float

    @property
    def on_sleeves(self) -> bool:
        """Whether sleeves and trouser legs show it too; a motif sits on the trunk only."""
        return self.kind not in ('print', 'open', 'halves')

    def weight(self, azimuth: np.ndarray, radius: float, height: np.ndarray) -> np.ndarray | None:
        """How much of the second tone a surface point shows.

        Args:
            azimuth: Angle around the body in radians, 0 = front, positive to the person's left,
                shape (1, W).
            radius: Radius of the cylinder, in person heights.
            height: Distance below the top of the head, in person heights, shape (H, 1).

        Returns:
            Boolean array, broadcastable to (H, W): true where the second tone shows. ``None``
            for a plain garment.
        """
        return KINDS[self.kind](self, azimuth, radius, height)

    def cell(self, distance: np.ndarray) -> np.ndarray:
        """Position inside a repetition, in [0, 1)."""
        return (distance / self.period + self.phase) % 1


def _plain(pattern, azimuth, radius, height):
    return None


def _hoops(pattern, azimuth, radius, height):
    return pattern.cell(height) < 0.5


def _stripes(pattern, azimuth, radius, height):
    return pattern.cell(azimuth * radius) < 0.5


def _diagonal(pattern, azimuth, radius, height):
    return pattern.cell(height + azimuth * radius) < 0.5


def _checks(pattern, azimuth, radius, height):
    return _hoops(pattern, azimuth, radius, height) ^ _stripes(pattern, azimuth, radius, height)


def _dots(pattern, azimuth, radius, height):
    across, down = pattern.cell(azimuth * radius) - 0.5, pattern.cell(height) - 0.5
    return across**2 + down**2 < 0.11


def _blocks(pattern, azimuth, radius, height):
    return height > CHEST + 0.1 * pattern.phase


def _band(pattern, azimuth, radius, height):
    return np.abs(height - CHEST - 0.1 * pattern.phase) < pattern.period / 2


def _halves(pattern, azimuth, radius, height):
    return np.sin(azimuth) > 0


def _print(pattern, azimuth, radius, height):
    # The same motif on the chest and on the back.
    across = radius * np.arcsin(np.sin(azimuth))
    down = height - CHEST - 0.04 * pattern.phase
    return (across / pattern.period) ** 2 + (down / pattern.period) ** 2 < 0.35


def _open(pattern, azimuth, radius, height):
    # A coat that is worn open: the garment below shows in front.
    return radius * np.abs(np.angle(np.exp(1j * azimuth))) < 0.3 * pattern.period


KINDS: dict[str, Callable] = {
    'plain': _plain,
    'hoops': _hoops,
    'stripes': _stripes,
    'diagonal': _diagonal,
    'checks': _checks,
    'dots': _dots,
    'blocks': _blocks,
    'band': _band,
    'halves': _halves,
    'print': _print,
    'open': _open,
}
