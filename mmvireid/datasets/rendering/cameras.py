"""Cameras and the rooms they look at: background, illumination, sensor."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.random import Generator

from mmvireid.structures import MODALITIES, VISIBLE

from .seeding import Stream, generator

#: Height and width of a room's panorama in pixels, and where its floor begins.
PANORAMA = (340, 1400)
FLOOR = 230


@dataclass(frozen=True)
class Camera:
    """A camera of a layout.

    Args:
        camera_id: Number in the data set.
        modality: ``'visible'`` or ``'infrared'``.
        room: Number of the place it looks at; two cameras can share one.
        outdoor: Whether trees stand among the things in the background.
    """

    camera_id: int
    modality: str
    room: int
    outdoor: bool = False

    @property
    def key(self) -> tuple[int, int]:
        """What tells this camera from all others, as numbers for a seed."""
        return self.camera_id, MODALITIES.index(self.modality)


@dataclass(frozen=True)
class Look:
    """What a camera does to all of its pictures.

    Args:
        gain: Brightness factor per channel, white balance included.
        gamma: Exponent of the tone curve.
        saturation: 0 grey, 1 as in the scene.
        noise: Standard deviation of the sensor noise, in [0, 1].
        blur: Standard deviation of the blur, in pixels.
        perspective: See :class:`.canvas.Canvas`.
        facing: Usual facing of the people who pass, in radians.
        jpeg_quality: Of the files, in [0, 100].
    """

    gain: tuple[float, ...]
    gamma: float
    saturation: float
    noise: float
    blur: float
    perspective: float
    facing: float
    jpeg_quality: int


@lru_cache(maxsize=64)
def camera_look(seed: int, camera: Camera) -> Look:
    """Draw a camera's fixed properties from the seed and its number."""
    rng = generator(seed, Stream.CAMERA, *camera.key)
    visible = camera.modality == VISIBLE
    brightness = rng.uniform(0.8, 1.15)
    balance = rng.uniform(0.9, 1.1, 3) if visible else np.ones(1)
    return Look(
        gain=tuple((brightness * balance).tolist()),
        gamma=rng.uniform(0.85, 1.2),
        saturation=rng.uniform(0.75, 1.05),
        noise=rng.uniform(0.01, 0.025) if visible else rng.uniform(0.02, 0.04),
        blur=rng.uniform(0.3, 0.7) if visible else rng.uniform(0.5, 0.9),
        perspective=rng.uniform(0.0, 0.16),
        facing=float(rng.choice([0.0, np.pi])),
        jpeg_quality=int(rng.integers(70, 95)),
    )


