"""A moment: how a person passes a camera, whatever the camera makes of it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from mmvireid.structures import VISIBLE

from .cameras import PANORAMA, Look
from .figure import Pose

#: Pictures are painted this many times larger and averaged down, against jagged edges.
OVERSAMPLING = 2


@dataclass(frozen=True)
class Occluder:
    """Something that hides a part of the person.

    Args:
        kind: ``'pole'``, from top to bottom, or ``'object'``, low and wide.
        box: Left, top, right and bottom edge as painted, in pixels.
        tone: Its colour (blue, green, red) or reflectance, in [0, 1].
    """

    kind: str
    box: tuple[int, int, int, int]
    tone: tuple[float, ...]

    def area(self, width: int) -> int:
        """Pixels that it covers in a picture of this width."""
        left, top, right, bottom = self.box
        return max(0, min(right, width) - left) * (bottom - top)

    def recoloured(self, rng: Generator, modality: str) -> 'Occluder':
        """The same thing as a camera of this modality sees it."""
        return replace(self, tone=_draw_tone(rng, modality))


@dataclass(frozen=True)
class Moment:
    """What is in front of a camera, and how a detector crops it.

    Lengths are in pixels as painted, :data:`OVERSAMPLING` times those of the picture.

    Args:
        pose: How the person stands.
        size: Height and width of the picture as painted.
        scale: Height of the person.
        origin: Pixel (x, y) of the top of the head.
        place: Where in the room, see :func:`.cameras.background`.
        lean: See :class:`.canvas.Canvas`; so are the next two.
        perspective: How much larger the head appears than the feet.
        light: Where the light comes from: -1 left, 0 front, 1 right.
        occluder: What hides a part of the person, ``None`` for nothing.
    """

    pose: Pose
    size: tuple[int, int]
    scale: float
    origin: tuple[float, float]
    place: tuple[int, int]
    lean: float
    perspective: float
    light: float
    occluder: Occluder | None

    def seen_by(self, rng: Generator, modality: str) -> 'Moment':
        """The same moment in the other modality, which has tones of its own."""
        occluder = self.occluder and self.occluder.recoloured(rng, modality)
        return replace(self, occluder=occluder)


def draw_moment(rng: Generator, modality: str, look: Look) -> Moment:
    """Draw what is in front of a camera. The order of the draws decides what a seed shows.

    Args:
        rng: Generator of the picture.
        modality: That of the camera.
        look: The camera's fixed properties.
    """
    pose = _draw_pose(rng, look.facing)
    height = int(rng.integers(118, 140))
    width = int(height * rng.uniform(0.44, 0.54))
    height, width = height * OVERSAMPLING, width * OVERSAMPLING
    # a crop around the person that is not exact
    scale = height * rng.uniform(0.86, 0.97)
    top = (height - scale) * rng.uniform(0.2, 0.9)
    centre = width * (0.5 + rng.normal(0, 0.05))
    return Moment(
        pose=pose,
        size=(height, width),
        scale=scale,
        origin=(centre, top),
        # The feet stand on the floor, somewhere between its far edge and the camera.
        place=(int(rng.integers(0, PANORAMA[1] - width)), int(rng.integers(10, 60))),
        lean=rng.normal(0, 0.025),
        perspective=max(0.0, look.perspective + rng.normal(0, 0.03)),
        light=rng.uniform(-1, 1),
        occluder=_draw_occluder(rng, modality, height, width),
    )


def _draw_pose(rng: Generator, facing: float) -> Pose:
    """Mostly towards or away from the camera as usual there, sometimes sideways."""
    turn = rng.choice([0.0, np.pi, np.pi / 2, -np.pi / 2], p=[0.5, 0.2, 0.15, 0.15])
    return Pose(
        yaw=facing + turn + rng.normal(0, 0.25),
        phase=rng.uniform(0, 2 * np.pi),
        stride=rng.uniform(0.1, 0.45),
        arm_swing=rng.uniform(0.1, 0.45),
    )


def _draw_occluder(rng: Generator, modality: str, height: int, width: int) -> Occluder | None:
    """Sometimes a pole or a low object."""
    if rng.random() > 0.18:
        return None
    tone = _draw_tone(rng, modality)
    if rng.random() < 0.5:
        left, wide = int(rng.uniform(0, 0.9) * width), int(rng.uniform(0.08, 0.2) * width)
        return Occluder('pole', (left, 0, left + wide, height), tone)
    top = int(rng.uniform(0.68, 0.9) * height)
    left = int(rng.uniform(-0.4, 0.5) * width)
    return Occluder('object', (max(left, 0), top, left + int(0.9 * width), height), tone)


def _draw_tone(rng: Generator, modality: str) -> tuple[float, ...]:
    return tuple(rng.uniform(0.15, 0.8, 3 if modality == VISIBLE else 1).tolist())