class _Room:
    """Paints a panorama in both modalities at once; channel 3 holds the infrared reflectance."""

    def __init__(self, rng: Generator, outdoor: bool) -> None:
        self.rng = rng
        self.outdoor = outdoor
        self.pixels = np.zeros((*PANORAMA, 4), np.float32)

    def tone(self, low: float = 0.15, high: float = 0.85) -> np.ndarray:
        grey, tint = self.rng.uniform(low, high), self.rng.normal(0, 0.06, 3)
        return np.clip([*(grey + tint), self.rng.uniform(low, high)], 0.03, 1).astype(np.float32)

    def box(self, x: int, y: int, width: int, height: int, tone: np.ndarray) -> None:
        self.pixels[max(y, 0) : y + height, max(x, 0) : x + width] = tone

    def paint(self) -> np.ndarray:
        rng, (height, width) = self.rng, PANORAMA
        self.box(0, 0, width, height, self.tone(0.35, 0.8))
        for _ in range(rng.integers(14, 26)):
            self.furnish(int(rng.integers(0, width)))
        self.floor()
        texture = rng.normal(0, 1, (height // 4, width // 4, 1)).astype(np.float32)
        texture = cv2.resize(cv2.blur(texture, (3, 3)), (width, height))
        pixels = cv2.GaussianBlur(self.pixels, (0, 0), 1.5) + 0.05 * texture[..., None]
        return np.clip(pixels, 0, 1)

    def furnish(self, x: int) -> None:
        """Add a door, window, pillar, shelf or tree."""
        rng = self.rng
        kind = rng.choice(4 if not self.outdoor else 5)
        if kind == 0:  # door or gate
            self.box(x, 60, 84, FLOOR - 60, self.tone())
            self.box(x + 6, 66, 72, FLOOR - 66, self.tone())
        elif kind == 1:  # window
            self.box(x, 40, 110, 90, self.tone())
            for pane in (0, 1):
                self.box(x + 5 + 52 * pane, 45, 47, 80, self.tone(0.5, 0.95))
        elif kind == 2:  # pillar
            self.box(x, 0, int(rng.integers(14, 40)), FLOOR + 8, self.tone())
        elif kind == 3:  # shelf, bench or car
            top, wide = int(rng.integers(120, 190)), int(rng.integers(60, 160))
            self.box(x, top, wide, FLOOR + 12 - top, self.tone())
            self.box(x + 8, top + 8, wide - 16, 14, self.tone())
        else:  # tree
            self.box(x - 6, 90, 12, FLOOR - 90, self.tone(0.15, 0.3))
            leaf = self.tone(0.2, 0.5) * np.array([0.7, 1.2, 0.8, 1.3], np.float32)
            for _ in range(14):
                centre = (int(x + rng.normal(0, 26)), int(60 + rng.normal(0, 24)))
                shade = (leaf * rng.uniform(0.7, 1.2)).tolist()
                cv2.circle(self.pixels, centre, int(rng.integers(10, 26)), shade, -1)

    def floor(self) -> None:
        height, width = PANORAMA
        tone, line = self.tone(0.3, 0.75), self.tone(0.2, 0.8)
        self.box(0, FLOOR, width, height - FLOOR, tone)
        if self.rng.random() < 0.6:
            for y in (FLOOR + 12, FLOOR + 32, FLOOR + 64, FLOOR + 104):
                self.box(0, y, width, 2, line)
            for x in range(-400, width + 400, 80):
                end = (int(width / 2 + (x - width / 2) * 1.6), height)
                cv2.line(self.pixels, (x, FLOOR), end, line.tolist(), 2)


@lru_cache(maxsize=24)
def _panorama(seed: int, room: int, outdoor: bool) -> np.ndarray:
    return _Room(generator(seed, Stream.ROOM, room), outdoor).paint()


def background(
    seed: int, camera: Camera, size: Sequence[int], ground: float, place: tuple[int, int]
) -> np.ndarray:
    """Cut the background of one picture out of the camera's room.

    Args:
        seed: Seed of the data set.
        camera: Which camera.
        size: Height and width of the picture in pixels.
        ground: Row of the picture on which the person stands.
        place: Where in the room that is: first column of the panorama that is seen, and rows
            between the far edge of the floor and the feet.

    Returns:
        A new float32 array in [0, 1], shape (H, W, 3) visible or (H, W, 1) infrared.
    """
    panorama = _panorama(seed, camera.room, camera.outdoor)
    (height, width), (left, depth) = size, place
    top = int(np.clip(FLOOR + depth - ground, 0, PANORAMA[0] - height))
    channels = slice(0, 3) if camera.modality == VISIBLE else slice(3, 4)
    return panorama[top : top + height, left : left + width, channels].copy()


@dataclass(frozen=True)
class Exposure:
    """What a sensor does to one picture, the camera's fixed properties included.

    Args:
        gain: Brightness factor per channel.
        gamma: Exponent of the tone curve.
        blur: Standard deviation of the blur, in pixels.
        beam: Of the infrared illuminator: height and width of its centre, as shares of the picture,
            and its fall-off. Visible pictures have none.
        contrast: Infrared only: factor on the scene, below 1.
        base: Infrared only: what a black surface gives.
    """

    gain: tuple[float, ...]
    gamma: float
    blur: float
    beam: tuple[float, float, float] | None = None
    contrast: float = 1.0
    base: float = 0.0


def draw_exposure(rng: Generator, modality: str, look: Look) -> Exposure:
    """Draw how one picture is exposed.

    Args:
        rng: Generator of the picture.
        modality: That of the camera.
        look: The camera's fixed properties.
    """
    if modality == VISIBLE:
        # in float32, as everything that is done to colours: a seed's pictures are to stay as bytes
        gain = np.array(look.gain, np.float32) * rng.uniform(0.85, 1.15)
        drawn = dict(gain=tuple(gain.tolist()), gamma=look.gamma * rng.uniform(0.9, 1.1))
    else:
        drawn = dict(
            beam=(rng.uniform(0.25, 0.6), rng.uniform(0.3, 0.7), rng.uniform(0.4, 1.4)),
            contrast=rng.uniform(0.6, 0.8),
            base=rng.uniform(0.08, 0.2),
            gain=(look.gain[0] * rng.uniform(0.85, 1.15),),
            gamma=look.gamma,
        )
    return Exposure(blur=look.blur * rng.uniform(0.6, 1.6), **drawn)


def record(pixels: np.ndarray, look: Look, exposure: Exposure, rng: Generator) -> np.ndarray:
    """What the sensor makes of a scene.

    Args:
        pixels: The scene, float32 in [0, 1], shape (H, W, C) with C = 3 visible, 1 infrared.
        look: The camera's fixed properties.
        exposure: How this picture is exposed.
        rng: Generator of the noise.

    Returns:
        uint8 picture, blue-green-red, shape (H, W, 3); three equal channels in infrared.
    """
    pixels = develop(pixels, look, exposure)
    blurred = cv2.GaussianBlur(pixels, (0, 0), exposure.blur).reshape(*pixels.shape[:2], -1)
    blurred += look.noise * rng.standard_normal(blurred.shape, np.float32)
    picture = (np.clip(blurred, 0, 1) * 255).astype(np.uint8)
    return np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture


def develop(pixels: np.ndarray, look: Look, exposure: Exposure) -> np.ndarray:
    """Light and tone curve of a sensor, before blur and noise; arguments as in :func:`record`."""
    gain, gamma = np.array(exposure.gain, np.float32), np.float32(exposure.gamma)
    if exposure.beam is None:
        grey = pixels.mean(2, keepdims=True)
        pixels = grey + look.saturation * (pixels - grey)
        return np.clip(pixels * gain, 0, 1) ** gamma
    beam = _beam(pixels.shape, *exposure.beam)
    return np.clip(gain * (exposure.base + exposure.contrast * pixels * beam), 0, 1) ** gamma


def _beam(shape: Sequence[int], centre_y: float, centre_x: float, fall_off: float) -> np.ndarray:
    """The fall-off of the illuminator's beam, (H, W, 1)."""
    y = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None, None] - centre_y
    x = np.linspace(0, 1, shape[1], dtype=np.float32)[:, None] - centre_x
    return 1 / (1 + fall_off * (y**2 + x**2))
